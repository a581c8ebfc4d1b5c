"""What the staff's page knows: the day's ratings, devices, checks and the path to the city, without any words.

Many pages may look at once and the journal may be years old: the day is read again only when something was committed, the
days before at most once a minute, the checks every few seconds, and all who look share what was read.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from config.opening import OpeningHours
from firmware_py.core.clock import iso_hour, parse_iso
from firmware_py.core.errors import JournalError
from firmware_py.core.health import CheckResult
from firmware_py.core.ports import DeviceStatus, NodePort, OutboxFigures
from firmware_py.features.ratings import releases
from firmware_py.features.ratings.figures import (
    Cell,
    Counts,
    Sums,
    added,
    by_counter,
    by_day,
    day_span,
    read_sums,
    total,
)
from firmware_py.features.ratings.releases import Place, Releases

HISTORY_DAYS = 14
CHECKS_S = 2.0
HISTORY_S = 60.0
FRESH_S = 0.1  # those who look within this time see the same; a press waits no longer
WRITE_S = 5.0
_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CounterDay:
    """A counter's day: how many rated, live; and how, as far as it was released (None: not yet)."""

    counter: str
    n: int
    corrected: int
    excluded: dict[str, int]
    shown: Counts | None


@dataclass(frozen=True, slots=True)
class PastDay:
    """The whole centre on one day."""

    day: date
    n: int
    shown: Counts | None


@dataclass(frozen=True, slots=True)
class Facts:
    """One look at the node. `day` is None while nobody knows what day it is; then there are no figures either."""

    now: datetime  # in the site's zone
    day: date | None
    open_until: datetime | None  # None: closed, or no change is known
    opens_at: datetime | None
    is_open: bool
    refusing: str | None
    checks: Sequence[CheckResult]
    devices: Sequence[DeviceStatus]
    outbox: OutboxFigures
    counters: Sequence[CounterDay]
    hours: Sequence[tuple[datetime, int]]  # each closed hour's start, and how many rated in it
    days: Sequence[PastDay]


@dataclass(frozen=True, slots=True)
class _Day:
    """Today's ratings as they were read."""

    sums: dict[Cell, Sums]
    shown: Releases


