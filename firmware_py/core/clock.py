"""Time, and whether it can be believed.

A Raspberry Pi has no battery clock: after a power cut it boots in the past. So a moment always carries four things: the
civil time as the node knows it, the seconds since boot (which no clock step touches), the boot it belongs to, and whether
the civil time was trusted. Order is the journal's `seq`, never time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of the node's clock."""

    utc: datetime  # aware, UTC
    uptime_s: float  # since boot, suspended time included
    boot_id: str
    trusted: bool


class Clock(Protocol):
    """What the node asks for time; tests own a fake one."""

    def now(self) -> Moment:
        """One consistent reading."""
        ...

    def uptime_s(self) -> float:
        """Seconds since boot: for durations, deadlines and the age of a press."""
        ...


def iso(utc: datetime) -> str:
    """`2026-11-23T01:02:03.456Z`: milliseconds, UTC, the one way times are written in events and on the wire."""
    return utc.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_hour(utc: datetime) -> str:
    """The hour a moment belongs to, as buckets name it: `2026-11-23T01:00:00Z`."""
    return utc.astimezone(UTC).isoformat()[:13] + ":00:00Z"


def parse_iso(text: str) -> datetime:
    """An aware UTC datetime from what `iso` wrote.

    Raises:
        ValueError: not an ISO 8601 time, or one without its zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time without a zone: {text!r} (write 2026-11-23T01:00:00Z)")
    return moment.astimezone(UTC)


class SystemClock:
    """The host's clock, believed once a source of trust has spoken (`firmware_py.core.trust`).

    A source other than the host's own time service is anchored to the uptime, not to the host's civil time: that may still
    be stepped by whoever sets it right later.
    """

    def __init__(self) -> None:
        self._boot_id = BOOT_ID_FILE.read_text().strip()
        self._trusted: _Trusted | None = None  # one attribute, so that one reading is consistent

    def now(self) -> Moment:
        """One consistent reading."""
        trusted, uptime_s = self._trusted, self.uptime_s()
        zero = trusted.zero if trusted is not None else None
        utc = datetime.now(UTC) if zero is None else zero + timedelta(seconds=uptime_s)
        return Moment(utc, uptime_s, self._boot_id, trusted is not None)

    def uptime_s(self) -> float:
        """Seconds since boot, suspended time included (CLOCK_BOOTTIME)."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def trust(self, utc: datetime | None = None) -> None:
        """From now on civil time is believed: the host's own, or `utc` now and the uptime from here on."""
        zero = None if utc is None else utc - timedelta(seconds=self.uptime_s())
        self._trusted = _Trusted(zero)


@dataclass(frozen=True, slots=True)
class _Trusted:
    """`zero`: the civil time of the boot, where another than the host's clock is believed."""

    zero: datetime | None
