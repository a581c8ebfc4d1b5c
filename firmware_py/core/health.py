"""Health: an ordered status, folded with max, and checks that can neither vanish nor hang.

A check that raises, or takes longer than its deadline, is a FAIL with its text: a crash must never read as "nothing
wrong". The same checks feed the health page, the morning checklist and the metrics.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum


class Status(IntEnum):
    """PASS < WARN < FAIL: the worst of many is their max."""

    PASS = 0
    WARN = 1
    FAIL = 2


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found. `text` is for people (Vietnamese); `figures` are numbers with units in their names."""

    name: str
    status: Status
    text: str
    figures: dict[str, float | int | str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """A named question about the node; `run` answers within `deadline_s`."""

    name: str
    run: Callable[[], CheckResult]
    deadline_s: float = 5.0


def worst(results: Iterable[CheckResult]) -> Status:
    """The status of the whole: FAIL if anything fails, PASS for nothing at all."""
    return max((result.status for result in results), default=Status.PASS)


def run_check(check: Check) -> CheckResult:
    """One check in a thread of its own, so that a hanging one costs its deadline and no more."""
    box: list[CheckResult] = []

    def target() -> None:
        try:
            box.append(check.run())
        except Exception as error:  # noqa: BLE001 - the check runner is one of the four named barriers
            box.append(CheckResult(check.name, Status.FAIL, f"Kiểm tra bị lỗi: {error!r}"))

    thread = threading.Thread(target=target, name=f"check-{check.name}", daemon=True)
    thread.start()
    thread.join(check.deadline_s)
    if box:
        return box[0]
    return CheckResult(check.name, Status.FAIL, f"Kiểm tra không trả lời trong {check.deadline_s:g} giây")
