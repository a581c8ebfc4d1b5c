"""The releases (`disclosure`), kept in the journal's database: after a restart the next one is still a group later.

A release is written before it is shown. It is no event and folds into no bucket: it says what people have seen, not what
happened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from firmware_py.core.ports import Fold, Reader, SchemaStep
from firmware_py.features.ratings.disclosure import released
from firmware_py.features.ratings.figures import Answer, Counts

KEPT_DAYS = 62  # no page looks back further
SCHEMA = SchemaStep(
    "releases",
    (
        """CREATE TABLE rating_release (day TEXT NOT NULL, counter TEXT NOT NULL, simulated INTEGER NOT NULL,
            counts TEXT NOT NULL, PRIMARY KEY (day, counter, simulated)) STRICT, WITHOUT ROWID""",
    ),
)


class Place(NamedTuple):
    """Whose release: a counter's local day."""

    day: date
    counter: str


Releases = Mapping[Place, Counts]


def read_releases(reader: Reader, first: date, last: date, *, simulated: bool) -> dict[Place, Counts]:
    """What was shown of the days from `first` to `last`."""
    rows = reader.rows(
        "SELECT day, counter, counts FROM rating_release WHERE day BETWEEN ? AND ? AND simulated = ?",
        (first.isoformat(), last.isoformat(), int(simulated)),
    )
    return {Place(date.fromisoformat(day), counter): _counts_of(text) for day, counter, text in rows}


def due(shown: Releases, now: Releases) -> dict[Place, Counts]:
    """The releases that may be made: those of `now` that may take the place of what is shown."""
    following = ((place, counts, shown.get(place)) for place, counts in now.items())
    return {place: counts for place, counts, before in following if released(before, counts) is not before}


def keep(tx: Fold, now: Releases, *, simulated: bool) -> None:
    """Write what is due, on the writer's thread; what was shown there is looked at once more, for it may have moved on."""
    if not now:
        return
    days = sorted(place.day for place in now)
    shown = read_releases(tx, days[0], days[-1], simulated=simulated)
    for place, counts in due(shown, now).items():
        tx.execute(
            "INSERT OR REPLACE INTO rating_release VALUES (?, ?, ?, ?)",
            (place.day.isoformat(), place.counter, int(simulated), _text_of(counts)),
        )
    oldest = days[-1] - timedelta(days=KEPT_DAYS)
    tx.execute("DELETE FROM rating_release WHERE day < ?", (oldest.isoformat(),))


def _text_of(counts: Counts) -> str:
    parts: list[list[Any]] = [[*answer, count] for answer, count in sorted(counts.items())]
    return json.dumps(parts, separators=(",", ":"))


def _counts_of(text: str) -> Counts:
    return {Answer(definition, level): count for definition, level, count in json.loads(text)}
