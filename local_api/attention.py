"""What needs a person: each in words with its cause, and one thing to do. The worst first.

It is made of the same checks and states that machines read. A button that was cut off is told without its number: a held one
is the vote just given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from flask_babel import gettext, ngettext
from pydantic import BaseModel, ConfigDict

from firmware_py.core.health import CheckResult, Status
from firmware_py.core.ports import DeviceStatus
from local_api.languages import mark
from local_api.reasons import reason_words
from local_api.words import hall_time, span


class Notice(BaseModel):
    """One thing that needs a person. `vietnamese`: `why` could not be translated."""

    model_config = ConfigDict(frozen=True)

    severe: bool
    what: str
    why: str
    todo: str = ""
    vietnamese: bool = False


#: Why the city has no answer for us, and what helps. What passes by itself needs nobody yet, and says so.
SYNC_CAUSES: Mapping[str, tuple[str, str]] = {
    "unreachable": (
        mark("Mất kết nối máy chủ thành phố"),
        mark("Hãy kiểm tra mạng Internet của trung tâm; khi có mạng lại, số liệu tự gửi tiếp."),
    ),
    "timeout": (
        mark("Máy chủ thành phố không trả lời kịp"),
        mark("Hãy kiểm tra mạng Internet của trung tâm; khi có mạng lại, số liệu tự gửi tiếp."),
    ),
    "tls": (
        mark("Không tin được chứng chỉ của máy chủ thành phố"),
        mark("Hãy báo người phụ trách kỹ thuật."),
    ),
    "tls_clock": (
        mark("Chứng chỉ của máy chủ thành phố chưa đến ngày có hiệu lực, có thể do đồng hồ ở đây sai"),
        mark("Hãy kiểm tra ngày giờ của bộ điều khiển."),
    ),
    "unauthorised": (
        mark("Máy chủ thành phố từ chối mã truy cập của trung tâm"),
        mark("Hãy báo người phụ trách kỹ thuật kiểm tra mã city_token."),
    ),
    "too_large": (
        mark("Máy chủ thành phố nói gói số liệu quá lớn"),
        mark("Số liệu tự gửi lại từng phần; nếu kéo dài, hãy báo người phụ trách kỹ thuật."),
    ),
    "server_error": (
        mark("Máy chủ thành phố đang gặp lỗi"),
        mark("Số liệu tự gửi lại; nếu kéo dài, hãy báo thành phố."),
    ),
    "not_an_answer": (
        mark("Có nơi khác trả lời thay máy chủ thành phố, có thể mạng ở đây đang đòi đăng nhập"),
        mark("Hãy mở mạng Wi-Fi hoặc Internet của trung tâm và đăng nhập lại."),
    ),
    "refused": (
        mark("Máy chủ thành phố không nhận gói số liệu"),
        mark("Hãy báo người phụ trách kỹ thuật."),
    ),
    "journal": (
        mark("Thành phố đã trả lời nhưng ở đây chưa ghi lại được"),
        mark("Hãy kiểm tra thẻ nhớ hoặc ổ đĩa của bộ điều khiển."),
    ),
}


def notices(
    checks: Sequence[CheckResult],
    devices: Sequence[DeviceStatus],
    refusing: str | None,
    names: Mapping[str, str],
    zone: ZoneInfo,
) -> list[Notice]:
    """All that needs a person now; empty when nothing does."""
    told = {f"device {device.id}" for device in devices if not device.available or device.faults}
    if refusing is not None:
        told.add("journal")
    found = [
        *_refusing(refusing),
        *(notice for device in devices for notice in _device(device, names, zone)),
        *(_check(check) for check in checks if check.status is not Status.PASS and check.name not in told),
    ]
    return sorted(found, key=lambda notice: not notice.severe)


def device_name(device: DeviceStatus, names: Mapping[str, str]) -> str:
    """How people call it: its counter's name, or where it has none its own id."""
    return names.get(device.counter or "", device.id)


