"""The scoreboard: every site's figures of a period, what they are worth, and what needs a person now.

Simulated and real data are never added together: a board is of one or of the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import Connection

from config.opening import OpeningHours
from config.settings import WEEKDAYS, OpeningSettings, SiteSettings
from firmware_py.core.clock import parse_iso
from sync.receiver import reading
from sync.receiver.days import DayMark, DayStatus, Heard, statuses
from sync.receiver.figures import DeviceKey, Figures, Operation, Ratings, Sum, devices_of, figures_of, natural
from sync.receiver.periods import Span, day_of, days_of, period_span
from sync.receiver.reading import LastWord, NodeRow, Scope
from sync.receiver.silence import DeviceState, Habit, NodeSilence, device_state, node_silence

IsHoliday = Callable[[date], bool]
#: Today, a device that was out for less than this needs nobody: somebody changed a cable, or the node started.
OUTAGE_TO_SEE_MS = 5 * 60 * 1000
DEVICE_SERIES = "device_seconds"
HEARD = NodeSilence("heard")
NOTHING_HEARD = Heard()


@dataclass(frozen=True, slots=True)
class NodeLine:
    """A node of a site: when its newest batch was taken, how it stands now, and which hours it told of."""

    name: str
    last_seen: str | None
    silence: NodeSilence
    heard: Heard = NOTHING_HEARD


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A device in the period, and what its figures mean."""

    key: DeviceKey
    operation: Operation
    state: DeviceState


@dataclass(frozen=True, slots=True)
class DayCounts:
    """How many days of the period, of those that were told of at all, are final, provisional or late.

    `provisional_past`: of the provisional ones, those before the period's last day. Today is provisional everywhere.
    """

    final: int = 0
    provisional: int = 0
    late: int = 0
    provisional_past: int = 0


@dataclass(frozen=True, slots=True)
class SiteScore:
    """One site's line of the scoreboard. `days` is None where the period is too long to be told day by day."""

    site: str
    figures: Figures
    nodes: tuple[NodeLine, ...]
    devices: tuple[DeviceLine, ...]
    days: DayCounts | None

    @property
    def ratings(self) -> Ratings:
        """The site's ratings."""
        return self.figures.ratings

    @property
    def has_figures(self) -> bool:
        """Of this kind, real or simulated, it sent something at some time."""
        return any(line.heard.first_hour is not None for line in self.nodes)

    @property
    def last_seen(self) -> str | None:
        """When the newest batch of any of its nodes was taken."""
        return max((line.last_seen for line in self.nodes if line.last_seen), default=None)


@dataclass(frozen=True, slots=True)
class Need:
    """What needs a person now: a node that is not heard from, or a device that did not work today."""

    kind: Literal["never", "lost", "unavailable"]
    site: str
    node: str
    device: DeviceKey | None = None
    since: datetime | None = None
    lasted_ms: int = 0  # of opening hours
    is_over: bool = False  # a device that works again


@dataclass(frozen=True, slots=True)
class DayLine:
    """One day of a site. Without a status no node spoke for it."""

    day: date
    figures: Figures
    status: DayStatus | None


def public_holidays() -> IsHoliday:
    """Whether a day is a public holiday in Vietnam, by the rules that the nodes have."""
    every_day = OpeningSettings(days=WEEKDAYS, spans=("00:00-24:00",))
    calendar = OpeningHours(SiteSettings(id="city", name="city", mode="production", opening=(every_day,)))
    return lambda day: calendar.is_closed_day(day) is not None


def read_scores(
    connection: Connection, scope: Scope, span: Span, now: datetime, is_holiday: IsHoliday
) -> list[SiteScore]:
    """A line for every site that has a node, with or without data, by name."""
    sums = reading.read_sums(connection, scope, span)
    heard = reading.read_heard(connection, scope)
    habits = reading.read_habits(connection, scope, heard, now)
    days = days_of(span, day_of(now))
    marks = None if days is None else reading.read_day_marks(connection, scope, days)
    counts = None if marks is None else _day_counts(scope.nodes, marks, heard, days or [])
    by_site: dict[str, list[NodeLine]] = {}
    for row in scope.nodes:
        seen = None if row.last_seen is None else parse_iso(row.last_seen)
        silence = node_silence(seen, now, habits.get(row.id, Habit()), is_holiday)
        by_site.setdefault(row.site, []).append(NodeLine(row.name, row.last_seen, silence, heard[row.id]))
    return [
        score_of(
            site,
            sums.get(site, []),
            by_site[site],
            None if counts is None else counts.get(site, DayCounts()),
            covers_now=span.covers(now),
        )
        for site in sorted(by_site, key=natural)
    ]


