"""What the main thread does while the node runs: look after the workers, the panels' lights and systemd's watchdog."""

from __future__ import annotations

from firmware_py.core import watchdog
from firmware_py.core.clock import Clock
from firmware_py.core.journal.writer import Journal
from firmware_py.core.ports import DevicePort
from firmware_py.features.timekeeping.feature import Calendar
from firmware_py.supervisor import Supervisor

PROBE_EVERY_S = 5.0


class Watch:
    """Looks every time it is asked to; keeps only what it saw last."""

    def __init__(
        self, supervisor: Supervisor, journal: Journal, devices: DevicePort, clock: Clock, calendar: Calendar
    ) -> None:
        self._supervisor = supervisor
        self._journal = journal
        self._devices = devices
        self._clock = clock
        self._calendar = calendar
        self._accepting = True
        self._probed_s = 0.0
        self._feed_s = watchdog.interval_s()
        self._fed_s = 0.0

    def look(self) -> str | None:
        """Look once; why the process should be restarted, if it should."""
        self._supervisor.look()
        self._tell_panels()
        self._feed_watchdog()
        return self._restart_for()

    def _tell_panels(self) -> None:
        """Panels show "not available" while the journal refuses, and the journal is asked whether it still does."""
        accepting = self._journal.refusing is None
        if accepting != self._accepting:
            self._accepting = accepting
            self._devices.set_accepting(accepting=accepting)
        now_s = self._clock.uptime_s()
        if not accepting and now_s - self._probed_s >= PROBE_EVERY_S:
            self._probed_s = now_s
            self._journal.probe()

    def _feed_watchdog(self) -> None:
        """Only while every required worker runs: then it is better to be restarted than to pretend."""
        now_s = self._clock.uptime_s()
        if self._feed_s is not None and now_s - self._fed_s >= self._feed_s and self._supervisor.alive():
            watchdog.notify("WATCHDOG=1")
            self._fed_s = now_s

    def _restart_for(self) -> str | None:
        """A hung thread can only be ended with its process: outside opening hours, so that nobody waits for it."""
        hung = self._supervisor.hung()
        now = self._clock.now()
        if hung and now.trusted and not self._calendar.is_open(now.utc):
            return f"hung: {', '.join(hung)}"
        return None
