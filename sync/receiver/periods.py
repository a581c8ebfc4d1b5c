"""Days and periods: days are Vietnam's, figures are whole hours, and an interval means the hours that it touches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from firmware_py.core.clock import iso_hour, parse_iso

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
FIRST_YEAR, LAST_YEAR = 2000, 2199
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
#: The longest period whose days are told one by one; each is a part of one query.
MOST_DAYS = 366
PEOPLES_DATE = re.compile(r"(?P<day>[0-9]{1,2})/(?P<month>[0-9]{1,2})/(?P<year>[0-9]{4})")

PeriodName = Literal["today", "7d", "30d", "month", "all"]
PERIODS: tuple[PeriodName, ...] = get_args(PeriodName)


@dataclass(frozen=True, slots=True)
class Span:
    """Whole hours, as buckets name them: `start <= hour < end`; None is open."""

    start: str | None = None
    end: str | None = None

    def covers(self, moment: datetime) -> bool:
        """Whether a moment's hour is one of them."""
        hour = iso_hour(moment)
        return (self.start is None or self.start <= hour) and (self.end is None or hour < self.end)


def day_of(moment: datetime) -> date:
    """The day in Vietnam that a moment belongs to."""
    return moment.astimezone(ZONE).date()


def day_start(day: date) -> datetime:
    """When a day begins in Vietnam, in UTC."""
    return datetime.combine(day, time.min, ZONE).astimezone(UTC)


def day_end(day: date) -> datetime:
    """When a day has ended in Vietnam, in UTC: the next one's start."""
    return day_start(day + DAY)


def span_of(from_text: str | None, to_text: str | None) -> Span:
    """The whole hours that an interval touches. A date is a day in Vietnam; `to` as a date includes that day.

    Raises:
        ValueError: not ISO 8601, a time without its zone, or an interval that does not run forward.
    """
    start = _edge(from_text, "from", timedelta()) if from_text is not None else None
    end = _edge(to_text, "to", DAY) if to_text is not None else None
    if start is not None and end is not None and end <= start:
        raise ValueError("`to` must be later than `from`")
    return Span(
        iso_hour(start) if start is not None else None,
        _hour_after(end) if end is not None else None,
    )


def period_span(period: PeriodName, today: date) -> Span:
    """A named period: it ends with today, which is part of it."""
    match period:
        case "all":
            return Span()
        case "today":
            first = today
        case "7d":
            first = today - 6 * DAY
        case "30d":
            first = today - 29 * DAY
        case "month":
            first = today.replace(day=1)
    return Span(iso_hour(day_start(first)), iso_hour(day_end(today)))


def days_of(span: Span, today: date) -> list[date] | None:
    """The days in Vietnam that a span touches, oldest first, none after today.

    None: more than `MOST_DAYS`, or without a beginning; such a period is not told day by day.
    """
    if span.start is None:
        return None
    first = day_of(parse_iso(span.start))
    last = today if span.end is None else min(today, day_of(parse_iso(span.end) - HOUR))
    count = (last - first).days + 1
    if count > MOST_DAYS:
        return None
    return [first + timedelta(days=number) for number in range(count)]


def span_json(span: Span) -> dict[str, str | None]:
    """Which hours an answer covers."""
    return {"from": span.start, "to": span.end}


def _hour_after(end: datetime) -> str:
    """The first whole hour that an interval ending at `end` no longer touches."""
    whole = end.replace(minute=0, second=0, microsecond=0)
    return iso_hour(whole if whole == end else whole + HOUR)


def _edge(text: str, name: str, after_date: timedelta) -> datetime:
    try:
        day = _date(text)
        edge = parse_iso(text) if day is None else datetime.combine(day, time.min, ZONE) + after_date
        in_range = FIRST_YEAR <= edge.astimezone(UTC).year <= LAST_YEAR
    except (ValueError, OverflowError) as error:
        raise ValueError(_edge_help(name)) from error
    if not in_range:
        raise ValueError(_edge_help(name))
    return edge.astimezone(UTC)


def _date(text: str) -> date | None:
    """A date as machines write it, or as people here do; None: it is none.

    Raises:
        ValueError: it looks like a date and is none.
    """
    if match := PEOPLES_DATE.fullmatch(text):
        return date(int(match["year"]), int(match["month"]), int(match["day"]))
    return date.fromisoformat(text) if len(text) == len("2026-11-23") else None


def _edge_help(name: str) -> str:
    return (
        f"`{name}` must be a date (2026-11-23 or 23/11/2026, a day in Vietnam) or a time with its zone "
        f"(2026-11-23T01:00:00Z; write + as %2B in an address), from {FIRST_YEAR} to {LAST_YEAR}"
    )
