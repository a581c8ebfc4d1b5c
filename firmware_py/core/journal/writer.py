"""The journal's writer: one thread, one connection, and a COMMIT before anyone is thanked.

Group commit: what waits together is committed together, so the disk's fsync rate bounds the groups, not the presses. The
thread is a worker like any other, but if it dies the process must end and be restarted: `broken` says so.
"""

from __future__ import annotations

import logging
import queue
import secrets
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any, TypeVar

from sqlite_utils import Database

from firmware_py.core.bus import Bus
from firmware_py.core.clock import Clock, iso
from firmware_py.core.contracts import Command, Outcome
from firmware_py.core.errors import JournalBroken, JournalClosed, JournalError, JournalRefusing, JournalUnreadable
from firmware_py.core.events import Event
from firmware_py.core.journal import schema
from firmware_py.core.journal.folding import BucketMemory
from firmware_py.core.journal.reading import Readers
from firmware_py.core.journal.totals import RunningTotals
from firmware_py.core.journal.transaction import GroupTransaction, Head, Rules
from firmware_py.core.ports import Feature, Reader, SeriesTotal, Transaction
from firmware_py.core.worker import Life

log = logging.getLogger(__name__)
T = TypeVar("T")
MAX_GROUP = 256
#: The disk cannot take it now and may later: refuse, go on. Anything else that fails a COMMIT ends the process.
_REFUSALS = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN})
#: The disk's word, not a rule's mistake: it concerns the whole group.
_DISK = _REFUSALS | {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_NOMEM}

_Item = tuple[Command | Callable[[Transaction], Any], "Future[Any]"]


