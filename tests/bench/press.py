"""Press to durable: a rating handed to the journal until its COMMIT, in this process, against the bare commit.

Two states of the disk are told apart. While SQLite's log still grows (after each start, up to 4 MB), a sync writes the
file's length too, and costs about twice as much; from then on the log is written over in place.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from figures import Figure, median, percentile, ratio_at_least, ratio_at_most
from floors import BareCommits
from journal_bench import (
    IN_FLIGHT,
    SITE_FILE,
    UnhurriedClock,
    accepted,
    flood_rate,
    one_s,
    presses,
    running_journal,
)

from config.loading import load
from config.settings import Settings
from devices.kinds import settings_by_kind
from firmware_py.core.journal.writer import Journal

FLOOD = 2000  # presses with many in flight, then FLOOD_FLOOR bare commits
FLOOD_FLOOR = 250
LOG_PAGES = 1100  # SQLite writes its log over after 1,000 pages
SINGLES_WHILE_GROWING = 100  # of each kind: well within the 1,000 pages
FLOOD_WHILE_GROWING = 1000


@dataclass(slots=True)
class Samples:
    """Seconds of single presses and of bare commits, taken in turns; rates with many in flight and of the floor."""

    by_pin: list[float] = field(default_factory=list)
    by_wire: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    flood: list[float] = field(default_factory=list)
    bare_rate: list[float] = field(default_factory=list)

    def take(self, bench: Bench, count: int) -> None:
        for by_pin, by_wire in itertools.islice(zip(bench.by_pin, bench.by_wire, strict=True), count):
            self.by_pin.append(one_s(bench.journal, by_pin))
            self.bare.append(bench.floor.one_s())
            self.by_wire.append(one_s(bench.journal, by_wire))
            self.bare.append(bench.floor.one_s())

    def take_flood(self, bench: Bench, count: int) -> None:
        self.flood.append(flood_rate(bench.journal, bench.by_pin, count))
        self.bare_rate.append(bench.floor.rate(FLOOD_FLOOR))

    def figures(self, state: str) -> list[Figure]:
        kinds = (("press to durable", self.by_pin), ("press with a key", self.by_wire))
        return [
            *(self._durable(f"{name}{state}, p50", taken, 0.5, 2.0) for name, taken in kinds),
            *(self._durable(f"{name}{state}, p99", taken, 0.99, None) for name, taken in kinds),
            Figure(
                f"{IN_FLIGHT} presses in flight{state}",
                median(self.flood),
                median(self.bare_rate),
                "bare, one by one",
                "/s",
                ratio_at_least(3.0),
            ),
        ]

    def _durable(self, name: str, taken: list[float], share: float, aim: float | None) -> Figure:
        floor_ms = percentile(self.bare, share) * 1000
        judged = ratio_at_most(aim) if aim else None
        return Figure(name, percentile(taken, share) * 1000, floor_ms, "bare commit", "ms", judged)


class Bench:
    """A running journal and the bare database beside it, on the same disk."""

    def __init__(self, settings: Settings, journal: Journal, floor: BareCommits) -> None:
        self.journal = journal
        self.floor = floor
        self.by_pin = presses(settings, keyed=False)
        self.by_wire = presses(settings, keyed=True)

    def fill_logs(self) -> None:
        """Until both logs have their full size."""
        for _ in range(LOG_PAGES):
            self.floor.one_s()
        for press in itertools.islice(self.by_wire, LOG_PAGES // 2):
            accepted(self.journal.submit(press))


def press_figures(singles: int, floods: int, tell: Callable[[str], None]) -> list[Figure]:
    """One press at a time (`singles` of each kind) and `floods` with many at once, in both states."""
    settings = load(SITE_FILE, settings_by_kind())
    growing, steady = Samples(), Samples()
    with _new_bench(settings) as bench:
        bench.fill_logs()
        steady.take(bench, singles)
        tell(f"{len(steady.by_pin)} single presses of each kind")
        for _ in range(floods):
            steady.take_flood(bench, FLOOD)
        tell(f"{floods} times {FLOOD} presses with {IN_FLIGHT} in flight")
    for _ in range(floods):
        with _new_bench(settings) as bench:
            growing.take(bench, SINGLES_WHILE_GROWING)
        with _new_bench(settings) as bench:
            growing.take_flood(bench, FLOOD_WHILE_GROWING)
    tell(f"the same after {floods} starts")
    return [*steady.figures(""), *growing.figures(" after a start")]


@contextmanager
def _new_bench(settings: Settings) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as name, running_journal(Path(name), settings, UnhurriedClock()) as journal:
        floor = BareCommits(Path(name))
        try:
            yield Bench(settings, journal, floor)
        finally:
            floor.close()