def _refusing(reason: str | None) -> Iterator[Notice]:
    if reason is not None:
        words = reason_words(reason)
        yield Notice(
            severe=True,
            what=gettext("Không nhận được lượt đánh giá"),
            why=words.text,
            todo=gettext("Những gì đã cảm ơn đều đã được ghi. Hãy báo người phụ trách kỹ thuật ngay."),
            vietnamese=not words.translated,
        )


def _device(device: DeviceStatus, names: Mapping[str, str], zone: ZoneInfo) -> Iterator[Notice]:
    name = device_name(device, names)
    if not device.available:
        words = reason_words(device.reason)
        since = hall_time(device.since, zone) if device.since else "–"
        yield Notice(
            severe=True,
            what=gettext("%(name)s: bảng nút không dùng được từ %(since)s", name=name, since=since),
            why=words.text,
            vietnamese=not words.translated,
        )
    elif device.faults:
        yield Notice(
            severe=False,
            what=ngettext(
                "%(name)s: một nút bị kẹt hoặc rung", "%(name)s: %(num)d nút bị kẹt hoặc rung", len(device.faults),
                name=name,
            ),
            why=gettext("Nút này tạm ngắt, các nút khác vẫn dùng được."),
            todo=gettext("Hãy xem các nút có bị kẹt không và lau bụi quanh nút."),
        )  # fmt: skip


def _check(check: CheckResult) -> Notice:
    """What a check says that was not told in better words already."""
    if check.name == "sync":
        return _sync(check)
    if check.name == "clock":
        return Notice(
            severe=False,
            what=gettext("Chưa biết giờ đúng"),
            why=gettext("Lượt đánh giá vẫn được giữ và sẽ được tính khi biết giờ đúng."),
            todo=gettext("Hãy kiểm tra mạng Internet của trung tâm: giờ đúng lấy từ đó."),
        )
    severe = check.status is Status.FAIL
    if check.name == "workers":
        return Notice(
            severe=severe,
            what=gettext("Một bộ phận của chương trình không chạy"),
            why=gettext("Chương trình tự thử lại. Bộ phận: %(names)s.", names=", ".join(check.figures) or "–"),
            todo=gettext("Nếu kéo dài quá 10 phút, hãy báo người phụ trách kỹ thuật."),
        )
    return Notice(
        severe=severe,
        what=gettext("Kiểm tra %(name)s không đạt", name=check.name),
        why=check.text,
        todo=gettext("Hãy báo người phụ trách kỹ thuật."),
        vietnamese=True,
    )


def _sync(check: CheckResult) -> Notice:
    """The path to the city. Whatever is wrong with it: nothing is lost."""
    what, todo = _city_trouble(check)
    return Notice(severe=check.status is Status.FAIL, what=what, why=_kept(check), todo=todo)


def _city_trouble(check: CheckResult) -> tuple[str, str]:
    tell = gettext("Hãy báo người phụ trách kỹ thuật.")
    rejected = int(check.figures.get("rejected") or 0)
    if cause := SYNC_CAUSES.get(str(check.figures.get("last_failure"))):
        return gettext(cause[0]), gettext(cause[1])
    if rejected:
        text = ngettext("Thành phố từ chối %(num)d mục số liệu", "Thành phố từ chối %(num)d mục số liệu", rejected)
        return text, tell
    if check.figures.get("pending"):
        return gettext("Số liệu gửi về thành phố chậm"), gettext("Hãy kiểm tra mạng Internet của trung tâm.")
    if check.figures:
        return gettext("Đã lâu không có số liệu mới cho thành phố"), tell
    if check.status is Status.FAIL:
        return gettext("Chưa có mã kết nối máy chủ thành phố (city_token)"), tell
    return gettext("Máy chủ thành phố mô phỏng chưa chạy"), gettext("Chương trình tự thử lại.")


def _kept(check: CheckResult) -> str:
    pending, age_s = int(check.figures.get("pending") or 0), float(check.figures.get("oldest_age_s") or 0)
    if not pending:
        return gettext("Dữ liệu được giữ lại.")
    return ngettext(
        "Dữ liệu được giữ lại: %(num)d mục, cũ nhất %(age)s.",
        "Dữ liệu được giữ lại: %(num)d mục, cũ nhất %(age)s.",
        pending,
        age=span(age_s),
    )
