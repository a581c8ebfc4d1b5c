"""The scoreboard: sums over nodes, epochs and hours. Simulated and real data are never added together.

A rate never stands without its n, and without ratings there is none: `null`, neither 0 % nor 100 %.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from firmware_py.core.clock import iso_hour, parse_iso
from firmware_py.features.ratings.scale import SCALES, Scale
from sync.receiver.tables import bucket, node, total

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SHOWN_SERIES = ("ratings", "ratings_corrected", "ratings_excluded", "open_seconds")
USUAL_LEVELS = 5  # shown, as zeros, where a site has no ratings yet
FIRST_YEAR, LAST_YEAR = 2000, 2199


@dataclass(frozen=True, slots=True)
class Span:
    """Whole hours, as buckets name them: `start <= hour < end`; None is open."""

    start: str | None = None
    end: str | None = None


@dataclass(frozen=True, slots=True)
class Sum:
    """One series' sum at one site. `amount` is a count, or milliseconds."""

    series: str
    labels: Mapping[str, str]
    definition: int
    amount: int


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """When a node's newest batch was taken; None: never."""

    site: str
    name: str
    last_seen: str | None


@dataclass(frozen=True, slots=True)
class Ratings:
    """A site's ratings. `rate_ratio` is None without ratings, and while what has arrived cannot be the whole.

    (A correction of an older epoch may arrive before what it corrects: then a level is below zero for a while.)
    """

    by_level: Mapping[int, int]
    satisfied: int
    corrected: int
    excluded: Mapping[str, int]

    @property
    def n(self) -> int:
        """All ratings that count."""
        return sum(self.by_level.values())

    @property
    def rate_ratio(self) -> float | None:
        """Satisfied / n, 0 to 1."""
        if self.n <= 0 or min(self.by_level.values()) < 0:
            return None
        return self.satisfied / self.n


@dataclass(frozen=True, slots=True)
class SiteScore:
    """One site's line of the scoreboard."""

    site: str
    ratings: Ratings
    open_ms: Mapping[str, int]
    nodes: tuple[NodeSeen, ...] = field(default=())

    @property
    def last_seen(self) -> str | None:
        """When the newest batch of any of its nodes was taken."""
        return max((seen.last_seen for seen in self.nodes if seen.last_seen), default=None)


def span_of(from_text: str | None, to_text: str | None) -> Span:
    """The whole hours that an interval touches. A date is a day in Vietnam; `to` as a date includes that day.

    Raises:
        ValueError: not ISO 8601, a time without its zone, or an interval that does not run forward.
    """
    start = _edge(from_text, "from", timedelta()) if from_text is not None else None
    end = _edge(to_text, "to", timedelta(days=1)) if to_text is not None else None
    if start is not None and end is not None and end <= start:
        raise ValueError("`to` must be later than `from`")
    return Span(
        iso_hour(start) if start is not None else None,
        _hour_after(end) if end is not None else None,
    )


def read_sums(connection: Connection, site: str | None, span: Span, *, simulated: bool) -> dict[str, list[Sum]]:
    """Per site, the shown series summed over its nodes, epochs and the hours of `span`."""
    # All time is kept as totals; a span costs its own hours, found node by node.
    table = total if span == Span() else bucket
    nodes = select(node.c.id) if site is None else select(node.c.id).where(node.c.site == site)
    what = (table.c.node_id, table.c.series, table.c.labels, table.c.definition)
    query = (
        select(*what, func.sum(table.c.amount).label("sum"))
        .where(table.c.node_id.in_(nodes), table.c.simulated == simulated, table.c.series.in_(SHOWN_SERIES))
        .group_by(*what)
    )
    if span.start is not None:
        query = query.where(bucket.c.hour >= span.start)
    if span.end is not None:
        query = query.where(bucket.c.hour < span.end)
    site_of = {row.id: row.site for row in connection.execute(select(node.c.id, node.c.site))}
    sums: Counter[tuple[str, str, str, int]] = Counter()
    for row in connection.execute(query):
        sums[site_of[row.node_id], row.series, row.labels, row.definition] += int(row.sum)
    by_site: dict[str, list[Sum]] = {}
    for (name, series, labels, definition), amount in sums.items():
        by_site.setdefault(name, []).append(Sum(series, json.loads(labels), definition, amount))
    return by_site


