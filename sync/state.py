"""How the sync is: for the health page, the checklist and the metrics. Being alive is not delivering: age decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from firmware_py.core.clock import parse_iso
from firmware_py.core.health import CheckResult, Status
from firmware_py.core.ports import OutboxFigures
from sync.answers import TEXTS, FailureKind

CHECK_NAME = "sync"
WARN_AGE_S = 15 * 60.0
FAIL_AGE_S = 24 * 3600.0
#: The city will not take anything until a person acts: an alarm at once.
ALARM_KINDS: frozenset[FailureKind] = frozenset({"unauthorised", "tls", "refused"})
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class SyncState:
    """The newest attempts. `since` and `last_attempt_at` are the node's time (ISO); no failure: kind None."""

    last_failure_kind: FailureKind | None = None
    text: str = ""
    since: str | None = None
    consecutive_failures: int = 0
    last_attempt_at: str | None = None


def check_result(state: SyncState, figures: OutboxFigures, now: datetime) -> CheckResult:
    """The worst of: is the city answering, how old is what it lacks, did it reject anything, when did it last accept."""
    kept = f"{figures.pending} mục, cũ nhất {words_of(figures.oldest_age_s or 0)}"
    findings: list[tuple[Status, str]] = []
    age_s = figures.oldest_age_s or 0
    if state.last_failure_kind is not None:
        status = Status.FAIL if state.last_failure_kind in ALARM_KINDS or age_s >= FAIL_AGE_S else Status.WARN
        held = f"dữ liệu được giữ lại ({kept})" if figures.pending else "chưa có dữ liệu nào chờ gửi"
        findings.append((status, f"{state.text or TEXTS[state.last_failure_kind]}, {held}"))
    elif age_s >= WARN_AGE_S:
        status = Status.FAIL if age_s >= FAIL_AGE_S else Status.WARN
        findings.append((status, f"Dữ liệu gửi chậm: còn {kept}"))
    if figures.rejected:
        text = f"Thành phố từ chối {figures.rejected} mục; dữ liệu vẫn được giữ, hãy báo người quản trị"
        findings.append((Status.WARN, text))
    quiet_s = _age_s(figures.last_accepted_at, now)
    if not findings and quiet_s is not None and quiet_s >= FAIL_AGE_S:
        findings.append((Status.WARN, f"Không có dữ liệu mới cho thành phố từ {words_of(quiet_s)} trước"))
    return CheckResult(
        CHECK_NAME,
        max((status for status, _ in findings), default=Status.PASS),
        ". ".join(text for _, text in findings) or _all_well(figures, quiet_s),
        {
            "pending": figures.pending,
            "oldest_age_s": figures.oldest_age_s,
            "rejected": figures.rejected,
            "last_accepted_at": figures.last_accepted_at,
            "consecutive_failures": state.consecutive_failures,
            "last_failure": state.last_failure_kind,
        },
    )


def words_of(seconds: float) -> str:
    """A duration in words, rounded down: `3 phút`."""
    for limit_s, unit in ((DAY_S, "ngày"), (HOUR_S, "giờ"), (MINUTE_S, "phút")):
        if seconds >= limit_s:
            return f"{int(seconds // limit_s)} {unit}"
    return f"{int(seconds)} giây"


def _all_well(figures: OutboxFigures, quiet_s: float | None) -> str:
    if figures.pending:
        return f"Đang gửi {figures.pending} mục lên thành phố"
    if quiet_s is None:
        return "Chưa có dữ liệu nào phải gửi"
    return f"Thành phố đã nhận đủ dữ liệu (lần cuối {words_of(quiet_s)} trước)"


def _age_s(then: str | None, now: datetime) -> float | None:
    return None if then is None else max(0.0, (now - parse_iso(then)).total_seconds())
