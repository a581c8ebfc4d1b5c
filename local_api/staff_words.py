"""The staff's page in words of the request's language, and in figures for machines: one model, shown first by the
template and later by the page's script.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask_babel import get_locale, gettext, ngettext

from config.settings import Settings
from firmware_py.core.ports import DeviceStatus, OutboxFigures
from firmware_py.features.ratings.disclosure import GROUP
from firmware_py.features.ratings.figures import Counts, added, satisfaction_of
from firmware_py.features.ratings.scale import SCALES
from firmware_py.look import numerals
from firmware_py.look.faces import MOUTHS
from local_api.attention import device_name, notices
from local_api.faces import WORDS
from local_api.reasons import reason_words
from local_api.staff_model import Bar, CityPath, CounterCard, DeviceRow, FaceCount, TodayAnswer
from local_api.today import CounterDay, Facts, PastDay
from local_api.words import excluded_words, hall_time, span


def today_answer(facts: Facts, settings: Settings) -> TodayAnswer:
    """`facts` in the request's language."""
    zone = ZoneInfo(settings.site.timezone)
    names = {counter.id: counter.name for counter in settings.counters}
    levels = settings.ratings.levels
    attention = notices(facts.checks, facts.devices, facts.refusing, names, zone)
    return TodayAnswer(
        shape=_shape(facts, settings),
        day=_day_words(facts.day),
        time=numerals.clock(facts.now.time()),
        opening=_opening_words(facts),
        fine=not attention,
        group=GROUP,
        notices=attention,
        counters=[_card(one, names.get(one.counter, one.counter), levels) for one in facts.counters],
        centre=_centre(facts.counters, levels),
        devices=[_device_row(device, names, zone) for device in facts.devices],
        city=_city(facts.outbox, zone),
        hours=[_hour(start, n) for start, n in facts.hours],
        days=[_day(one, facts.day) for one in facts.days],
    )


def _shape(facts: Facts, settings: Settings) -> str:
    counters = [one.counter for one in facts.counters]
    return repr((counters, [device.id for device in facts.devices], settings.ratings.levels))


def _day_words(day: date | None) -> str:
    if day is None:
        return gettext("Hôm nay")
    weekday = format_date(day, "EEEE", locale=_language())
    if _language() == "vi":
        weekday = weekday[0].lower() + weekday[1:]  # thứ Ba: CLDR writes it as at the beginning of a sentence
    return gettext("Hôm nay, %(weekday)s %(date)s", weekday=weekday, date=numerals.day(day))


def _opening_words(facts: Facts) -> str:
    if facts.is_open:
        if facts.open_until is None:
            return gettext("Đang mở cửa")
        return gettext("Đang mở cửa đến %(time)s", time=_when(facts.open_until, facts.now))
    if facts.opens_at is None:
        return gettext("Đang đóng cửa")
    return gettext("Đang đóng cửa, mở lại lúc %(time)s", time=_when(facts.opens_at, facts.now))


def _when(moment: datetime, now: datetime) -> str:
    text = numerals.clock(moment.time())
    return text if moment.date() == now.date() else f"{text} {numerals.day(moment)}"


def _language() -> str:
    return str(get_locale())


class _Rate(NamedTuple):
    """A rate as a ratio and as text, and the n it stands on."""

    ratio: float | None
    text: str
    n: int


def _rate(shown: Counts | None) -> _Rate:
    if shown is None:
        return _Rate(None, "", 0)
    found = satisfaction_of(shown)
    ratio = found.rate_ratio
    return _Rate(ratio, "" if ratio is None else numerals.percent(ratio, _language()), found.n)


def _card(one: CounterDay, name: str, levels: int) -> CounterCard:
    notes = [excluded_words(reason, count) for reason, count in one.excluded.items()]
    if one.corrected:
        notes.append(ngettext("Đã sửa lại: %(num)d lượt", "Đã sửa lại: %(num)d lượt", one.corrected))
    return _card_of(one.counter, name, one.n, one.shown, levels, " · ".join(notes))


def _centre(counters: Sequence[CounterDay], levels: int) -> CounterCard:
    shown = added(one.shown for one in counters if one.shown is not None)
    return _card_of(None, gettext("Cả trung tâm"), sum(one.n for one in counters), shown or None, levels)


