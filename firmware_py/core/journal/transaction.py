"""One group's transaction: each command in its own savepoint, decided, appended, applied and folded.

An error rolls back only its own savepoint; what was gathered before stays. Nothing here knows of threads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlite_utils import Database

from firmware_py.core.clock import Clock, Moment, iso
from firmware_py.core.contracts import Accepted, Command, Outcome, Rejection
from firmware_py.core.events import Event, NewEvent, canonical_json, chain_hash, uuid7
from firmware_py.core.journal.folding import BucketMemory, FoldingTables, Key
from firmware_py.core.journal.reading import EVENT_COLUMNS
from firmware_py.core.ports import Feature, Transaction

T = TypeVar("T")
_INSERT = f"INSERT INTO event ({EVENT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608


@dataclass(slots=True)
class Head:
    """The chain's newest link."""

    seq: int
    hash: str


class Rules:
    """The features in the composition root's order, and who decides what."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self.features = tuple(features)
        self.deciders: dict[type[Command], list[Feature]] = {}
        for feature in self.features:
            for command in feature.commands:
                self.deciders.setdefault(command, []).append(feature)


class _Rejected(Exception):
    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.code)
        self.rejection = rejection


class GroupTransaction(FoldingTables):
    """The open transaction (`ports.Transaction`). `head`, `events` and `folded` are to be believed only after COMMIT."""

    def __init__(
        self, db: Database, clock: Clock, epoch: str, rules: Rules, head: Head, memory: BucketMemory | None = None
    ) -> None:
        super().__init__(db, memory)
        self._clock = clock
        self._epoch = epoch
        self._rules = rules
        self._moment: Moment | None = None
        self.head = head
        self.events: list[Event] = []
        self.folded: list[tuple[Key, tuple[int, ...]]] = []

    @property
    def moment(self) -> Moment:
        """The clock's reading for the command now being decided, or for the job."""
        if self._moment is None:
            self._moment = self._clock.now()
        return self._moment

    @property
    def epoch(self) -> str:
        """The running epoch."""
        return self._epoch

    def begin(self) -> None:
        """Take the write lock now: a deferred BEGIN could fail half-way."""
        self._sql("BEGIN IMMEDIATE")

    def flush(self) -> None:
        """Write what was gathered, and remember it for the running totals."""
        self.folded += [(key, gathered.parts) for key, gathered in self._gathered.items()]
        super().flush()

    def commit(self) -> None:
        """Write the gathered deltas and make all of it durable: returns after the fsync."""
        self.flush()
        self._sql("COMMIT")

    def rollback(self) -> None:
        """Nothing of this group happened."""
        self._memory.clear()
        if self._db.conn.in_transaction:
            self._sql("ROLLBACK")

    def decide(self, command: Command) -> Outcome:
        """Decide one command in its own savepoint; an error leaves the rest of the group as it was."""
        if command.key is not None:
            before = self.row("SELECT fingerprint, result FROM receipt WHERE key = ?", (command.key,))
            if before is not None:
                return _again(command, before)
        deciders = self._rules.deciders.get(type(command))
        if not deciders:
            raise TypeError(f"no feature decides {type(command).__name__}")
        self._moment = self._clock.now()
        try:
            return self._in_savepoint(lambda: self._decided(command, deciders))
        except _Rejected as rejected:
            return rejected.rejection

    def job(self, job: Callable[[Transaction], T]) -> T:
        """Run a job without events in its own savepoint."""
        self._moment = None
        return self._in_savepoint(lambda: job(self))

    def _decided(self, command: Command, deciders: Sequence[Feature]) -> Accepted:
        events: list[Event] = []
        result: dict[str, Any] = {}
        for feature in deciders:
            decision = feature.decide(self, command)
            if isinstance(decision, Rejection):
                raise _Rejected(decision)
            for new in decision.events:
                event = self._append(new)
                events.append(event)
                if event.purpose == "normal":
                    self.begin_event(event)
                    for reader in self._rules.features:
                        reader.apply(self, event)
            result.update(decision.result)
        if events:
            result = {"id": events[0].id, **result}
        if command.key is not None:
            self.execute(
                "INSERT INTO receipt VALUES (?, ?, ?)",
                (command.key, command.fingerprint(), canonical_json(result)),
            )
        return Accepted(result, tuple(events))

    def _append(self, new: NewEvent) -> Event:
        moment = self.moment
        data = canonical_json(new.data)
        fields = (
            self.head.seq + 1, uuid7(), new.type, new.source, iso(moment.utc), moment.boot_id,
            round(moment.uptime_s, 3), int(moment.trusted), self._epoch, int(new.simulated), new.purpose, data,
        )  # fmt: skip
        link = chain_hash(self.head.hash, fields)
        self._sql(_INSERT, (*fields, link))
        self.head = Head(fields[0], link)
        event = Event(
            fields[0], fields[1], new.type, new.source, fields[4], fields[5], fields[6], moment.trusted,
            self._epoch, new.simulated, new.purpose, new.data, link,
        )  # fmt: skip
        self.events.append(event)
        return event

    def _in_savepoint(self, work: Callable[[], T]) -> T:
        head, count = self.head, len(self.events)
        self._sql("SAVEPOINT command")
        try:
            done = work()
        except BaseException:
            if self._db.conn.in_transaction:
                self._sql("ROLLBACK TO command")
                self._sql("RELEASE command")
            self.head = head
            del self.events[count:]
            self.drop_own()
            raise
        self._sql("RELEASE command")
        self.keep_own()
        return done


def _again(command: Command, before: tuple[Any, ...]) -> Outcome:
    """A key that was decided before: the first answer again, or a refusal if it asks for something else."""
    fingerprint, result = before
    if fingerprint != command.fingerprint():
        return Rejection("key_reused", "Khóa chống lặp này đã dùng cho một yêu cầu khác; hãy gửi với khóa mới.")
    decided: Mapping[str, Any] = json.loads(result)
    return Accepted(decided, duplicate=True)
