"""What the scoreboard reads of the city's tables: sums made by the database, never a bucket row by row.

Only what every database that SQLAlchemy speaks to understands: comparisons, sums, greatest and least of texts whose order is
that of time, and `UNION ALL` with one part a day.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType

from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, select, union_all

from firmware_py.core.clock import iso, iso_hour, parse_iso
from sync.receiver.days import DayMark, Heard
from sync.receiver.figures import SHOWN_SERIES, Sum
from sync.receiver.periods import DAY, Span, day_end, day_start
from sync.receiver.silence import LOST_AFTER, LOST_ANYWAY, WEEK, Habit
from sync.receiver.tables import bucket, node, total


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A registered node. `last_seen`: when its newest batch was taken; None: never."""

    id: int
    site: str
    name: str
    last_seen: str | None


@dataclass(frozen=True, slots=True)
class LastWord:
    """The newest hours of a period in which a device was told to be available, and to be unavailable; None: in none."""

    available: str | None
    unavailable: str | None

    @property
    def is_unavailable(self) -> bool:
        """The newest hour knows it only as unavailable: as far as the city was told, it still is."""
        return self.unavailable is not None and (self.available is None or self.available < self.unavailable)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose figures are read: every node of one site, or of all; and the real ones or the simulated ones, never both."""

    site: str | None
    simulated: bool
    nodes: Sequence[NodeRow]

    @property
    def ids(self) -> Select[tuple[int]]:
        """The nodes, for a query."""
        query = select(node.c.id)
        return query if self.site is None else query.where(node.c.site == self.site)


def read_scope(connection: Connection, site: str | None, *, simulated: bool) -> Scope:
    """Every registered node, by site and name."""
    query = select(node.c.id, node.c.site, node.c.name, node.c.last_seen).order_by(node.c.site, node.c.name)
    if site is not None:
        query = query.where(node.c.site == site)
    rows = connection.execute(query)
    return Scope(site, simulated, [NodeRow(row.id, row.site, row.name, row.last_seen) for row in rows])


def read_sums(
    connection: Connection, scope: Scope, span: Span, series: Sequence[str] = SHOWN_SERIES
) -> dict[str, list[Sum]]:
    """Per site, these series of each of its nodes, summed over epochs and the hours of `span`."""
    # All time is kept as totals; a span costs its own hours, found node by node.
    table = total if span == Span() else bucket
    what = (table.c.node_id, table.c.series, table.c.labels, table.c.definition)
    query = (
        select(*what, func.sum(table.c.amount).label("sum"))
        .where(
            table.c.node_id.in_(scope.ids), table.c.simulated == scope.simulated, table.c.series.in_(series),
            *(_within(span) if table is bucket else ()),
        )
        .group_by(*what)
    )  # fmt: skip
    by_id = {row.id: row for row in scope.nodes}
    by_site: dict[str, list[Sum]] = {}
    for row in connection.execute(query):
        if row.sum is not None:
            its = by_id[row.node_id]
            item = Sum(row.series, _labels(row.labels), row.definition, int(row.sum), its.name)
            by_site.setdefault(its.site, []).append(item)
    return by_site


def read_day_sums(connection: Connection, scope: Scope, days: Sequence[date]) -> dict[date, list[Sum]]:
    """The shown series of some nodes, each day for itself."""
    names = {row.id: row.name for row in scope.nodes}
    what = (bucket.c.node_id, bucket.c.series, bucket.c.labels, bucket.c.definition)

    def of_day(day: date) -> Select[tuple[object, ...]]:
        return (
            select(literal(day.isoformat()).label("day"), *what, func.sum(bucket.c.amount).label("sum"))
            .where(*_of_day(scope, day), bucket.c.series.in_(SHOWN_SERIES))
            .group_by(*what)
        )

    found: dict[date, list[Sum]] = {day: [] for day in days}
    for row in connection.execute(union_all(*map(of_day, days))) if days else ():
        if row.sum is not None:
            item = Sum(row.series, _labels(row.labels), row.definition, int(row.sum), names[row.node_id])
            found[date.fromisoformat(row.day)].append(item)
    return found


def read_day_marks(connection: Connection, scope: Scope, days: Sequence[date]) -> list[DayMark]:
    """What each node's buckets of each day, and of the day after the last one, say about the day."""

    def of_day(day: date) -> Select[tuple[object, ...]]:
        return (
            select(
                literal(day.isoformat()).label("day"),
                bucket.c.node_id,
                func.max(bucket.c.received_at).label("newest"),
                func.min(case((bucket.c.final, bucket.c.received_at))).label("final"),
            )
            .where(*_of_day(scope, day))
            .group_by(bucket.c.node_id)
        )

    if not days:
        return []
    rows = connection.execute(union_all(*map(of_day, [*days, days[-1] + DAY])))
    return [DayMark(row.node_id, date.fromisoformat(row.day), row.newest, row.final) for row in rows]


