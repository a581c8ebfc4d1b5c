"""Reading ratings back: the sums of a span of hours over all epochs, by hour, counter and answer.

What counts is the sum over epochs (a correction of an older epoch's rating is a negative value in a later one). The bucket
table's unique index begins with the hour, so a day costs what that day has, whatever the age of the journal.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from firmware_py.core.clock import iso_hour, parse_iso
from firmware_py.core.ports import Reader
from firmware_py.features.ratings.folding import CORRECTED, EXCLUDED, RATINGS
from firmware_py.features.ratings.scale import SCALES, Satisfaction

_SUMS = """SELECT hour, series, labels, definition, sum(json_extract(value, '$.count')) FROM bucket
    WHERE hour >= ? AND hour < ? AND series IN (?, ?, ?) AND simulated = ?
    GROUP BY hour, series, labels, definition"""


class Answer(NamedTuple):
    """One answer on one scale: levels of two scales are never added together."""

    definition: int
    level: int


Counts = Mapping[Answer, int]


def total(counts: Counts) -> int:
    """How many ratings these are: n."""
    return sum(counts.values())


def satisfaction_of(counts: Counts) -> Satisfaction:
    """n, and how many were satisfied by the scale on which they answered."""
    satisfied = sum(count for answer, count in counts.items() if SCALES[answer.definition].satisfies(answer.level))
    return Satisfaction(total(counts), satisfied)


def added(many: Iterable[Counts]) -> dict[Answer, int]:
    """All of them together; what is zero is left out."""
    whole: Counter[Answer] = Counter()
    for counts in many:
        whole.update(counts)
    return {answer: count for answer, count in sorted(whole.items()) if count}


@dataclass(slots=True)
class Sums:
    """What one counter got in one hour."""

    counts: Counter[Answer] = field(default_factory=Counter)
    corrected: int = 0
    excluded: Counter[str] = field(default_factory=Counter)


class Cell(NamedTuple):
    """Where sums belong; `hour` as buckets name it."""

    hour: str
    counter: str


def day_span(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """A local day's start and end."""
    start, end = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=1)))
    return start, end


def read_sums(reader: Reader, start: datetime, end: datetime, *, simulated: bool) -> dict[Cell, Sums]:
    """The sums of every hour that begins from `start` to before `end`; only hours and counters that have any."""
    names = (RATINGS.name, CORRECTED.name, EXCLUDED.name)
    found: dict[Cell, Sums] = {}
    for row in reader.rows(_SUMS, (_hour_from(start), _hour_from(end), *names, int(simulated))):
        _add(found, row)
    return found


def by_counter(sums: Mapping[Cell, Sums]) -> dict[str, Sums]:
    """The hours of each counter added up."""
    whole: dict[str, Sums] = {}
    for cell, part in sums.items():
        counter = whole.setdefault(cell.counter, Sums())
        counter.counts.update(part.counts)
        counter.corrected += part.corrected
        counter.excluded.update(part.excluded)
    return whole


def by_day(sums: Mapping[Cell, Sums], zone: ZoneInfo) -> dict[date, dict[Cell, Sums]]:
    """The same cells, sorted into local days."""
    days: dict[date, dict[Cell, Sums]] = {}
    for cell, part in sums.items():
        days.setdefault(parse_iso(cell.hour).astimezone(zone).date(), {})[cell] = part
    return days


def _hour_from(moment: datetime) -> str:
    """The first whole hour at or after a moment."""
    whole = iso_hour(moment)
    return whole if parse_iso(whole) == moment else iso_hour(moment + timedelta(hours=1))


def _add(found: dict[Cell, Sums], row: Sequence[Any]) -> None:
    hour, series, labels_text, definition, count = row
    labels = json.loads(labels_text)
    sums = found.setdefault(Cell(hour, labels["counter"]), Sums())
    if series == RATINGS.name:
        sums.counts[Answer(definition, int(labels["level"]))] += count
    elif series == CORRECTED.name:
        sums.corrected += count
    else:
        sums.excluded[labels["reason"]] += count
