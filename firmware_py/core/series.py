"""Series: metrics with labels, their definitions, and the three kinds of value one hour of them can have.

Values are added, never averaged, and everything is an integer inside (counts, milliseconds): so folding the same events
in any grouping gives the same bytes, a correction can be taken off exactly, and `nucuoi journal verify` can ask for
equality instead of nearness.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import add
from typing import Any, Literal, NamedTuple

from firmware_py.core.clock import iso_hour
from firmware_py.core.events import canonical_json

ValueKind = Literal["count", "seconds", "histogram"]
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Series:
    """A metric: what one bucket of it holds. `bounds_s` are a histogram's upper bounds; one more count is above them."""

    name: str
    kind: ValueKind
    bounds_s: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """How many parts a value of it has."""
        return len(self.bounds_s) + 2 if self.kind == "histogram" else 1


class Delta(NamedTuple):
    """What one event adds to one bucket. `parts` are integers: (count,), (milliseconds,), or (*counts, sum_ms)."""

    series: Series
    labels: str  # canonical JSON
    hour: str
    simulated: bool
    definition: int
    parts: tuple[int, ...]


def labels_json(labels: Mapping[str, str]) -> str:
    """A series' labels as their canonical text; every label value is a string."""
    return _labels_json(tuple(labels.items()))


@lru_cache(maxsize=4096)
def _labels_json(items: tuple[tuple[str, str], ...]) -> str:
    return canonical_json(dict(items))


def observation(series: Series, seconds: float) -> tuple[int, ...]:
    """The parts of one observation of a histogram: one more in its bin, and its milliseconds."""
    counts = [0] * (len(series.bounds_s) + 1)
    counts[bisect_left(series.bounds_s, seconds)] = 1
    return (*counts, round(seconds * 1000))


def value_of(series: Series, parts: tuple[int, ...]) -> dict[str, Any]:
    """A bucket's value as it stands in the journal and on the wire."""
    if series.kind == "count":
        return {"count": parts[0]}
    if series.kind == "seconds":
        return {"seconds": parts[0] / 1000}
    return {"bounds_s": list(series.bounds_s), "counts": list(parts[:-1]), "sum_s": parts[-1] / 1000}


def value_json(series: Series, parts: tuple[int, ...]) -> str:
    """The canonical JSON of `value_of`, written out: every press needs it for two buckets."""
    if series.kind == "count":
        return f'{{"count":{parts[0]}}}'
    if series.kind == "seconds":
        return f'{{"seconds":{parts[0] / 1000}}}'
    *counts, sum_ms = parts
    bounds = _bounds_json(series.bounds_s)
    return f'{{"bounds_s":{bounds},"counts":[{",".join(map(str, counts))}],"sum_s":{sum_ms / 1000}}}'


@lru_cache(maxsize=64)
def _bounds_json(bounds_s: tuple[float, ...]) -> str:
    return canonical_json(list(bounds_s))


def parts_of(value: Mapping[str, Any]) -> tuple[int, ...]:
    """The integers behind a value: the inverse of `value_of`."""
    if "count" in value:
        return (int(value["count"]),)
    if "seconds" in value:
        return (round(value["seconds"] * 1000),)
    return (*(int(count) for count in value["counts"]), round(value["sum_s"] * 1000))


def add_parts(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """Part by part; a ValueError if they are not of one shape (a series changed without a new definition)."""
    if len(a) != len(b):
        raise ValueError(f"one argument is shorter than the other: {len(a)} and {len(b)} parts cannot be added")
    return tuple(map(add, a, b))


def split_by_hour(start: datetime, end: datetime) -> list[tuple[str, int]]:
    """An interval as (hour, milliseconds) pairs; empty where it does not run forward. The parts sum to the whole."""
    pieces: list[tuple[str, int]] = []
    total_ms = round((end - start).total_seconds() * 1000)
    done_ms = 0
    cursor = start.astimezone(UTC)
    while done_ms < total_ms:
        edge = cursor.replace(minute=0, second=0, microsecond=0) + HOUR
        upto_ms = min(total_ms, round((edge - start).total_seconds() * 1000))
        if upto_ms > done_ms:
            pieces.append((iso_hour(cursor), upto_ms - done_ms))
        done_ms, cursor = upto_ms, edge
    return pieces