def read_nodes(connection: Connection, site: str | None) -> list[NodeSeen]:
    """Every registered node, by site and name."""
    query = select(node.c.site, node.c.name, node.c.last_seen).order_by(node.c.site, node.c.name)
    if site is not None:
        query = query.where(node.c.site == site)
    return [NodeSeen(row.site, row.name, row.last_seen) for row in connection.execute(query)]


def scores(nodes: Iterable[NodeSeen], sums: Mapping[str, list[Sum]]) -> list[SiteScore]:
    """A line for every site that has a node, with or without data."""
    by_site: dict[str, list[NodeSeen]] = {}
    for seen in nodes:
        by_site.setdefault(seen.site, []).append(seen)
    return [
        SiteScore(
            site, _ratings(sums.get(site, [])), _by_label(sums.get(site, []), "open_seconds", "state"), tuple(its)
        )
        for site, its in by_site.items()
    ]


def as_json(score: SiteScore, now: datetime) -> dict[str, Any]:
    """A site's line as the API says it."""
    ratings = score.ratings
    return {
        "site": score.site,
        "ratings": {
            "n": ratings.n,
            "by_level": {str(level): count for level, count in sorted(ratings.by_level.items())},
            "satisfied": ratings.satisfied,
            "satisfaction_rate": ratings.rate_ratio,
            "corrected": ratings.corrected,
            "excluded": dict(sorted(ratings.excluded.items())),
        },
        "open_seconds": {state: ms / 1000 for state, ms in sorted(score.open_ms.items())},
        "last_seen": score.last_seen,
        "data_age_s": age_s(score.last_seen, now),
        "nodes": [
            {"node": seen.name, "last_seen": seen.last_seen, "data_age_s": age_s(seen.last_seen, now)}
            for seen in score.nodes
        ],
    }


def age_s(then: str | None, now: datetime) -> float | None:
    """Seconds since `then`, by the city's own clock; None if never."""
    return None if then is None else max(0.0, round((now - parse_iso(then)).total_seconds(), 3))


def span_json(span: Span) -> dict[str, str | None]:
    """Which hours an answer covers."""
    return {"from": span.start, "to": span.end}


def _ratings(sums: Iterable[Sum]) -> Ratings:
    by_level: Counter[int] = Counter()
    satisfied = corrected = 0
    levels = 0
    for item in sums:
        if item.series == "ratings":
            scale: Scale = SCALES[item.definition]
            level = int(item.labels["level"])
            levels = max(levels, scale.levels)
            by_level[level] += item.amount
            satisfied += item.amount if scale.satisfies(level) else 0
        elif item.series == "ratings_corrected":
            corrected += item.amount
    every_level = {level: by_level[level] for level in range(1, (levels or USUAL_LEVELS) + 1)}
    return Ratings(every_level, satisfied, corrected, _by_label(sums, "ratings_excluded", "reason"))


def _by_label(sums: Iterable[Sum], series: str, label: str) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for item in sums:
        if item.series == series:
            totals[item.labels.get(label, "")] += item.amount
    return dict(totals)


def _hour_after(end: datetime) -> str:
    """The first whole hour that an interval ending at `end` no longer touches."""
    whole = end.replace(minute=0, second=0, microsecond=0)
    return iso_hour(whole if whole == end else whole + timedelta(hours=1))


def _edge(text: str, name: str, after_date: timedelta) -> datetime:
    try:
        if len(text) == len("2026-11-23"):
            edge = datetime.combine(date.fromisoformat(text), datetime.min.time(), ZONE) + after_date
        else:
            edge = parse_iso(text)
        in_range = FIRST_YEAR <= edge.astimezone(UTC).year <= LAST_YEAR
    except (ValueError, OverflowError) as error:
        raise ValueError(_edge_help(name)) from error
    if not in_range:
        raise ValueError(_edge_help(name))
    return edge.astimezone(UTC)


def _edge_help(name: str) -> str:
    return (
        f"`{name}` must be a date (2026-11-23, a day in Vietnam) or a time with its zone "
        f"(2026-11-23T01:00:00Z; write + as %2B in an address), from {FIRST_YEAR} to {LAST_YEAR}"
    )