class Journal:
    """One node's journal in `folder` (`ports.JournalPort`); `WriterWorker` is the thread that writes it.

    Raises:
        JournalUnreadable: the file is no database, is damaged, or cannot be written.
    """

    def __init__(self, folder: Path, clock: Clock, features: Sequence[Feature]) -> None:
        self.path = folder / schema.FILE_NAME
        self._clock = clock
        self._rules = Rules(features)
        self._epoch = new_epoch()
        self._inbox: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._closed = False
        self._refusing: str | None = None
        self.broken: str | None = None
        self.stopped = threading.Event()
        self.groups = 0
        self._before_commit: list[Callable[[Transaction], None]] = []
        self._id, head, newest_bucket = self._prepare()
        self._head = head
        self._memory: BucketMemory = {}
        self._bus = Bus(head.seq)
        self._readers = Readers(self.path)
        self._totals = RunningTotals(self._readers, newest_bucket)

    def _prepare(self) -> tuple[str, Head, int]:
        try:
            with closing(schema.connect_writer(self.path)) as db:
                schema.migrate(db, ((feature.name, feature.schema) for feature in self._rules.features))
                meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
                last = db.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
                newest_bucket = db.execute("SELECT coalesce(max(id), 0) FROM bucket").fetchone()[0]
        except (sqlite3.Error, KeyError) as error:
            raise JournalUnreadable(f"{self.path} cannot be used as a journal: {error}") from error
        head = Head(*(last or (int(meta["anchor_seq"]), meta["anchor_hash"])))
        return meta["journal_id"], head, newest_bucket

    @property
    def id(self) -> str:
        """The database's random id."""
        return self._id

    @property
    def epoch(self) -> str:
        """The running epoch: new at every process start."""
        return self._epoch

    @property
    def bus(self) -> Bus:
        """What was just committed."""
        return self._bus

    @property
    def refusing(self) -> str | None:
        """Why nothing is taken just now; None when events are taken."""
        return self.broken or self._refusing or ("đang dừng" if self._closed else None)

    def submit(self, command: Command) -> Future[Outcome]:
        """Hand in a command; the future ends after COMMIT, or with a JournalError and then nothing was kept."""
        return self._put(command)

    def run(self, job: Callable[[Transaction], T]) -> Future[T]:
        """Run a job without events in the next transaction."""
        return self._put(job)

    def _put(self, what: Command | Callable[[Transaction], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()  # what was handed in cannot be taken back: a cancelled one ended the writer
        if self._closed or self.broken:
            future.set_exception(JournalClosed("Nhật ký đã đóng: chưa ghi gì."))
        else:
            self._inbox.put((what, future))
            if self.stopped.is_set():  # the writer ended between the two lines above
                self._drain()
        return future

    def probe(self) -> Future[None]:
        """Write something small: while the journal refuses nobody presses, so nothing else would find the disk well again."""
        return self.run(
            lambda tx: tx.execute("INSERT OR REPLACE INTO meta VALUES ('probed_at', ?)", (iso(tx.moment.utc),))
        )

    def before_commit(self, job: Callable[[Transaction], None]) -> None:
        """A small job that joins every group that writes (reactors' cursors): it costs no fsync of its own."""
        self._before_commit.append(job)

    def reader(self) -> Reader:
        """Read-only access for any thread."""
        return self._readers

    def snapshot(self) -> AbstractContextManager[Reader]:
        """Several reads of one state; the writer goes on meanwhile and is not seen."""
        return self._readers.snapshot()

    def totals(self, within_s: float) -> Sequence[SeriesTotal] | None:
        """What every series adds up to; None: not known within that time, ask again."""
        return self._totals.read(within_s)

    def events_after(self, seq: int, limit: int) -> list[Event]:
        """From the disk, in order."""
        return self._readers.events_after(seq, limit)

    def chain_head(self) -> str:
        """The hash of the newest committed event."""
        return self._head.hash

    def write(self, life: Life) -> None:
        """The writer thread's life, until `close` or a failure that the process must not survive."""
        db: Database | None = None
        try:
            db = schema.connect_writer(self.path)
            while not self.broken and (group := self._next_group(life)):
                self._commit(db, group)
        except BaseException as error:
            self.broken = self.broken or "Nhật ký dừng vì lỗi: chương trình sẽ khởi động lại."
            log.critical("the journal's writer died: %r", error)
            raise
        finally:
            self._closed = True
            self._bus.close()
            self._readers.let_go()  # so that ours is the last to close: only a writing one folds the log into the database
            if db is not None:
                db.close()
            self.stopped.set()
            self._drain()

    def _next_group(self, life: Life) -> list[_Item] | None:
        """What waits together; None when closed and everything before the closing was taken."""
        while True:
            life.beat()
            try:
                first = self._inbox.get(timeout=5.0)
                break
            except queue.Empty:
                continue
        if first is None:
            return None
        group = [first]
        while len(group) < MAX_GROUP:
            try:
                item = self._inbox.get_nowait()
            except queue.Empty:
                break
            if item is None:
                self._inbox.put(None)
                break
            group.append(item)
        return group

    def _commit(self, db: Database, group: list[_Item]) -> None:
        tx = GroupTransaction(db, self._clock, self._epoch, self._rules, self._head, self._memory)
        changes = db.conn.total_changes
        try:
            tx.begin()
            answers = [self._decide(tx, what) for what, _ in group]
            for job in self._before_commit:
                job(tx)
            tx.commit()
        except Exception as error:  # noqa: BLE001 - whatever it was, nobody of the group may wait for ever
            try:
                tx.rollback()
            finally:
                self._fail(group, self._classify(error))
            return
        self._head = tx.head
        self._totals.add(tx.folded)
        if db.conn.total_changes != changes:  # a group of refusals and repeats asked nothing of the disk
            self._refusing = None
        self.groups += 1
        for (_, future), answer in zip(group, answers, strict=True):
            if isinstance(answer, _Failed):
                future.set_exception(answer.error)
            else:
                future.set_result(answer)
        if tx.events:
            self._bus.publish(tx.events)

    def _decide(self, tx: GroupTransaction, what: Command | Callable[[Transaction], Any]) -> Any:
        """One command's answer; only a failing disk may fail the others with it."""
        try:
            return tx.decide(what) if isinstance(what, Command) else tx.job(what)
        except Exception as error:
            if _disk_code(error) in _DISK:
                raise
            log.exception("a command failed and was rolled back; the others of its group stand")
            return _Failed(error)

    def _classify(self, error: Exception) -> JournalError:
        if _disk_code(error) in _REFUSALS:
            if self._refusing is None:
                log.error("the journal refuses events: %s", error)
            self._refusing = "Thẻ nhớ hoặc ổ đĩa đầy hoặc không cho ghi; chưa ghi gì. Hãy giải phóng chỗ trống."
            return JournalRefusing(self._refusing)
        # After a failed sync the kernel may have dropped the pages: only a restart and a check can tell.
        self.broken = "Lỗi khi ghi vào thẻ nhớ hoặc ổ đĩa: chương trình sẽ khởi động lại."
        log.critical("the journal's writer stops: %r", error)
        return JournalBroken(f"{self.broken} ({error!r})")

    @staticmethod
    def _fail(group: list[_Item], error: JournalError) -> None:
        for _, future in group:
            future.set_exception(error)

    def _drain(self) -> None:
        """Whoever still waits is told that nothing was kept."""
        while True:
            try:
                item = self._inbox.get_nowait()
            except queue.Empty:
                return
            if item is not None:
                item[1].set_exception(JournalClosed("Nhật ký đã đóng: chưa ghi gì."))

    def close(self) -> None:
        """Take nothing more; what was handed in before is still committed. Idempotent."""
        self._closed = True
        self._inbox.put(None)

    def close_readers(self) -> None:
        """The last step of a stop: nobody reads any more. Idempotent."""
        self._readers.close()


def _disk_code(error: Exception) -> int | None:
    """SQLite's primary result code, without the extended part."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


class _Failed:
    """A command's own error, kept until the group is committed."""

    def __init__(self, error: Exception) -> None:
        self.error = error


class WriterWorker:
    """The journal's writer thread, as the supervisor runs it. It is never restarted: if it dies, the process ends."""

    name = "journal"
    deadline_s = 30.0

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def run(self, life: Life) -> None:
        """Write until the journal is closed."""
        self._journal.write(life)

    def wake(self) -> None:
        """Close the journal: the writer ends once everything handed in before is durable."""
        self._journal.close()


def new_epoch() -> str:
    """128 random bits: a restored or cloned card can reuse a seq without harm, since its epoch is another."""
    return secrets.token_hex(16)