class TodayBoard:
    """Looks at a node; callable from any thread."""

    def __init__(self, node: NodePort) -> None:
        self._node = node
        self._zone = ZoneInfo(node.settings.site.timezone)
        self._calendar = OpeningHours(node.settings.site)
        self._simulated = node.settings.site.mode == "simulation"
        self._lock = threading.Lock()
        self._checks = _Kept[Sequence[CheckResult]](CHECKS_S)
        self._past = _Kept[dict[date, PastDay]](HISTORY_S)
        self._today = _Kept[_Day](HISTORY_S)
        self._facts = _Kept[Facts](FRESH_S)

    def look(self) -> Facts:
        """How it is now."""
        with self._lock:
            return self._facts.get(None, self._look)

    def _look(self) -> Facts:
        node = self._node
        moment = node.clock.now()
        now = moment.utc.astimezone(self._zone)
        day = now.date() if moment.trusted else None
        change = self._calendar.next_change(moment.utc)
        is_open = self._calendar.is_open(moment.utc)
        change = change.astimezone(self._zone) if change is not None else None
        today = self._today.get((day, node.journal.bus.head), lambda: self._read_today(day))
        return Facts(
            now=now.replace(second=0, microsecond=0),
            day=day,
            open_until=change if is_open else None,
            opens_at=None if is_open else change,
            is_open=is_open,
            refusing=node.ready(),
            checks=self._checks.get(None, node.health),
            devices=node.devices.statuses(),
            outbox=node.outbox(),
            counters=self._counters(day, today),
            hours=self._hours(now, today) if day is not None else (),
            days=self._days(day, today) if day is not None else (),
        )

    def _read_today(self, day: date | None) -> _Day:
        return _Day({}, {}) if day is None else self._read(day, day)

    def _read(self, first: date, last: date) -> _Day:
        """Some days' sums, and what may be shown of them; what became due is released, durably, before it is shown."""
        reader = self._node.journal.reader()
        start, end = day_span(first, self._zone)[0], day_span(last, self._zone)[1]
        sums = read_sums(reader, start, end, simulated=self._simulated)
        counted = {
            Place(day, counter): dict(whole.counts)
            for day, cells in by_day(sums, self._zone).items()
            for counter, whole in by_counter(cells).items()
        }
        shown = releases.read_releases(reader, first, last, simulated=self._simulated)
        if due := releases.due(shown, counted):
            try:
                self._node.journal.run(lambda tx: releases.keep(tx, due, simulated=self._simulated)).result(WRITE_S)
            except (JournalError, TimeoutError) as error:
                _log.warning("figures stay as they were: %s", error)
            else:
                shown = releases.read_releases(reader, first, last, simulated=self._simulated)
        return _Day(sums, shown)

    def _counters(self, day: date | None, today: _Day) -> Sequence[CounterDay]:
        """Every counter of the site file, in its order, and whatever else was rated today."""
        whole = by_counter(today.sums)
        known = [counter.id for counter in self._node.settings.counters]
        names = [*known, *sorted(whole.keys() - set(known))]
        return [
            CounterDay(
                counter=name,
                n=total(sums.counts),
                corrected=sums.corrected,
                excluded={reason: count for reason, count in sorted(sums.excluded.items()) if count},
                shown=today.shown.get(Place(day, name)) if day is not None else None,
            )
            for name in names
            for sums in [whole.get(name, Sums())]
        ]

    def _hours(self, now: datetime, today: _Day) -> Sequence[tuple[datetime, int]]:
        """The hours that are over: those in which the centre was open, and those in which somebody rated."""
        start, this_hour = day_span(now.date(), self._zone)[0], parse_iso(iso_hour(now))
        counts: dict[datetime, int] = {}
        for opened, closed in self._calendar.spans(start, this_hour):
            hour = parse_iso(iso_hour(opened))
            while hour < closed:
                counts[hour] = 0
                hour += timedelta(hours=1)
        for cell, sums in today.sums.items():
            hour = parse_iso(cell.hour)
            if hour < this_hour and sums.counts:
                counts[hour] = counts.get(hour, 0) + total(sums.counts)
        return [(hour.astimezone(self._zone), count) for hour, count in sorted(counts.items())]

    def _days(self, today: date, read: _Day) -> Sequence[PastDay]:
        """The newest days, today the last of them; a day of which nothing is known is there too, with nobody."""
        first = today - timedelta(days=HISTORY_DAYS - 1)
        past = self._past.get(today, lambda: self._read_past(first, today - timedelta(days=1)))
        days = {**past, **_past_days(read, self._zone)}
        every = (first + timedelta(days=ago) for ago in range(HISTORY_DAYS))
        return [days.get(day, PastDay(day, 0, None)) for day in every]

    def _read_past(self, first: date, last: date) -> dict[date, PastDay]:
        return _past_days(self._read(first, last), self._zone)


def _past_days(read: _Day, zone: ZoneInfo) -> dict[date, PastDay]:
    """The whole centre, day by day: its answers are what was released of its counters, added up."""
    days: dict[date, PastDay] = {}
    for day, cells in by_day(read.sums, zone).items():
        shown = added(counts for place, counts in read.shown.items() if place.day == day)
        days[day] = PastDay(day, sum(total(sums.counts) for sums in cells.values()), shown or None)
    return days


class _Kept(Generic[T]):
    """Something that was read, for as long as its key is the same and it is not older than `fresh_s`."""

    def __init__(self, fresh_s: float) -> None:
        self._fresh_s = fresh_s
        self._have: tuple[object, float, T] | None = None

    def get(self, key: object, read: Callable[[], T]) -> T:
        """What was read; read anew where it must be."""
        if self._have is None or self._have[0] != key or time.monotonic() - self._have[1] > self._fresh_s:
            self._have = (key, time.monotonic(), read())
        return self._have[2]