def read_heard(connection: Connection, scope: Scope) -> dict[int, Heard]:
    """For each node its oldest hour, and the newest that it declared final, with all before it."""
    its = (bucket.c.node_id == node.c.id, bucket.c.simulated == scope.simulated)
    first = select(bucket.c.hour).where(*its).order_by(bucket.c.hour).limit(1).scalar_subquery()
    final = select(bucket.c.hour).where(*its, bucket.c.final).order_by(bucket.c.hour.desc()).limit(1).scalar_subquery()
    query = select(node.c.id, first.label("first"), final.label("final")).where(node.c.id.in_(scope.ids))
    return {row.id: Heard(row.first, row.final) for row in connection.execute(query)}


def read_last_words(connection: Connection, scope: Scope, span: Span) -> dict[tuple[str, str, str], LastWord]:
    """(site, node, device) -> the newest hours in which it was told to be available, and unavailable."""
    by_id = {row.id: row for row in scope.nodes}
    newest = func.max(case((bucket.c.amount > 0, bucket.c.hour)))
    query = (
        select(bucket.c.node_id, bucket.c.labels, newest.label("hour"))
        .where(
            bucket.c.node_id.in_(scope.ids), bucket.c.simulated == scope.simulated, bucket.c.series == "device_seconds",
            *_within(span),
        )
        .group_by(bucket.c.node_id, bucket.c.labels)
    )  # fmt: skip
    hours: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in connection.execute(query):
        labels, its = _labels(row.labels), by_id[row.node_id]
        told = hours.setdefault((its.site, its.name, labels.get("device", "")), {})
        if row.hour is not None:
            told[labels.get("state", "")] = max(row.hour, told.get(labels.get("state", ""), ""))
    return {key: LastWord(told.get("available"), told.get("unavailable")) for key, told in hours.items()}


def read_habits(connection: Connection, scope: Scope, heard: Mapping[int, Heard], now: datetime) -> dict[int, Habit]:
    """The opening hours that the nodes which were not heard just now told of one and two weeks before."""
    seen = {row.id: parse_iso(row.last_seen) for row in scope.nodes if row.last_seen is not None}
    silent = {id_: at for id_, at in seen.items() if LOST_AFTER <= now - at < LOST_ANYWAY}
    if not silent:
        return {}
    ids = scope.ids.where(node.c.last_seen > iso(now - LOST_ANYWAY), node.c.last_seen <= iso(now - LOST_AFTER))
    told: dict[int, Counter[str]] = {id_: Counter() for id_ in silent}
    start = min(silent.values()) - 2 * WEEK
    query = (
        select(bucket.c.node_id, bucket.c.hour, func.sum(bucket.c.amount).label("sum"))
        .where(
            bucket.c.node_id.in_(ids), bucket.c.simulated == scope.simulated, bucket.c.series == "open_seconds",
            *_within(Span(iso_hour(start), iso_hour(now - WEEK + timedelta(hours=1)))),
        )
        .group_by(bucket.c.node_id, bucket.c.hour)
    )  # fmt: skip
    for row in connection.execute(query):
        if row.node_id in told:
            told[row.node_id][row.hour] += int(row.sum)
    return {id_: Habit(told[id_] if _is_known(heard[id_].first_hour, silent[id_]) else None) for id_ in silent}


@lru_cache(maxsize=4096)
def _labels(text: str) -> Mapping[str, str]:
    """Few texts, many rows."""
    return MappingProxyType(json.loads(text))


def _is_known(first_hour: str | None, last_seen: datetime) -> bool:
    return first_hour is not None and first_hour <= iso_hour(last_seen - WEEK)


def _within(span: Span) -> list[ColumnElement[bool]]:
    edges = []
    if span.start is not None:
        edges.append(bucket.c.hour >= span.start)
    if span.end is not None:
        edges.append(bucket.c.hour < span.end)
    return edges


def _of_day(scope: Scope, day: date) -> list[ColumnElement[bool]]:
    span = Span(iso_hour(day_start(day)), iso_hour(day_end(day)))
    return [bucket.c.node_id.in_(scope.ids), bucket.c.simulated == scope.simulated, *_within(span)]
