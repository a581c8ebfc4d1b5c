"""The protocols between the core and everything around it. Devices, sync and the API depend on these, never on each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from config.settings import Settings
from firmware_py.core.bus import Bus
from firmware_py.core.clock import Clock, Moment
from firmware_py.core.contracts import Command, Outcome, Rejection
from firmware_py.core.events import Event, NewEvent
from firmware_py.core.health import CheckResult
from firmware_py.core.series import Delta
from firmware_py.core.worker import Worker


class Submit(Protocol):
    """Hand a command to the journal. The future ends after COMMIT, or with a `JournalError` and then nothing was kept."""

    def __call__(self, command: Command) -> Future[Outcome]:
        """Never blocks on the disk; callable from any thread."""
        ...


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """How a device is, for pages and machines. `since` is the node's time (ISO) of the last change."""

    id: str
    kind: str
    counter: str | None
    wire: str
    simulated: bool
    available: bool
    reason: str  # empty when available; else why, and what to do
    light: str | None  # "ready" | "thanks" | "unavailable"; None for devices without lights
    faults: tuple[str, ...] = ()  # e.g. "button 3 stuck"
    since: str | None = None


class SimulatedWire(Protocol):
    """The far end of a simulated bus, as one device on it: what a hand, a plug or a multimeter would do and see.

    It exists only where the site file says `wire = "simulated"`. All code above the wire is production code.
    """

    def press(self, button: int, *, bounces: int = 0, hold_s: float = 0.1) -> None:
        """Press `button` (a level) for `hold_s` with `bounces` contact bounces at each edge; returns when released.

        Raises:
            WireError: there is no such button, or the device is unplugged.
        """
        ...

    def unplug(self) -> None:
        """Pull the plug: the device is gone until `plug`."""
        ...

    def plug(self) -> None:
        """Put the plug back; a device with a processor boots anew."""
        ...

    def snapshot(self) -> Mapping[str, Any]:
        """What could be seen there now: `{"plugged", "lights": {name: bool}, "buttons": {level: pressed}, "frames": [...]}`."""
        ...


class DevicePort(Protocol):
    """All devices of a node, as the app and the API see them."""

    def statuses(self) -> Sequence[DeviceStatus]:
        """Every configured device, in the site file's order."""
        ...

    def simulated(self, device_id: str) -> SimulatedWire | None:
        """The far end of a device's simulated wire; None for an unknown device or a real wire."""
        ...

    def thank(self, device_id: str, until_uptime_s: float) -> bool:
        """Light a device's thanks until then; False where the device has no light or is unavailable."""
        ...

    def set_accepting(self, *, accepting: bool) -> None:
        """Whether the journal takes events; while it does not, panels show "not available"."""
        ...

    def self_tests(self) -> Sequence[CheckResult]:
        """Each device's own test; a device that is unavailable is a FAIL with its reason."""
        ...

    def workers(self) -> Sequence[Worker]:
        """The threads that devices and wires need; the supervisor runs them."""
        ...

    def open(self) -> None:
        """Open every device that can be; the others are UNAVAILABLE with their reason. Never raises for hardware."""
        ...

    def close(self) -> None:
        """Release all hardware; idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class DeviceContext:
    """What the devices of a node are given to work with."""

    clock: Clock
    submit: Submit
    simulation: bool  # the site's mode: every event from it is marked simulated


class Reader(Protocol):
    """A read-only view of the journal's database, of the calling thread. Sees only what is committed."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one SELECT: one statement is one snapshot."""
        ...

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row, or None."""
        ...


class View(Reader, Protocol):
    """What decide sees: the tables as they stand inside the writer's open transaction, and the moment it decides at."""

    @property
    def moment(self) -> Moment:
        """The clock's reading for this command: the events' time. Features never ask a clock themselves."""
        ...

    @property
    def epoch(self) -> str:
        """The running epoch: the only one whose buckets are written."""
        ...


