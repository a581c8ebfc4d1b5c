"""The node's state in words of the request's language. Vietnamese stands here, English in `translations/en`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext, ngettext

from firmware_py.core import contracts
from firmware_py.core.clock import parse_iso
from firmware_py.core.events import Event
from firmware_py.core.ports import DeviceStatus, OutboxFigures
from firmware_py.look import numerals

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86400


def clock_time(iso_time: str, zone: ZoneInfo) -> str:
    """An ISO time as the hall's clocks show it, `08:42:05`; with the date where it is not today's."""
    local = parse_iso(iso_time).astimezone(zone)
    if local.date() == datetime.now(zone).date():
        return local.strftime("%H:%M:%S")
    return local.strftime("%H:%M:%S %d/%m/%Y")


def hall_time(iso_time: str, zone: ZoneInfo) -> str:
    """An ISO time in a sentence, `08:42`; with the date where it is not today's."""
    local = parse_iso(iso_time).astimezone(zone)
    text = numerals.clock(local.time())
    return text if local.date() == datetime.now(zone).date() else f"{text} {numerals.day(local)}"


def span(seconds: float) -> str:
    """A length of time in its largest unit: `5 giây`, `3 phút`."""
    if seconds < MINUTE_S:
        return ngettext("%(num)d giây", "%(num)d giây", int(seconds))
    if seconds < HOUR_S:
        return ngettext("%(num)d phút", "%(num)d phút", int(seconds // MINUTE_S))
    if seconds < DAY_S:
        return ngettext("%(num)d giờ", "%(num)d giờ", int(seconds // HOUR_S))
    return ngettext("%(num)d ngày", "%(num)d ngày", int(seconds // DAY_S))


def device_words(status: DeviceStatus) -> str:
    """How a device is, in one sentence."""
    if not status.available:
        return status.reason
    if status.light == "thanks":
        return gettext("Cảm ơn! Đã ghi nhận.")
    if status.light == "unavailable":
        return gettext("Tạm thời không nhận đánh giá.")
    return gettext("Sẵn sàng, mời bấm.")


def frame_line(frame: Mapping[str, Any]) -> str:
    """A frame on a simulated wire as one line, its time first.

    What is polled again and again has no time: the line would never stand still. No words here: they would stand in a
    monospace type, which few systems have with Vietnamese marks.
    """
    when = f"{frame['uptime_s']:11.3f}" if frame["times"] == 1 else "…".rjust(11)
    return f"{when}  {'→' if frame['direction'] == 'to_panel' else '←'}  {frame['text']}"


def excluded_words(reason: str, count: int) -> str:
    """How many ratings were kept but not counted, and why."""
    why = {
        "repeat": gettext("bấm lại cùng một mức"),
        "lockout": gettext("bấm quá sớm sau lượt trước"),
        "superseded": gettext("đã có lượt bấm mới hơn"),
        "outside_opening_hours": gettext("ngoài giờ làm việc"),
    }.get(reason, reason)
    return ngettext("Không tính %(num)d lượt: %(why)s", "Không tính %(num)d lượt: %(why)s", count, why=why)


def outbox_words(figures: OutboxFigures, zone: ZoneInfo) -> str:
    """What the city lacks, and what becomes of it."""
    if figures.pending:
        text = ngettext("%(num)d mục số liệu đang chờ gửi", "%(num)d mục số liệu đang chờ gửi", figures.pending)
        if figures.oldest_age_s is not None:
            text += gettext(", cũ nhất %(age)s", age=span(figures.oldest_age_s))
        text += gettext(". Dữ liệu được giữ lại.")
    elif figures.last_accepted_at is None:
        text = gettext("Chưa có gì để gửi.")
    else:
        text = gettext("Thành phố đã nhận hết, lần cuối lúc %(time)s.", time=clock_time(figures.last_accepted_at, zone))
    if figures.rejected:
        text += " " + ngettext(
            "%(num)d mục bị thành phố từ chối, cần người kiểm tra.",
            "%(num)d mục bị thành phố từ chối, cần người kiểm tra.",
            figures.rejected,
        )
    return text


def event_words(event: Event, counters: Mapping[str, str]) -> str | None:
    """An event for the live list; None for what is no news. A vote's level is never told, nor which button failed."""
    if event.type == contracts.NODE_TICK:
        return None
    if event.type in {contracts.RATING_GIVEN, contracts.RATING_PLACED}:
        identity = str(event.data.get("counter", ""))
        name = counters.get(identity, identity)
        if event.type == contracts.RATING_GIVEN:
            return gettext("%(counter)s: đã ghi nhận một lượt đánh giá", counter=name)
        return gettext("%(counter)s: một lượt đánh giá được xếp vào đúng giờ", counter=name)
    return _device_news(event) or _node_news(event)


def _device_news(event: Event) -> str | None:
    device = event.data.get("device")
    if event.type == contracts.DEVICE_AVAILABLE:
        return gettext("%(device)s: sẵn sàng", device=device)
    if event.type == contracts.DEVICE_UNAVAILABLE:
        return gettext("%(device)s: %(reason)s", device=device, reason=event.data.get("reason"))
    if event.type == contracts.BUTTON_RECOVERED:
        return gettext("%(device)s: một nút dùng lại được", device=device)
    if event.type == contracts.BUTTON_FAULTED:
        if event.data.get("fault") == "stuck":
            return gettext("%(device)s: một nút bị kẹt, tạm ngắt nút này", device=device)
        return gettext("%(device)s: một nút rung liên tục, tạm ngắt nút này", device=device)
    return None


def _node_news(event: Event) -> str:
    if event.type == contracts.NODE_STARTED:
        return gettext("Bộ điều khiển khởi động, phiên bản %(version)s", version=event.data.get("version"))
    if event.type == contracts.EFFECT_SKIPPED:
        return gettext("Bỏ qua một tín hiệu đã quá hạn")
    plain = {
        contracts.NODE_STOPPED: gettext("Bộ điều khiển dừng"),
        contracts.SITE_OPENED: gettext("Trung tâm mở cửa"),
        contracts.SITE_CLOSED: gettext("Trung tâm đóng cửa"),
        contracts.CLOCK_TRUSTED: gettext("Đồng hồ đã đúng giờ"),
    }
    return plain.get(event.type) or gettext("Sự kiện khác: %(type)s", type=event.type)
