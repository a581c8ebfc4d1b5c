"""When the centre is open: the site file's spans of local time, public holidays, and what was announced otherwise.

The order of who wins on one date: `open` dates, `closed` dates, public holidays, then the weekday's spans.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from config.settings import WEEKDAYS, SiteSettings
from config.spans import Minutes

CLOSED_AS_ANNOUNCED = "Nghỉ theo thông báo"
CLOSED_EVERY_WEEK = "Ngày nghỉ hằng tuần"

_DAY = timedelta(days=1)
_SOON = timedelta(days=8)
_HORIZON = timedelta(days=400)
#: The library closes 24/11 from 2026 on; no decision that binds a centre was found. Counting on a day when nobody comes harms
#: nobody, excluding a day's votes does: a centre that closes then says so in `closed`.
_UNVERIFIED = frozenset({(11, 24)})
_DAYS_KEPT = 1000  # answers in memory: about as many days as a year's looking ahead and back touches

Span = tuple[datetime, datetime]
"""Start and end in UTC; the end is not part of the span."""


class OpeningHours:
    """The opening hours of one site. Callable from any thread; the same date always gets the same answer."""

    def __init__(self, site: SiteSettings) -> None:
        self._zone = ZoneInfo(site.timezone)
        self._holidays = site.holidays
        self._holiday_names: dict[int, Mapping[date, str]] = {}
        self._kept: dict[date, tuple[Span, ...]] = {}
        self._week: list[tuple[Minutes, ...]] = [
            tuple(sorted(span for entry in site.opening if day in entry.days for span in entry.minutes()))
            for day in WEEKDAYS
        ]

    def is_open(self, utc: datetime) -> bool:
        """Whether the centre is open at a moment. A moment at which it closes is closed.

        Raises:
            ValueError: the moment has no zone.
        """
        return any(start <= utc < end for start, end in self._around(utc, utc))

    def spans(self, start_utc: datetime, end_utc: datetime) -> list[Span]:
        """The open spans from one moment to another: merged where they touch, clipped, in order.

        Raises:
            ValueError: a moment has no zone.
        """
        merged: list[Span] = []
        for start, end in self._around(start_utc, end_utc):
            first, last = max(start, start_utc.astimezone(UTC)), min(end, end_utc.astimezone(UTC))
            if first >= last:  # outside, or inside the hour that a change to summer time leaves out
                continue
            if merged and merged[-1][1] == first:
                merged[-1] = (merged[-1][0], last)
            else:
                merged.append((first, last))
        return merged

    def next_change(self, utc: datetime) -> datetime | None:
        """When the centre next opens or closes, after a moment; None if not within 400 days.

        Raises:
            ValueError: the moment has no zone.
        """
        return self._change_within(utc, _SOON) or self._change_within(utc, _HORIZON)

    def is_closed_day(self, day: date) -> str | None:
        """Why the centre is closed all day on a local date, in Vietnamese for people; None if it opens."""
        if day in self._holidays.open:
            return None
        if day in self._holidays.closed:
            return CLOSED_AS_ANNOUNCED
        if name := self._holiday(day):
            return name
        return None if self._week[day.weekday()] else CLOSED_EVERY_WEEK

    def _change_within(self, utc: datetime, ahead: timedelta) -> datetime | None:
        horizon = utc.astimezone(UTC) + ahead
        spans = self.spans(utc, horizon)
        if not spans:
            return None
        start, end = spans[0]
        change = start if start > utc else end
        return change if change < horizon else None

    def _around(self, start_utc: datetime, end_utc: datetime) -> Iterator[Span]:
        """The spans of every local date that can touch the time between two moments, in order.

        Yesterday's can: where a change to summer time leaves out midnight, the end of a day falls into the next.
        """
        if start_utc.tzinfo is None or end_utc.tzinfo is None:
            raise ValueError("a moment without a zone belongs to no opening hours; give it in UTC")
        day = start_utc.astimezone(self._zone).date() - _DAY
        last = end_utc.astimezone(self._zone).date()
        while day <= last:
            yield from self._on(day)
            day += _DAY

    def _on(self, day: date) -> tuple[Span, ...]:
        kept = self._kept.get(day)
        if kept is None:
            if len(self._kept) >= _DAYS_KEPT:
                self._kept.clear()
            kept = self._kept[day] = tuple(self._reckon(day))
        return kept

    def _reckon(self, day: date) -> Iterator[Span]:
        if self.is_closed_day(day) is not None:
            return
        for start_min, end_min in self._minutes(day):
            yield self._utc(day, start_min), self._utc(day, end_min)

    def _minutes(self, day: date) -> tuple[Minutes, ...]:
        """The weekday's spans; on an `open` date whose weekday has none, those of the nearest weekday that has.

        Saturday works as Friday and Sunday as Monday; of two equally near, the earlier in the week's order of days.
        """
        weekday = day.weekday()
        nearest_first = sorted(range(len(WEEKDAYS)), key=lambda other: (_days_apart(weekday, other), other))
        return next(self._week[other] for other in nearest_first if self._week[other])

    def _utc(self, day: date, minute: int) -> datetime:
        """A local time in UTC. The minutes are the wall clock's, also on the day of a change to summer time."""
        whole_days, left = divmod(minute, 24 * 60)
        local = datetime(day.year, day.month, day.day, left // 60, left % 60, tzinfo=self._zone)
        return (local + whole_days * _DAY).astimezone(UTC)

    def _holiday(self, day: date) -> str | None:
        if self._holidays.country != "VN":
            return None
        if day.year not in self._holiday_names:
            # 11 MB and 0.2 s, so not before it is asked for; a site without holidays never pays.
            from holidays import country_holidays  # noqa: PLC0415 - the reason above

            self._holiday_names[day.year] = dict(country_holidays("VN", years=day.year, language="vi").items())
        if (day.month, day.day) in _UNVERIFIED:
            return None
        return self._holiday_names[day.year].get(day)


def _days_apart(one: int, other: int) -> int:
    """Between two weekdays, around the week: Sunday and Monday are one apart."""
    return min((one - other) % len(WEEKDAYS), (other - one) % len(WEEKDAYS))
