"""A journal at work in this process, and presses for it, one at a time or many in flight."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import config
from config.opening import OpeningHours
from config.settings import Settings
from firmware_py.app import node_features
from firmware_py.core.clock import Clock, Moment, SystemClock
from firmware_py.core.contracts import Accepted, GiveRating, Outcome, StartNode, TrustClock
from firmware_py.core.journal.writer import Journal, WriterWorker
from firmware_py.core.worker import Life

IN_FLIGHT = 64
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
