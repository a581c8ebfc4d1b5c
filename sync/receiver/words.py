"""The scoreboard in words of the request's language. Vietnamese stands here, English in `translations/en`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from flask_babel import get_locale, gettext, lazy_gettext, ngettext

from firmware_py.look.numerals import number, percent
from sync.receiver.days import DayStatus
from sync.receiver.figures import DeviceKey, Figures, Operation, Ratings
from sync.receiver.periods import ZONE, PeriodName, day_of
from sync.receiver.scoreboard import DayCounts, DeviceLine, Need
from sync.receiver.silence import NodeSilence

MINUTE_MS = 60_000
HOUR_MIN = 60

#: The face that was pressed, 1 the most unhappy of five.
FACE_WORDS = {
    1: lazy_gettext("Rất không hài lòng"),
    2: lazy_gettext("Không hài lòng"),
    3: lazy_gettext("Bình thường"),
    4: lazy_gettext("Hài lòng"),
    5: lazy_gettext("Rất hài lòng"),
}
PERIOD_WORDS: Mapping[PeriodName, object] = {
    "today": lazy_gettext("Hôm nay"),
    "7d": lazy_gettext("7 ngày"),
    "30d": lazy_gettext("30 ngày"),
    "month": lazy_gettext("Tháng này"),
    "all": lazy_gettext("Từ đầu"),
}
STATUS_WORDS: Mapping[DayStatus, object] = {
    "provisional": lazy_gettext("tạm tính"),
    "final": lazy_gettext("đã chốt"),
    "late": lazy_gettext("bổ sung muộn"),
    "closed": lazy_gettext("không mở cửa"),
}
REASON_WORDS = {
    "repeat": lazy_gettext("bấm lại cùng một mức"),
    "lockout": lazy_gettext("bấm quá sớm sau lượt trước"),
    "superseded": lazy_gettext("đã có lượt bấm mới hơn"),
    "outside_opening_hours": lazy_gettext("ngoài giờ làm việc"),
}


def language() -> str:
    """The request's language."""
    return str(get_locale())


def count(value: int) -> str:
    """A whole number as the language writes it."""
    return number(value, language())


def share(ratio: float) -> str:
    """A share in whole per cent."""
    return percent(ratio, language())


def day_text(day: date) -> str:
    """23/11/2026, in both languages: this is a Vietnamese city."""
    return day.strftime("%d/%m/%Y")


def clock_text(moment: datetime, now: datetime) -> str:
    """08:42 today, 08:42 23/11/2026 otherwise."""
    local = moment.astimezone(ZONE)
    return local.strftime("%H:%M") if day_of(moment) == day_of(now) else local.strftime("%H:%M %d/%m/%Y")


def lasted(ms: int) -> str:
    """A length of time: `2 giờ 10 phút`."""
    minutes = ms // MINUTE_MS
    if minutes < 1:
        return gettext("chưa đến 1 phút")
    hours, left = divmod(minutes, HOUR_MIN)
    parts = []
    if hours:
        parts.append(ngettext("%(hours)s giờ", "%(hours)s giờ", hours, hours=count(hours)))
    if left:
        parts.append(ngettext("%(num)d phút", "%(num)d phút", left))
    return " ".join(parts)


def basis(ratings: Ratings, operation: Operation) -> str:
    """What stands behind a rate: `n = 143, thiết bị hoạt động 99 %`."""
    ratio = operation.availability_ratio
    if ratio is None:
        return gettext("n = %(n)s, chưa rõ thiết bị hoạt động bao lâu", n=count(ratings.n))
    return gettext("n = %(n)s, thiết bị hoạt động %(share)s", n=count(ratings.n), share=share(ratio))


def why_no_rate(ratings: Ratings) -> str:
    """Why there is no rate: no data, or not all of it."""
    if any(ratings.by_level.values()):
        return gettext("Dữ liệu đang về, chưa đủ để tính tỷ lệ")
    return gettext("Chưa có dữ liệu")


def opening_words(figures: Figures) -> str:
    """The opening hours behind the figures, and of how much of them nobody knows anything."""
    opening, ratio = figures.opening, figures.opening.unknown_ratio
    if ratio is None:
        return gettext("Chưa biết giờ mở cửa nào.")
    text = gettext("Đã theo dõi %(lasted)s mở cửa.", lasted=lasted(_longest_ms(figures)))
    if opening.unknown_ms > 0:
        why = gettext("bộ điều khiển mất điện hoặc ngừng chạy")
        text += " " + gettext("Trong đó %(share)s không rõ tình trạng (%(why)s).", share=share(ratio), why=why)
    return text


