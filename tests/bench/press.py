"""Press to durable: a rating handed to the journal until its COMMIT, in this process, against the bare commit."""

from __future__ import annotations

import itertools
import tempfile
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from figures import Figure, median, percentile, ratio_at_least, ratio_at_most
from floors import BareCommits

import config
from config.loading import load
from config.opening import OpeningHours
from config.settings import Settings
from devices.kinds import settings_by_kind
from firmware_py.app import node_features
from firmware_py.core.clock import Clock, Moment, SystemClock
from firmware_py.core.contracts import Accepted, GiveRating, Outcome, StartNode, TrustClock
from firmware_py.core.journal.writer import Journal, WriterWorker
from firmware_py.core.worker import Life

IN_FLIGHT = 64
BLOCK = 25  # presses, then as many bare commits, and so on: the disk's mood is the same for both
FLOOD = 2000
LOG_PAGES = 1100  # SQLite begins its write-ahead log anew after 1,000 pages
ROUNDS_WHILE_GROWING = 4
SITE_FILE = Path(config.__file__).parent / "default.toml"


class UnhurriedClock:
    """The host's civil time, trusted; but CITIZEN_S of uptime pass between two readings, so that every press counts."""

    CITIZEN_S = 20.0

    def __init__(self) -> None:
        self._boot_id = SystemClock().now().boot_id
        self._uptime_s = 0.0

    def now(self) -> Moment:
        self._uptime_s += self.CITIZEN_S
        return Moment(datetime.now(UTC), self._uptime_s, self._boot_id, trusted=True)

    def uptime_s(self) -> float:
        return self._uptime_s


@contextmanager
def running_journal(folder: Path, settings: Settings, clock: Clock) -> Iterator[Journal]:
    """A journal with its writer thread, as a node that trusts its clock has it."""
    journal = Journal(folder, clock, node_features(settings, OpeningHours(settings.site)))
    writer = threading.Thread(target=WriterWorker(journal).run, args=(Life(),), name="journal")
    writer.start()
    try:
        journal.submit(StartNode(source="node", version="bench", simulated=True)).result()
        journal.submit(TrustClock(source="clock", origin="host", simulated=True)).result()
        yield journal
    finally:
        journal.close()
        writer.join()
        journal.close_readers()


def presses(settings: Settings, *, keyed: bool) -> Iterator[GiveRating]:
    """Endless presses over all counters and levels. `keyed`: with the key of an HTTP request or a serial frame."""
    counters = itertools.cycle([counter.id for counter in settings.counters])
    levels = itertools.cycle(range(1, settings.ratings.levels + 1))
    for counter, level in zip(counters, levels, strict=False):
        key = f"http/{uuid.uuid4().hex}" if keyed else None
        yield GiveRating(source="bench", key=key, simulated=True, counter=counter, level=level, pressed_ago_s=0.021)


def accepted(future: Future[Outcome]) -> None:
    outcome = future.result()
    if not (isinstance(outcome, Accepted) and outcome.result["outcome"] == "counted" and not outcome.duplicate):
        raise RuntimeError(f"a press of the bench was not counted: {outcome}")


def one_s(journal: Journal, press: GiveRating) -> float:
    """Seconds from handing in a press to its answer after COMMIT."""
    began = time.perf_counter()
    future = journal.submit(press)
    future.result()
    lasted_s = time.perf_counter() - began
    accepted(future)
    return lasted_s


def flood_rate(journal: Journal, source: Iterator[GiveRating], count: int) -> float:
    """Presses a second with IN_FLIGHT of them waiting for their COMMIT all the time."""
    waiting: deque[Future[Outcome]] = deque()
    began = time.perf_counter()
    for press in itertools.islice(source, count):
        if len(waiting) == IN_FLIGHT:
            accepted(waiting.popleft())
        waiting.append(journal.submit(press))
    for future in waiting:
        accepted(future)
    return count / (time.perf_counter() - began)


@dataclass(slots=True)
class Samples:
    """Seconds of single presses and of bare commits, taken in turns."""

    by_pin: list[float] = field(default_factory=list)
    by_wire: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    def take(self, bench: Bench, rounds: int) -> None:
        for _ in range(rounds):
            self.by_pin += [one_s(bench.journal, press) for press in itertools.islice(bench.by_pin, BLOCK)]
            self.bare += [bench.floor.one_s() for _ in range(BLOCK)]
            self.by_wire += [one_s(bench.journal, press) for press in itertools.islice(bench.by_wire, BLOCK)]
            self.bare += [bench.floor.one_s() for _ in range(BLOCK)]

    def figure(self, name: str, pressed: list[float], share: float, aim: float | None) -> Figure:
        floor_ms = percentile(self.bare, share) * 1000
        judged = ratio_at_most(aim) if aim else None
        return Figure(name, percentile(pressed, share) * 1000, floor_ms, "bare commit", "ms", judged)


class Bench:
    """A running journal and the bare database beside it, on the same disk."""

    def __init__(self, folder: Path, settings: Settings, journal: Journal) -> None:
        self.journal = journal
        self.floor = BareCommits(folder)
        self.by_pin = presses(settings, keyed=False)
        self.by_wire = presses(settings, keyed=True)

    def fill_logs(self) -> None:
        """Until both write-ahead logs have their full size: from then on a sync writes no file's length any more."""
        for _ in range(LOG_PAGES):
            self.floor.one_s()
        flood_rate(self.journal, self.by_pin, LOG_PAGES)
        for press in itertools.islice(self.by_wire, LOG_PAGES // 2):
            one_s(self.journal, press)


def press_figures(rounds: int, floods: int, tell: Callable[[str], None]) -> list[Figure]:
    """p50 and p99 of one press at a time (`rounds` times BLOCK of each kind), and the rate of `floods` with many at once."""
    settings = load(SITE_FILE, settings_by_kind())
    growing, steady = Samples(), Samples()
    rates, bare_rates = list[float](), list[float]()
    with tempfile.TemporaryDirectory() as name, running_journal(Path(name), settings, UnhurriedClock()) as journal:
        bench = Bench(Path(name), settings, journal)
        growing.take(bench, ROUNDS_WHILE_GROWING)
        bench.fill_logs()
        steady.take(bench, rounds)
        tell(f"{len(steady.by_pin)} single presses of each kind")
        for _ in range(floods):
            rates.append(flood_rate(journal, bench.by_pin, FLOOD))
            bare_rates.append(bench.floor.rate(FLOOD // 8))
        tell(f"{floods} times {FLOOD} presses with {IN_FLIGHT} in flight")
        bench.floor.close()
    return [
        steady.figure("press to durable, p50", steady.by_pin, 0.5, 2.0),
        steady.figure("press to durable, p99", steady.by_pin, 0.99, None),
        steady.figure("press with a key (HTTP, serial), p50", steady.by_wire, 0.5, 2.0),
        steady.figure("press with a key (HTTP, serial), p99", steady.by_wire, 0.99, None),
        growing.figure("press after a start (log grows), p50", growing.by_pin, 0.5, 2.0),
        Figure(
            f"presses with {IN_FLIGHT} in flight",
            median(rates),
            median(bare_rates),
            "bare, one by one",
            "/s",
            ratio_at_least(3.0),
        ),
    ]