class Fold(Reader, Protocol):
    """What apply sees: no clock and no settings, so that the same events always fold to the same tables and buckets."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """One writing statement on a table that the feature owns."""
        ...

    def add(self, delta: Delta) -> None:
        """Fold a delta into the event's epoch's bucket; its revision becomes the event's seq."""
        ...

    def finalise(self, before_hour: str) -> None:
        """The event's epoch has seen the end of every hour before this one: mark their buckets final."""
        ...


class Transaction(View, Fold, Protocol):
    """The writer's open transaction, for jobs without events."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a command becomes. `result` answers who asked; the journal adds the first event's `id` to it."""

    events: Sequence[NewEvent]
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SchemaStep:
    """One migration of a feature's tables: applied once, in order, in one transaction. Never edited after release."""

    name: str
    statements: tuple[str, ...]


class Feature(Protocol):
    """The rules of one matter of the hall, on the journal's writer thread. Neither decide nor apply does I/O.

    Several features may decide one command; each sees what the ones before it applied.
    """

    @property
    def name(self) -> str:
        """The name of its set of migrations."""
        ...

    @property
    def commands(self) -> tuple[type[Command], ...]:
        """The commands that it decides."""
        ...

    @property
    def schema(self) -> Sequence[SchemaStep]:
        """Its own tables."""
        ...

    def decide(self, view: View, command: Command) -> Decision | Rejection:
        """Apply the rules; change nothing."""
        ...

    def apply(self, fold: Fold, event: Event) -> None:
        """Fold any event, its own or another's, into its tables and buckets. Test events never come here."""
        ...


T = TypeVar("T")


class JournalPort(Protocol):
    """The journal as sync, the API and the devices see it."""

    @property
    def id(self) -> str:
        """The database's random id; salvage makes a new one."""
        ...

    @property
    def epoch(self) -> str:
        """The running epoch (hex)."""
        ...

    @property
    def bus(self) -> Bus:
        """What was just committed."""
        ...

    def submit(self, command: Command) -> Future[Outcome]:
        """See `Submit`."""
        ...

    def run(self, job: Callable[[Transaction], T]) -> Future[T]:
        """Run a job without events (an acceptance mark, a cursor) in the writer's next transaction."""
        ...

    def reader(self) -> Reader:
        """The calling thread's read-only connection."""
        ...

    def events_after(self, seq: int, limit: int) -> list[Event]:
        """From the disk, in order: for who fell behind the bus."""
        ...

    def chain_head(self) -> str:
        """The hash of the newest committed event."""
        ...


@dataclass(frozen=True, slots=True)
class OutboxFigures:
    """What the city has not accepted yet."""

    pending: int
    oldest_age_s: float | None
    last_accepted_at: str | None
    rejected: int


class CityFaults(Protocol):
    """Simulation only: what the path to the embedded city does to the node's calls."""

    @property
    def state(self) -> str:
        """One of "up", "down", "slow", "error", "portal"."""
        ...

    def set(self, state: str) -> None:
        """Raises ValueError for an unknown state."""
        ...


class NodePort(Protocol):
    """A running node, as the local API sees it."""

    @property
    def settings(self) -> Settings:
        """The site file."""
        ...

    @property
    def version(self) -> str:
        """The product's version."""
        ...

    @property
    def clock(self) -> Clock:
        """The node's clock."""
        ...

    @property
    def journal(self) -> JournalPort:
        """The journal."""
        ...

    @property
    def devices(self) -> DevicePort:
        """All devices."""
        ...

    @property
    def city_faults(self) -> CityFaults | None:
        """None unless the city is the embedded one of a simulation."""
        ...

    @property
    def city_url(self) -> str:
        """Where the city's scoreboard can be read (for the embedded one: its own address, not the faulty path)."""
        ...

    def health(self) -> Sequence[CheckResult]:
        """All checks, run now, none longer than its deadline."""
        ...

    def ready(self) -> str | None:
        """None when presses are taken; else why not."""
        ...

    def outbox(self) -> OutboxFigures:
        """The outbox's figures."""
        ...
