"""Reading the journal: a small pool of read-only connections, and rows as events."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from firmware_py.core.errors import JournalClosed
from firmware_py.core.events import Event
from firmware_py.core.journal.schema import connect_reader
from firmware_py.core.ports import Reader

EVENT_COLUMNS = "seq, id, type, source, time, boot_id, uptime_s, clock_trusted, epoch, simulated, purpose, data, hash"


def event_of(row: tuple[Any, ...]) -> Event:
    """An event from a row of EVENT_COLUMNS."""
    (seq, id_, type_, source, time, boot_id, uptime_s, trusted, epoch, simulated, purpose, data, hash_) = row
    return Event(
        seq, id_, type_, source, time, boot_id, uptime_s, bool(trusted), epoch, bool(simulated), purpose,
        json.loads(data), hash_,
    )  # fmt: skip


class _Snapshot:
    """One state of the database (`ports.Reader`)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one SELECT."""
        return self._connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row, or None."""
        found: tuple[Any, ...] | None = self._connection.execute(sql, parameters).fetchone()
        return found


class Readers:
    """Read-only connections, lent for one statement: one statement is one snapshot, and threads may come and go."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._closed:
                raise JournalClosed("Nhật ký đã đóng: nút đang dừng.")
            connection = self._idle.pop() if self._idle else None
        connection = connection or connect_reader(self._path)
        try:
            yield connection
        finally:
            with self._lock:
                keep = not self._closed and len(self._idle) < 8
                if keep:
                    self._idle.append(connection)
            if not keep:
                connection.close()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one SELECT."""
        with self._lent() as connection:
            return connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row, or None."""
        with self._lent() as connection:
            found: tuple[Any, ...] | None = connection.execute(sql, parameters).fetchone()
            return found

    @contextmanager
    def frozen(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state, whatever is committed meanwhile; the writer goes on."""
        with self._lent() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def snapshot(self) -> Iterator[Reader]:
        """Several statements over one snapshot."""
        with self.frozen() as connection:
            yield _Snapshot(connection)

    def events_after(self, seq: int, limit: int) -> list[Event]:
        """Events in order, from the disk."""
        sql = f"SELECT {EVENT_COLUMNS} FROM event WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - a constant
        return [event_of(row) for row in self.rows(sql, (seq, limit))]

    def let_go(self) -> None:
        """Close what is idle; who reads later gets a new connection."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def close(self) -> None:
        """Nobody reads any more; what is lent is closed when it comes back. Idempotent."""
        with self._lock:
            self._closed = True
        self.let_go()
