"""A clock that goes only when a test says so (`firmware_py.core.clock.Clock`)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from firmware_py.core.clock import Moment

#: A Monday, 08:00 in Vietnam: the doors of any ward are open.
MONDAY_8_00 = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
#: What a Raspberry Pi without a battery clock believes after a power cut.
WRONG_TIME = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """Settable in every part. Safe to read from any thread: one reading is one object."""

    def __init__(
        self, utc: datetime = MONDAY_8_00, uptime_s: float = 100.0, boot_id: str = "boot-1", trusted: bool = True
    ) -> None:
        self._moment = Moment(utc, uptime_s, boot_id, trusted)

    def now(self) -> Moment:
        """One consistent reading."""
        return self._moment

    def uptime_s(self) -> float:
        """Seconds since boot."""
        return self._moment.uptime_s

    @property
    def utc(self) -> datetime:
        """The civil time as the node knows it."""
        return self._moment.utc

    def advance(self, seconds: float) -> None:
        """Time passes."""
        now = self._moment
        self._moment = replace(now, utc=now.utc + timedelta(seconds=seconds), uptime_s=now.uptime_s + seconds)

    def step(self, seconds: float) -> None:
        """The civil time jumps (a clock was set); the uptime goes on as if nothing were."""
        self._moment = replace(self._moment, utc=self._moment.utc + timedelta(seconds=seconds))

    def reboot(
        self, boot_id: str, utc: datetime | None = None, trusted: bool = False, *, uptime_s: float = 10.0
    ) -> None:
        """The computer starts anew: the uptime begins again. `utc` None: the civil time goes on as it was."""
        self._moment = Moment(self._moment.utc if utc is None else utc, uptime_s, boot_id, trusted)

    def trust(self, offset_s: float = 0.0) -> None:
        """From now on the civil time is believed; `offset_s` is added to it (`core.clock.SystemClock.trust`)."""
        self.step(offset_s)
        self._moment = replace(self._moment, trusted=True)
