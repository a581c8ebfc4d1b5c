"""A real journal with its real writer thread, for as long as a `with` block lasts."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.calendars import AlwaysOpen

from config.settings import RatingsSettings
from firmware_py.core.clock import Clock
from firmware_py.core.contracts import Accepted, Command, GiveRating, Outcome
from firmware_py.core.events import Event
from firmware_py.core.journal.writer import Journal, WriterWorker
from firmware_py.core.ports import Feature, Reader, Transaction
from firmware_py.core.worker import Life
from firmware_py.features.ratings.feature import Ratings
from firmware_py.features.timekeeping import Timekeeping

DEADLINE_S = 20.0


@contextmanager
def running_journal(folder: Path, clock: Clock, features: Sequence[Feature] | None = None) -> Iterator[Journal]:
    """Open the journal in `folder` and run its writer; closed cleanly at the end. Without `features`: the hall's."""
    journal = Journal(folder, clock, hall_features() if features is None else features)
    died: list[BaseException] = []

    def live() -> None:
        try:
            WriterWorker(journal).run(Life())
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            died.append(error)

    thread = threading.Thread(target=live, name="journal under test")
    thread.start()
    try:
        yield journal
    finally:
        journal.close()
        thread.join(DEADLINE_S)
        journal.close_readers()
        assert not thread.is_alive(), "the writer does not stop"
    assert not died, f"the writer died: {died[0]!r}"


def hall_features(
    calendar: Any = None,
    *,
    counters: Iterable[str] = ("1", "2"),
    levels: int = 5,
    satisfied_from: int = 4,
    correction_s: float = 5,
    lockout_s: float = 3,
) -> list[Feature]:
    """Timekeeping and ratings, in the composition root's order; open at all hours unless a calendar is given."""
    calendar = calendar or AlwaysOpen()
    settings = RatingsSettings(
        levels=levels, satisfied_from=satisfied_from, correction_s=correction_s, lockout_s=lockout_s
    )
    return [Timekeeping(calendar), Ratings(settings, frozenset(counters), calendar)]


def do(journal: Journal, command: Command) -> Outcome:
    """Submit, and wait until it is durable."""
    return journal.submit(command).result(DEADLINE_S)


def press(journal: Journal, level: int, counter: str = "1", **more: Any) -> str:
    """A press on a panel; returns what came of it: `counted`, `corrected`, or the reason of an exclusion."""
    outcome = do(journal, GiveRating(source=f"panel-{counter}", counter=counter, level=level, **more))
    assert isinstance(outcome, Accepted), outcome
    return str(outcome.result["reason"] or outcome.result["outcome"])


def events(journal: Journal, *types: str) -> list[Event]:
    """All committed events, or those of some types, in order."""
    return [event for event in journal.events_after(0, 1_000_000) if not types or event.type in types]


@dataclass(frozen=True)
class Bucket:
    """One row of the bucket table."""

    epoch: str
    series: str
    labels: dict[str, str]
    hour: str
    simulated: bool
    definition: int
    value: dict[str, Any]
    revision: int
    final: bool
    partial: bool
    accepted_revision: int
    pending: bool

    @property
    def amount(self) -> float:
        """The count or the seconds."""
        return float(self.value.get("count", self.value.get("seconds", 0)))


def buckets(reader: Reader, series: str | None = None) -> list[Bucket]:
    """All buckets (of a series), by hour and labels."""
    rows = reader.rows(
        "SELECT epoch, series, labels, hour, simulated, definition, value, revision, final, partial, "
        "accepted_revision, pending_since IS NOT NULL FROM bucket ORDER BY series, hour, labels, id"
    )
    return [
        Bucket(
            epoch, name, json.loads(labels), hour, bool(simulated), definition, json.loads(value), revision,
            bool(final), bool(partial), accepted, bool(pending),
        )
        for epoch, name, labels, hour, simulated, definition, value, revision, final, partial, accepted, pending in rows
        if series in (None, name)
    ]  # fmt: skip


def totals(reader: Reader, series: str, label: str) -> dict[str, float]:
    """A series' sum over epochs and hours for each value of one label; what became zero is left out."""
    sums: defaultdict[str, float] = defaultdict(float)
    for bucket in buckets(reader, series):
        sums[bucket.labels[label]] += bucket.amount
    return {name: round(amount, 3) for name, amount in sums.items() if round(amount, 3)}


@contextmanager
def held(journal: Journal) -> Iterator[None]:
    """While the block lasts the writer is busy: what is submitted in it waits together, so it is one group."""
    entered, let_go = threading.Event(), threading.Event()

    def wait(_tx: Transaction) -> None:
        entered.set()
        assert let_go.wait(DEADLINE_S)

    holding = journal.run(wait)
    assert entered.wait(DEADLINE_S), "the writer does not run"
    try:
        yield
    finally:
        let_go.set()
        holding.result(DEADLINE_S)
