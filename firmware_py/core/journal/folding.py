"""Folding events into buckets: deltas gathered per transaction, written once before COMMIT.

A bucket is absolute state for (epoch, series, labels, simulated, definition, hour). Gathering first is what makes a group
commit cheap: 64 presses at four counters touch twenty buckets, not two hundred. A command's deltas count only once its
savepoint is released.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlite_utils import Database

from firmware_py.core.events import Event
from firmware_py.core.series import Delta, Series, add_parts, parts_of, value_json

Key = tuple[str, str, str, str, int, int]  # hour, series, labels, epoch, simulated, definition


@dataclass(slots=True)
class _Gathered:
    series: Series
    parts: tuple[int, ...]
    revision: int
    time: str


class Written(NamedTuple):
    """A bucket's row as this process wrote it last."""

    id: int
    revision: int
    parts: tuple[int, ...]


#: What was written lately, so that the next press need not read it back. It is believed only where the row still has the
#: revision that was written, and a rollback forgets it.
BucketMemory = dict[Key, Written]
REMEMBERED = 4096  # buckets: far more than are written within one hour


class FoldingTables:
    """The writer's view of the tables for one event at a time (`ports.Fold`), and the gathered deltas of a transaction."""

    def __init__(self, db: Database, memory: BucketMemory | None = None) -> None:
        self._db = db
        self._sql = db.conn.execute  # hot: sqlite-utils' own execute costs a microsecond a statement
        self._memory: BucketMemory = {} if memory is None else memory
        self._event: Event | None = None
        self._gathered: dict[Key, _Gathered] = {}
        self._own: list[tuple[Key, Delta, Event]] = []  # of the command now being applied
        self._ended: tuple[Event, str] | None = None

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one SELECT, inside the open transaction."""
        return self._sql(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row, inside the open transaction."""
        found: tuple[Any, ...] | None = self._sql(sql, parameters).fetchone()
        return found

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """One writing statement."""
        self._sql(sql, parameters)

    def begin_event(self, event: Event) -> None:
        """The event that the next `add` and `finalise` belong to."""
        self._event = event

    def add(self, delta: Delta) -> None:
        """Gather a delta for the event's epoch's bucket.

        Raises:
            ValueError: the parts are not of the series' shape; told here, where only the command itself is rolled back.
        """
        event = self._current()
        if len(delta.parts) != delta.series.width:
            raise ValueError(f"{delta.series.name} has values of {delta.series.width} parts, not {len(delta.parts)}")
        key = (
            delta.hour, delta.series.name, delta.labels, event.epoch, int(delta.simulated), delta.definition,
        )  # fmt: skip
        self._own.append((key, delta, event))

    def finalise(self, before_hour: str) -> None:
        """Mark the event's epoch's buckets of earlier hours final; each changes, so each gets the event's seq."""
        self._ended = (self._current(), before_hour)

    def keep_own(self) -> None:
        """The command's savepoint was released: its deltas belong to the transaction now."""
        moved: dict[int, set[str]] = {}
        for key, delta, event in self._own:
            known = self._gathered.get(key)
            if known is None:
                self._gathered[key] = _Gathered(delta.series, delta.parts, event.seq, event.time)
            else:
                known.parts = add_parts(known.parts, delta.parts)
                known.revision = event.seq
            if min(delta.parts) < 0:
                moved[event.seq] = set()
        if moved:
            self._link_hours(moved)
        self._own.clear()
        if self._ended is not None:
            self.flush()
            event, before_hour = self._ended
            self._ended = None
            self._sql(
                """UPDATE bucket SET final = 1, revision = ?, pending_since = coalesce(pending_since, ?),
                   rejected_code = NULL WHERE live = 1 AND final = 0 AND epoch = ? AND hour < ?""",
                (event.seq, event.time, event.epoch, before_hour),
            )
            self._sql(  # an older epoch's cannot change any more; an ended hour's rarely do
                "UPDATE bucket INDEXED BY bucket_live SET live = 0 WHERE live = 1 AND (epoch <> ? OR hour < ?)",
                (event.epoch, before_hour),
            )

    def _link_hours(self, moved: dict[int, set[str]]) -> None:
        """A correction that moves something between hours: they must reach the city in one batch (docs/protocol.md)."""
        epoch = self._own[0][2].epoch
        for key, _, event in self._own:
            if event.seq in moved:
                moved[event.seq].add(key[0])
        for hours in moved.values():
            first, *others = sorted(hours)
            for hour in others:
                self._sql("INSERT OR IGNORE INTO hour_link VALUES (?, ?, ?)", (epoch, first, hour))

    def drop_own(self) -> None:
        """The command's savepoint was rolled back."""
        self._own.clear()
        self._ended = None

    def flush(self) -> None:
        """Write what was gathered into the bucket table."""
        for key, gathered in self._gathered.items():
            self._write(key, gathered)
        self._gathered.clear()
        if len(self._memory) > REMEMBERED:
            self._memory.clear()

    def _write(self, key: Key, gathered: _Gathered) -> None:
        known = self._memory.get(key)
        if known is not None and self._rewrite(key, known, gathered):
            return
        found = self._sql(
            """SELECT id, value, pending_since IS NOT NULL, live FROM bucket
               WHERE hour = ? AND series = ? AND labels = ? AND epoch = ? AND simulated = ? AND definition = ?""",
            key,
        ).fetchone()
        if found is None:
            value = value_json(gathered.series, gathered.parts)
            self._sql(
                """INSERT INTO bucket
                       (hour, series, labels, epoch, simulated, definition, value, revision, pending_since, live)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)""",
                (*key, value, gathered.revision, gathered.time),
            )
            return
        id_, value, pending, live = found
        parts = add_parts(parts_of(json.loads(value)), gathered.parts)
        value = value_json(gathered.series, parts)
        self._sql("UPDATE bucket SET value = ?, revision = ? WHERE id = ?", (value, gathered.revision, id_))
        # Each only where it changes something: a column in an index that is set to what it was still writes the index's page.
        if not live:
            self._sql("UPDATE bucket SET live = 1 WHERE id = ?", (id_,))
        if not pending:
            self._sql("UPDATE bucket SET pending_since = ?, rejected_code = NULL WHERE id = ?", (gathered.time, id_))
        self._memory[key] = Written(id_, gathered.revision, parts)

    def _rewrite(self, key: Key, known: Written, gathered: _Gathered) -> bool:
        """Add to what was written last; False if the row is not as it was written, or in another index than it must be."""
        parts = add_parts(known.parts, gathered.parts)
        changed = self._sql(
            """UPDATE bucket SET value = ?, revision = ?
               WHERE id = ? AND revision = ? AND pending_since IS NOT NULL AND live = 1""",
            (value_json(gathered.series, parts), gathered.revision, known.id, known.revision),
        ).rowcount
        if changed != 1:
            return False
        self._memory[key] = Written(known.id, gathered.revision, parts)
        return True

    def _current(self) -> Event:
        if self._event is None:
            raise RuntimeError("add and finalise belong to an event: apply only")
        return self._event
