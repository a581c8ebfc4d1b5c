"""What a feature is to the journal, and the journal to everybody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from firmware_py.core.bus import Bus
from firmware_py.core.clock import Moment
from firmware_py.core.contracts import Command, Outcome, Rejection
from firmware_py.core.events import Event, NewEvent
from firmware_py.core.series import Delta


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


class SeriesTotal(NamedTuple):
    """One series' sum over all hours and epochs. `parts` as in `series.Delta`."""

    series: str
    labels: Mapping[str, str]
    definition: int
    simulated: bool
    parts: tuple[int, ...]


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

    def snapshot(self) -> AbstractContextManager[Reader]:
        """Several reads of one state, as it is committed now."""
        ...

    def totals(self, within_s: float) -> Sequence[SeriesTotal] | None:
        """What every series adds up to, all of what is committed; None if that takes longer: ask again."""
        ...

    def events_after(self, seq: int, limit: int) -> list[Event]:
        """From the disk, in order: for who fell behind the bus."""
        ...

    def chain_head(self) -> str:
        """The hash of the newest committed event."""
        ...


class Submit(Protocol):
    """Hand a command to the journal. The future ends after COMMIT, or with a `JournalError` and then nothing was kept."""

    def __call__(self, command: Command) -> Future[Outcome]:
        """Never blocks on the disk; callable from any thread."""
        ...
