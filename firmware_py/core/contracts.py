"""What parts of the node share without importing each other: commands, outcomes and the names of events.

Commands are wishes; events are facts. A command with a `key` is decided once: a retry with the same key gets the first
answer again and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, cast

from firmware_py.core.events import Event, Purpose, canonical_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A wish that the journal decides. `key` makes retries harmless.

    It names its maker, so that two makers never meet in one: `http:KEY` for requests, `DEVICE/...` for devices, whose ids
    have neither colon nor slash.
    """

    source: str
    key: str | None = None
    simulated: bool = False
    purpose: Purpose = "normal"

    def fingerprint(self) -> str:
        """What a retry must repeat: all but the key and the age of the press, which grows from try to try."""
        told = [[name, getattr(self, name)] for name in _told_fields(cast("Any", type(self)))]
        return canonical_json([type(self).__name__, told])


@cache
def _told_fields(command: type[Any]) -> tuple[str, ...]:
    return tuple(part.name for part in fields(command) if part.name not in {"key", "pressed_ago_s"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveRating(Command):
    """A citizen pressed a rating button. `pressed_ago_s`: how long before the decision the finger was on the button."""

    counter: str
    level: int
    pressed_ago_s: float = 0.0
    ticket: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDevice(Command):
    """A device became available or unavailable; `reason` in words for people, empty when available.

    `counter`: where it stands, so that whoever reads its hours knows whose they are.
    """

    device: str
    available: bool
    reason: str = ""
    counter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportButton(Command):
    """A button was cut off (`fault` "stuck" or "chattering"), or works again (`fault` None)."""

    device: str
    button: int
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick(Command):
    """Every five minutes and every hour: closes what is open, so that a power cut costs at most five minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartNode(Command):
    """The first command of an epoch."""

    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopNode(Command):
    """The last command of a clean stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustClock(Command):
    """From now on the clock is believed, by the word of `origin` (host, network, hardware, hub, city, person)."""

    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipEffect(Command):
    """A reactor came too late for an event: its effect did not happen, or nobody can say that it did."""

    reactor: str
    event_seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The command became events. `result` is the answer to whoever asked; `duplicate`: it was decided before."""

    result: Mapping[str, Any]
    events: tuple[Event, ...] = ()
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Rejection:
    """The command was refused by a rule; nothing changed. `code` is stable, `text` is for people."""

    code: str
    text: str


Outcome = Accepted | Rejection

RATING_GIVEN = "rating.given"
RATING_PLACED = "rating.placed"
DEVICE_AVAILABLE = "device.available"
DEVICE_UNAVAILABLE = "device.unavailable"
BUTTON_FAULTED = "button.faulted"
BUTTON_RECOVERED = "button.recovered"
NODE_STARTED = "node.started"
NODE_STOPPED = "node.stopped"
NODE_TICK = "node.tick"
SITE_OPENED = "site.opened"
SITE_CLOSED = "site.closed"
CLOCK_TRUSTED = "clock.trusted"
EFFECT_SKIPPED = "effect.skipped"

#: What of an event's data the live stream may carry. A vote is confidential: neither level nor outcome leaves here.
STREAMED_FIELDS: Mapping[str, tuple[str, ...]] = {
    RATING_GIVEN: ("counter",),
    RATING_PLACED: ("counter",),
    DEVICE_AVAILABLE: ("device",),
    DEVICE_UNAVAILABLE: ("device", "reason"),
    BUTTON_FAULTED: ("device", "fault"),  # not the button: a held one is a level, and its press was told just before
    BUTTON_RECOVERED: ("device",),
    NODE_STARTED: ("version",),
    NODE_STOPPED: (),
    NODE_TICK: (),
    SITE_OPENED: (),
    SITE_CLOSED: (),
    CLOCK_TRUSTED: ("origin",),
    EFFECT_SKIPPED: ("reactor", "event_seq", "reason"),
}