def _card_of(counter: str | None, name: str, n: int, shown: Counts | None, levels: int, notes: str = "") -> CounterCard:
    rate = _rate(shown)
    return CounterCard(
        counter=counter,
        name=name,
        n=n,
        n_text=ngettext("%(count)s lượt hôm nay", "%(count)s lượt hôm nay", n, count=numerals.number(n, _language())),
        rate_ratio=rate.ratio,
        rate_n=rate.n,
        rate=rate.text,
        rate_note=_rate_note(n, rate),
        faces=_faces(shown, levels),
        notes=notes,
    )


def _rate_note(n: int, rate: _Rate) -> str:
    """Why there is no rate, or on how many it stands."""
    if rate.ratio is not None:
        return gettext("hài lòng (n = %(n)s)", n=numerals.number(rate.n, _language()))
    if n == 0:
        return gettext("Chưa có dữ liệu")
    return gettext("Chưa đủ %(num)d lượt để hiện tỷ lệ", num=GROUP)


def _faces(shown: Counts | None, levels: int) -> list[FaceCount]:
    """A bar's faces, best first. What was answered on a scale of another length today stands under its own mouths."""
    by_mouth: Counter[int] = Counter()
    for answer, count in (shown or {}).items():
        by_mouth[MOUTHS[SCALES[answer.definition].levels][answer.level - 1]] += count
    whole = sum(by_mouth.values())
    found: list[FaceCount] = []
    start = 0.0
    for mouth in sorted({*MOUTHS[levels], *by_mouth}, reverse=True):
        n = by_mouth[mouth]
        width = 100 * n / whole if whole else 0.0
        n_text = numerals.number(n, _language()) if whole else ""
        found.append(
            FaceCount(
                mouth=mouth,
                word=str(WORDS[mouth]),
                n=n,
                n_text=n_text,
                start=round(start, 2),
                width=round(width, 2),
            )
        )
        start += width
    return found


def _city(outbox: OutboxFigures, zone: ZoneInfo) -> CityPath:
    return CityPath(
        text=_city_words(outbox),
        pending=outbox.pending,
        pending_text=ngettext(
            "%(count)s mục", "%(count)s mục", outbox.pending, count=numerals.number(outbox.pending, _language())
        ),
        oldest="–" if outbox.oldest_age_s is None else span(outbox.oldest_age_s),
        accepted=gettext("Chưa lần nào")
        if outbox.last_accepted_at is None
        else hall_time(outbox.last_accepted_at, zone),
    )


def _city_words(outbox: OutboxFigures) -> str:
    if outbox.pending:
        return gettext("Đang chờ gửi, dữ liệu được giữ lại")
    return gettext("Chưa có gì để gửi") if outbox.last_accepted_at is None else gettext("Thành phố đã nhận hết")


def _device_row(device: DeviceStatus, names: Mapping[str, str], zone: ZoneInfo) -> DeviceRow:
    words = reason_words(device.reason)
    if not device.available:
        state, todo = gettext("Không dùng được"), words.text
    elif device.faults:
        state = ngettext("%(num)d nút tạm ngắt", "%(num)d nút tạm ngắt", len(device.faults))
        todo = gettext("Hãy xem các nút có bị kẹt không và lau bụi quanh nút.")
    else:
        state, todo = gettext("Sẵn sàng"), ""
    return DeviceRow(
        id=device.id,
        name=device_name(device, names),
        available=device.available,
        needs=not device.available or bool(device.faults),
        state=state,
        since=hall_time(device.since, zone) if device.since else "–",
        todo=todo,
        vietnamese=not device.available and not words.translated,
    )


def _hour(start: datetime, n: int) -> Bar:
    title = f"{numerals.clock(start.time())} – {(start.hour + 1):02d}:{start.minute:02d}"
    return Bar(title=title, label=f"{start.hour:02d}", n=n, n_text=numerals.number(n, _language()))


def _day(one: PastDay, today: date | None) -> Bar:
    rate = _rate(one.shown)
    title = numerals.day(one.day)
    if one.day == today:
        title = gettext("%(date)s (hôm nay)", date=title)
    text = "–"
    if rate.ratio is not None:
        text = f"{rate.text} (n = {numerals.number(rate.n, _language())})"
    return Bar(
        title=title,
        label=numerals.day_short(one.day),
        n=one.n,
        n_text=numerals.number(one.n, _language()),
        rate_ratio=rate.ratio,
        rate_percent="" if rate.ratio is None else str(round(100 * rate.ratio)),
        rate_text=text,
    )