def _longest_ms(figures: Figures) -> int:
    """Opening hours of the node that told of most: several nodes of one site are open at the same time."""
    return max((its.up_ms + its.unknown_ms for its in figures.node_opening.values()), default=0)


def days_words(days: DayCounts | None) -> str:
    """What of the period's days is out of the ordinary; nothing where all but the last are final."""
    if days is None:
        return ""
    parts = []
    if days.provisional_past:
        parts.append(ngettext("%(num)d ngày còn tạm tính", "%(num)d ngày còn tạm tính", days.provisional_past))
    if days.late:
        parts.append(ngettext("%(num)d ngày bổ sung muộn", "%(num)d ngày bổ sung muộn", days.late))
    return " · ".join(parts)


def seen_words(last_seen: datetime | None, now: datetime) -> str:
    """When the city last heard something."""
    return gettext("Chưa nhận lần nào") if last_seen is None else clock_text(last_seen, now)


def node_words(silence: NodeSilence, now: datetime) -> str:
    """How it stands with a node, in one sentence."""
    if silence.since is None:
        return gettext("Chưa gửi dữ liệu lần nào.")
    when = clock_text(silence.since, now)
    if silence.state == "heard":
        return gettext("Đang liên lạc, nhận lần cuối lúc %(time)s.", time=when)
    if silence.state == "quiet":
        return gettext("Ngoài giờ mở cửa, nhận lần cuối lúc %(time)s.", time=when)
    text = gettext("Mất liên lạc với trung tâm từ %(time)s.", time=when)
    if silence.missed_ms:
        text += " " + gettext("Đã qua %(lasted)s mở cửa mà không có tin.", lasted=lasted(silence.missed_ms))
    return text


def device_words(line: DeviceLine, silence: NodeSilence, now: datetime) -> str:
    """What a device's silence, or its figures, mean, in one sentence."""
    if line.state == "lost":
        if silence.since is None:
            return gettext("Chưa có tin nào từ trung tâm.")
        when = clock_text(silence.since, now)
        return gettext("Mất liên lạc với trung tâm từ %(time)s, không biết thiết bị ra sao.", time=when)
    if line.state == "unavailable":
        out = lasted(line.operation.unavailable_ms)
        return gettext("Thiết bị hỏng hoặc không sẵn sàng %(lasted)s trong giờ mở cửa.", lasted=out)
    plain = {
        "unused": gettext("Thiết bị hoạt động, chưa có ai đánh giá."),
        "working": gettext("Thiết bị hoạt động."),
        "closed": gettext("Không có giờ mở cửa nào trong kỳ này."),
        "untold": gettext("Trung tâm mở cửa, nhưng không có tin về thiết bị này."),
    }
    return plain[line.state]


def need_words(need: Need, now: datetime) -> str:
    """What needs a person, and why: the rest of a sentence that begins with the site's name."""
    if need.kind == "never":
        return gettext("Nút %(node)s chưa gửi dữ liệu lần nào.", node=need.node)
    if need.kind == "lost" and need.since is not None:
        text = gettext("Mất liên lạc với trung tâm từ %(time)s.", time=clock_text(need.since, now))
        return text + " " + gettext("Dữ liệu từ lúc đó chưa về; kiểm tra điện và mạng của trung tâm.")
    device = device_name(need.device) if need.device else need.node
    out = lasted(need.lasted_ms)
    if need.is_over:
        return gettext("%(device)s đã hoạt động lại sau %(lasted)s không sẵn sàng hôm nay.", device=device, lasted=out)
    return gettext(
        "%(device)s hỏng hoặc không sẵn sàng %(lasted)s trong giờ mở cửa hôm nay.", device=device, lasted=out
    )


def device_name(key: DeviceKey) -> str:
    """A device where people look for it: at its counter."""
    if key.counter is None:
        return key.device
    return gettext("Quầy %(counter)s (%(device)s)", counter=key.counter, device=key.device)


def reason_words(reason: str) -> str:
    """Why presses were kept and not counted; a reason that a newer node invented, as it is."""
    return str(REASON_WORDS.get(reason, reason))
