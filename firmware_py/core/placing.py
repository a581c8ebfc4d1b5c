"""Placing: when did it happen, if the clock was wrong at the time?

Events before trust belong to no hour. `clock.trusted` carries, for each boot that waits, the civil time of that boot's
start: exact for the running boot (now minus uptime), bounded for one that ended untrusted. This is pure reckoning; the
decision stands in the event, so that refolding needs no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from firmware_py.core.clock import parse_iso
from firmware_py.core.ports import Reader

Basis = Literal["exact", "bounded"]
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Placement:
    """The civil time of a boot's start. `bounded`: the truth lies somewhere within known bounds."""

    boot_id: str
    zero: datetime
    basis: Basis

    def at(self, uptime_s: float) -> datetime:
        """The civil time of an uptime of this boot."""
        return self.zero + timedelta(seconds=uptime_s)


@dataclass(frozen=True, slots=True)
class UntrustedBoot:
    """What the journal knows of a boot whose clock nobody trusted: its first and last event."""

    boot_id: str
    first_time: datetime  # as the wrong clock said
    first_uptime_s: float
    last_uptime_s: float

    @property
    def lasted_s(self) -> float:
        """From its first event to its last."""
        return self.last_uptime_s - self.first_uptime_s


def place_ended(boot: UntrustedBoot, after: datetime | None, before: datetime) -> Placement:
    """A boot that ended without trust: as its own clock said, pushed into the bounds that are known.

    `after`: the last trusted moment before it (None: the journal begins here). `before`: the latest moment at which its last
    event can have happened. Where both cannot hold, `before` wins: nothing lies in the future.
    """
    zero = boot.first_time - timedelta(seconds=boot.first_uptime_s)
    if after is not None:
        zero = max(zero, after - timedelta(seconds=boot.first_uptime_s))
    return Placement(boot.boot_id, min(zero, before - timedelta(seconds=boot.last_uptime_s)), "bounded")


def subtract(spans: Sequence[Span], holes: Sequence[Span]) -> list[Span]:
    """What of `spans` no hole covers."""
    left = list(spans)
    for hole_start, hole_end in holes:
        rest: list[Span] = []
        for start, end in left:
            if hole_end <= start or end <= hole_start:
                rest.append((start, end))
                continue
            if start < hole_start:
                rest.append((start, hole_start))
            if hole_end < end:
                rest.append((hole_end, end))
        left = rest
    return left


def intersect(span: Span, spans: Sequence[Span]) -> list[Span]:
    """The parts of `span` that lie in `spans`."""
    start, end = span
    return [(max(start, a), min(end, b)) for a, b in spans if max(start, a) < min(end, b)]


def placement_of(reader: Reader, boot_id: str) -> Placement | None:
    """Where `clock.trusted` placed a boot; None while it waits."""
    row = reader.row("SELECT zero, basis FROM boot_placed WHERE boot_id = ?", (boot_id,))
    return None if row is None else Placement(boot_id, parse_iso(row[0]), row[1])
