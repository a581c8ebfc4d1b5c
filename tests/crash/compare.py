"""What was acknowledged, what the journal holds and what the city counts: they must be the same, each press once.

Pure, but for the reading of the journal's file. The figures of the city are reckoned here anew from the events, by a
plain model that shares no code with the product.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from presses import Answer, Press


@dataclass(frozen=True, slots=True)
class Kept:
    """One `rating.given` event."""

    id: str
    time: str
    counter: str
    level: int
    outcome: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Journal:
    """What a journal says of ratings: all events in order, and which event answers for which key."""

    events: Sequence[Kept]
    receipts: Mapping[str, str]  # key -> event id

    def times(self) -> dict[str, str]:
        """When each key was decided (ISO, by the node's clock)."""
        by_id = {event.id: event.time for event in self.events}
        return {key: by_id[id_] for key, id_ in self.receipts.items() if id_ in by_id}


@dataclass(frozen=True, slots=True)
class Figures:
    """What the city counts, or should."""

    by_level: Mapping[str, int]
    corrected: int
    excluded: Mapping[str, int]

    @property
    def n(self) -> int:
        """All that count."""
        return sum(self.by_level.values())

    @property
    def total(self) -> int:
        """Every press, whatever became of it."""
        return self.n + self.corrected + sum(self.excluded.values())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is not as it must be; good when nothing is."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Everything acknowledged is there once and the same everywhere."""
        return not (self.lost or self.doubled or self.different)


def read_journal(path: Path) -> Journal:
    """The ratings of a journal file that nobody has open; none if a power cut left no file or no tables."""
    if not path.exists():
        return Journal([], {})
    with closing(sqlite3.connect(path)) as connection:  # not read-only: it may have to be recovered first
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"event", "receipt"} <= tables:
            return Journal([], {})
        rows = connection.execute(
            "SELECT id, time, data FROM event WHERE type = 'rating.given' ORDER BY seq"
        ).fetchall()
        receipts = connection.execute("SELECT key, result FROM receipt").fetchall()
    events = [_kept(id_, time, json.loads(data)) for id_, time, data in rows]
    return Journal(events, {key: json.loads(result)["id"] for key, result in receipts})


def _kept(id_: str, time: str, data: Mapping[str, Any]) -> Kept:
    return Kept(id_, time, data["counter"], data["level"], data["outcome"], data["reason"])


def figures_of(events: Iterable[Kept]) -> Figures:
    """What a city that has everything counts: a correction takes the counter's newest counted level back."""
    by_level: Counter[str] = Counter()
    excluded: Counter[str] = Counter()
    corrected = 0
    newest: dict[str, int] = {}
    for event in events:
        if event.outcome == "excluded":
            excluded[str(event.reason)] += 1
            continue
        if event.outcome == "corrected":
            corrected += 1
            by_level[str(newest[event.counter])] -= 1
        by_level[str(event.level)] += 1
        newest[event.counter] = event.level
    return Figures(by_level, corrected, excluded)


def compare(
    presses: Sequence[Press], acknowledged: Mapping[str, Answer | None], journal: Journal, city: Figures
) -> Verdict:
    """Hold all three against each other."""
    verdict = Verdict()
    by_id = {event.id: event for event in journal.events}
    explained: Counter[str] = Counter()
    for press in presses:
        event = by_id.get(journal.receipts.get(press.key, ""))
        if press.key not in acknowledged:
            verdict.different.append(f"{press.key} was never acknowledged")
        elif event is None:
            verdict.lost.append(press.key)
        else:
            explained[event.id] += 1
            verdict.different.extend(_differences(press, acknowledged[press.key], event))
    for event in journal.events:
        if explained[event.id] != 1:
            verdict.doubled.append(
                f"event {event.id} (counter {event.counter}) is that of {explained[event.id]} presses"
            )
    verdict.different.extend(_city_differences(len(acknowledged), figures_of(journal.events), city))
    return verdict


def _differences(press: Press, answer: Answer | None, event: Kept) -> Iterable[str]:
    if (press.counter, press.level) != (event.counter, event.level):
        yield f"{press.key}: pressed {press.level} at {press.counter}, kept {event.level} at {event.counter}"
    kept = Answer(event.id, event.outcome, event.reason)
    if answer is not None and answer != kept:
        yield f"{press.key}: answered {answer}, kept {kept}"


def _city_differences(acknowledged: int, expected: Figures, city: Figures) -> Iterable[str]:
    if city.total != acknowledged:
        yield f"the city counts {city.total} presses, {acknowledged} were acknowledged"
    if city.corrected != expected.corrected:
        yield f"the city counts {city.corrected} corrected, the journal holds {expected.corrected}"
    for name, here, there in (
        ("level", expected.by_level, city.by_level),
        ("excluded for", expected.excluded, city.excluded),
    ):
        for label in sorted({*here, *there}):
            if here.get(label, 0) != there.get(label, 0):
                yield f"{name} {label}: the city counts {there.get(label, 0)}, the journal holds {here.get(label, 0)}"
