"""Reactors: effects (lights, voice, displays) after COMMIT, with a durable cursor and an expiry.

A reactor's cursor is written with the next group that writes anyway, so it costs no fsync of its own; the price is that
after a power cut the newest events come again. An effect that is too late to make sense (a thank-you light for a press of
ten minutes ago) is not done, and that it was skipped is an event.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from firmware_py.core.clock import Clock
from firmware_py.core.contracts import EFFECT_SKIPPED, SkipEffect
from firmware_py.core.events import Event
from firmware_py.core.ports import JournalPort, Transaction
from firmware_py.core.worker import Life

log = logging.getLogger(__name__)
READ_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Reactor:
    """One effect: `react` is called once for each event of `types`, at most `expiry_s` after it."""

    name: str
    types: frozenset[str]
    expiry_s: float
    react: Callable[[Event], None]


class ReactorWorker:
    """Runs one reactor over the committed events, in order."""

    deadline_s = 30.0

    def __init__(self, reactor: Reactor, journal: JournalPort, clock: Clock, *, simulated: bool) -> None:
        self.name = f"reactor-{reactor.name}"
        self._reactor = reactor
        self._journal = journal
        self._clock = clock
        self._simulated = simulated
        found = journal.reader().row("SELECT cursor_seq FROM reactor WHERE name = ?", (reactor.name,))
        # A reactor that is new to this journal has nothing to catch up with.
        self._cursor = int(found[0]) if found else journal.bus.head
        self._written = -1

    def save_cursor(self, tx: Transaction) -> None:
        """Joins every group that writes: `Journal.before_commit`."""
        cursor = self._cursor
        if cursor != self._written:
            tx.execute("INSERT OR REPLACE INTO reactor VALUES (?, ?)", (self._reactor.name, cursor))
            self._written = cursor

    def run(self, life: Life) -> None:
        """React until told to stop."""
        bus = self._journal.bus
        while not life.stopping.is_set() and not bus.closed:
            life.beat()
            if bus.wait(self._cursor, 5.0):
                self._catch_up()

    def _catch_up(self) -> None:
        events: Sequence[Event] | None = self._journal.bus.after(self._cursor)
        if events is None:
            events = self._journal.events_after(self._cursor, READ_LIMIT)
        for event in events:
            if event.type in self._reactor.types:
                self._react(event)
            self._cursor = event.seq

    def _react(self, event: Event) -> None:
        now = self._clock.now()
        age_s = now.uptime_s - event.uptime_s if now.boot_id == event.boot_id else None
        if age_s is None or age_s > self._reactor.expiry_s:
            reason = "expired" if age_s is not None else "another boot"
            self._skip(event, reason)
            return
        try:
            self._reactor.react(event)
        except Exception as error:
            log.exception("reactor %s failed on event %d", self._reactor.name, event.seq)
            self._skip(event, f"failed: {error!r}")

    def _skip(self, event: Event, reason: str) -> None:
        if event.type != EFFECT_SKIPPED:
            self._journal.submit(
                SkipEffect(
                    source=self.name,
                    simulated=self._simulated,
                    reactor=self._reactor.name,
                    event_seq=event.seq,
                    reason=reason,
                )
            )

    def wake(self) -> None:
        """The bus is closed when the journal stops; until then waits end within five seconds."""