def score_of(
    site: str, sums: Iterable[Sum], nodes: Sequence[NodeLine], days: DayCounts | None = None, *, covers_now: bool = True
) -> SiteScore:
    """A site's line. `covers_now`: the period is not over, so that a lost node says something about it."""
    figures = figures_of(sums)
    silences = {line.name: line.silence for line in nodes} if covers_now else {}
    devices = tuple(
        DeviceLine(
            key,
            operation,
            device_state(
                silences.get(key.node, HEARD), operation, figures.node_opening[key.node], _ratings_at(figures, key)
            ),
        )
        for key, operation in figures.devices.items()
    )
    return SiteScore(site, figures, tuple(nodes), devices, days)


def read_needs(connection: Connection, scope: Scope, scores: Sequence[SiteScore], now: datetime) -> list[Need]:
    """What needs a person now, whatever period is looked at: lost nodes first, then devices that were out today."""
    today = period_span("today", day_of(now))
    sums = reading.read_sums(connection, scope, today, (DEVICE_SERIES,))
    words = reading.read_last_words(connection, scope, today)
    return needs_of(scores, {site: devices_of(its) for site, its in sums.items()}, words)


def needs_of(
    scores: Sequence[SiteScore],
    devices_today: Mapping[str, Mapping[DeviceKey, Operation]],
    last_words: Mapping[tuple[str, str, str], LastWord],
) -> list[Need]:
    """The pure half of `read_needs`."""
    lost: list[Need] = []
    out: list[Need] = []
    for score in scores:
        silences = {line.name: line.silence for line in score.nodes}
        for name, silence in silences.items():
            if silence.state == "never":
                lost.append(Need("never", score.site, name))
            elif silence.state == "lost":
                lost.append(Need("lost", score.site, name, None, silence.since, silence.missed_ms))
        for key, operation in devices_today.get(score.site, {}).items():
            if operation.unavailable_ms < OUTAGE_TO_SEE_MS or silences.get(key.node, HEARD).is_lost:
                continue
            word = last_words.get((score.site, key.node, key.device))
            is_over = word is None or not word.is_unavailable
            out.append(Need("unavailable", score.site, key.node, key, None, operation.unavailable_ms, is_over))
    lost.sort(key=lambda need: (need.kind == "never", -need.lasted_ms, natural(need.site)))
    out.sort(key=lambda need: (need.is_over, -need.lasted_ms))
    return lost + out


def read_days(connection: Connection, scope: Scope, days: Sequence[date]) -> list[DayLine]:
    """One site's days, oldest first, also those of which nobody told."""
    sums = reading.read_day_sums(connection, scope, days)
    marks = reading.read_day_marks(connection, scope, days)
    status = statuses(marks, reading.read_heard(connection, scope), days)
    return [DayLine(day, figures_of(sums[day]), status[day]) for day in days]


def _day_counts(
    nodes: Iterable[NodeRow], marks: Iterable[DayMark], heard: Mapping[int, Heard], days: Sequence[date]
) -> dict[str, DayCounts]:
    site_of = {row.id: row.site for row in nodes}
    marks_of: dict[str, list[DayMark]] = {}
    for mark in marks:
        marks_of.setdefault(site_of[mark.node_id], []).append(mark)
    heard_of: dict[str, dict[int, Heard]] = {}
    for id_, its in heard.items():
        heard_of.setdefault(site_of[id_], {})[id_] = its
    result = {}
    for site, said in marks_of.items():
        status = statuses(said, heard_of[site], days)
        found = Counter(status.values())
        past = sum(status[day] == "provisional" for day in days[:-1])
        result[site] = DayCounts(found["final"], found["provisional"], found["late"], past)
    return result


def _ratings_at(figures: Figures, key: DeviceKey) -> int | None:
    counter = figures.counters.get(key.counter) if key.counter is not None else None
    return None if counter is None else counter.ratings.n


def age_s(then: str | None, now: datetime) -> float | None:
    """Seconds since `then`, by the city's own clock; None if never."""
    return None if then is None else max(0.0, round((now - parse_iso(then)).total_seconds(), 3))
