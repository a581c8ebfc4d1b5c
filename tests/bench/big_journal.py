"""A journal with a long past, made by the real transaction in large groups: years of presses in minutes.

The clock is made up (days of PRESSES_A_DAY presses, at about the rate at which all four counters can count), the syncs are
left out while it is built, and nothing else is: events, chain, acts and buckets are what a node would have written.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from journal_bench import SITE_FILE

from config.loading import load
from config.opening import OpeningHours
from devices.kinds import settings_by_kind
from firmware_py.app import node_features
from firmware_py.core.clock import Moment
from firmware_py.core.contracts import (
    Accepted,
    Command,
    GiveRating,
    Outcome,
    Rejection,
    StartNode,
    StopNode,
    Tick,
    TrustClock,
)
from firmware_py.core.journal import schema
from firmware_py.core.journal.folding import BucketMemory
from firmware_py.core.journal.transaction import GroupTransaction, Head, Rules
from firmware_py.core.journal.writer import Journal

PRESSES_A_DAY = 10_000
PRESS_EVERY = timedelta(seconds=3.3)  # 13 s from press to press at each of four counters: all of them count
PRESSES_AN_HOUR = 1_090
GROUP = 500
TELL_EVERY = 250_000


class PastClock:
    """Civil time and uptime as the builder sets them."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self.utc = start

    def now(self) -> Moment:
        return Moment(self.utc, self.uptime_s(), "0" * 32, trusted=True)

    def uptime_s(self) -> float:
        return (self.utc - self._start).total_seconds() + 60


def build(folder: Path, presses: int, tell: Callable[[str], None]) -> None:
    """A journal of so many presses in `folder`, ending yesterday, cleanly stopped."""
    days = -(-presses // PRESSES_A_DAY)
    morning = datetime.now(UTC).replace(hour=0, minute=30, second=0, microsecond=0) - timedelta(days=days)
    clock = PastClock(morning)
    settings = load(SITE_FILE, settings_by_kind())
    features = node_features(settings, OpeningHours(settings.site))
    folder.mkdir(parents=True)
    journal = Journal(folder, clock, features)
    rules, head = Rules(features), Head(0, journal.chain_head())
    memory: BucketMemory = {}
    db = schema.connect_writer(journal.path)
    db.execute("PRAGMA synchronous = OFF")
    for number, group in enumerate(_groups(_commands(clock, morning, presses))):
        tx = GroupTransaction(db, clock, journal.epoch, rules, head, memory)
        tx.begin()
        for moment, command in group:
            clock.utc = moment
            _accepted(tx.decide(command))
        tx.commit()
        head = tx.head
        if number * GROUP % TELL_EVERY == 0 and number:
            tell(f"{number * GROUP:,} of {presses:,} events built")
    db.close()
    journal.close_readers()


def _accepted(outcome: Outcome) -> None:
    match outcome:
        case Accepted():
            return
        case Rejection():
            raise RuntimeError(f"the builder's command was refused: {outcome.text}")


def _groups(commands: Iterator[tuple[datetime, Command]]) -> Iterator[list[tuple[datetime, Command]]]:
    while group := list(itertools.islice(commands, GROUP)):
        yield group


def _commands(clock: PastClock, morning: datetime, presses: int) -> Iterator[tuple[datetime, Command]]:
    """Start, presses with a tick every hour, stop."""
    yield morning, StartNode(source="node", version="bench", simulated=True)
    yield morning, TrustClock(source="clock", origin="host", simulated=True)
    for number in range(presses):
        day, in_day = divmod(number, PRESSES_A_DAY)
        moment = morning + timedelta(days=day) + in_day * PRESS_EVERY
        if in_day % PRESSES_AN_HOUR == 0:
            yield moment, Tick(source="node", simulated=True)
        counter, level = str(number % 4 + 1), number % 7 % 5 + 1
        yield moment, GiveRating(source=f"panel-{counter}", simulated=True, counter=counter, level=level)
    yield clock.utc, StopNode(source="node", simulated=True)
