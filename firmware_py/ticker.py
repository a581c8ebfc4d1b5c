"""The ticker: `node.tick` every five minutes, at every hour, and when the doors open or close."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from firmware_py.core.clock import Clock
from firmware_py.core.contracts import Tick
from firmware_py.core.ports import JournalPort
from firmware_py.core.worker import Life

EVERY_S = 300.0
LATE_S = 0.05  # after the edge, so that the tick belongs to the new hour


class Doors(Protocol):
    """When the doors open or close next (`config.opening.OpeningHours`)."""

    def next_change(self, utc: datetime) -> datetime | None:
        """The next moment at which open and closed change places."""
        ...


def seconds_to_tick(utc: datetime, change: datetime | None) -> float:
    """How long until the next tick is due: five minutes, the full hour or the doors' next change, whichever is first."""
    hour = utc.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    edges_s = [(edge - utc).total_seconds() + LATE_S for edge in (hour, change) if edge is not None and edge > utc]
    return min([EVERY_S, *edges_s])


class Ticker:
    """Submits ticks; a Worker."""

    name = "ticker"
    deadline_s = EVERY_S * 2

    def __init__(self, clock: Clock, journal: JournalPort, doors: Doors, *, simulated: bool) -> None:
        self._clock = clock
        self._journal = journal
        self._doors = doors
        self._simulated = simulated

    def run(self, life: Life) -> None:
        """Tick until told to stop."""
        while True:
            now = self._clock.now()
            wait_s = seconds_to_tick(now.utc, self._doors.next_change(now.utc)) if now.trusted else EVERY_S / 5
            if life.wait(wait_s):
                return
            self._journal.submit(Tick(source="node", simulated=self._simulated))

    def wake(self) -> None:
        """Waits end with the stop flag."""
