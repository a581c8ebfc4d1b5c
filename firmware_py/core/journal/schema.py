"""The journal's own tables, its connections, and their migrations.

One connection writes (`isolation_level=None`, so that we say BEGIN IMMEDIATE ourselves: sqlite-utils' `atomic()` begins
deferred, and a read followed by a write then fails at once with "database is locked" beside another writer). Readers are
read-only. WAL with `synchronous=FULL`: measured, NORMAL is nine times faster and loses acknowledged rows on power cuts.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import uuid
from collections.abc import Iterable
from pathlib import Path

from sqlite_utils import Database, Migrations

from firmware_py.core.ports import SchemaStep

FILE_NAME = "journal.db"
SYNCHRONOUS = "FULL"  # the crash harness patches this to OFF, to show that its power-loss model bites

journal_migrations = Migrations("journal")


@journal_migrations()
def first_tables(db: Database) -> None:
    """Events, buckets, receipts of keys, reactors' cursors, and what is known of the database itself."""
    for statement in (
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
        # No AUTOINCREMENT: the writer numbers events from the chain's head (the anchor, when none is kept), so a number
        # is never given twice within an epoch, and each commit saves the page of sqlite_sequence.
        """CREATE TABLE event (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL, type TEXT NOT NULL, source TEXT NOT NULL, time TEXT NOT NULL,
            boot_id TEXT NOT NULL, uptime_s REAL NOT NULL, clock_trusted INTEGER NOT NULL,
            epoch TEXT NOT NULL, simulated INTEGER NOT NULL, purpose TEXT NOT NULL,
            data TEXT NOT NULL, hash TEXT NOT NULL) STRICT""",
        # Almost no event is untrusted: what waits for a trusted clock is found without reading the others.
        "CREATE INDEX event_untrusted ON event (seq, boot_id) WHERE clock_trusted = 0",
        """CREATE TABLE bucket (
            id INTEGER PRIMARY KEY,
            epoch TEXT NOT NULL, series TEXT NOT NULL, labels TEXT NOT NULL, hour TEXT NOT NULL,
            simulated INTEGER NOT NULL, definition INTEGER NOT NULL, value TEXT NOT NULL,
            revision INTEGER NOT NULL, final INTEGER NOT NULL DEFAULT 0, partial INTEGER NOT NULL DEFAULT 0,
            accepted_revision INTEGER NOT NULL DEFAULT 0, pending_since TEXT, rejected_code TEXT) STRICT""",
        "CREATE UNIQUE INDEX bucket_key ON bucket (hour, series, labels, epoch, simulated, definition)",
        # The outbox: `pending_since` is set while the city lacks the latest revision and did not reject it. Its figures
        # cost what is pending, not what is kept; a bucket that changes while pending leaves this index alone.
        "CREATE INDEX bucket_pending ON bucket (epoch, hour, pending_since) WHERE pending_since IS NOT NULL",
        "CREATE INDEX bucket_rejected ON bucket (id) WHERE rejected_code IS NOT NULL",
        "CREATE INDEX bucket_open ON bucket (epoch, hour) WHERE final = 0",
        """CREATE TABLE hour_link (
            epoch TEXT NOT NULL, hour_a TEXT NOT NULL, hour_b TEXT NOT NULL,
            PRIMARY KEY (epoch, hour_a, hour_b)) STRICT, WITHOUT ROWID""",
        """CREATE TABLE receipt (
            key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, result TEXT NOT NULL) STRICT, WITHOUT ROWID""",
        "CREATE TABLE reactor (name TEXT PRIMARY KEY, cursor_seq INTEGER NOT NULL) STRICT, WITHOUT ROWID",
        "CREATE TABLE sync_state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    ):
        db.execute(statement)
    journal_id = uuid.uuid4().hex
    for key, value in (
        ("journal_id", journal_id),
        # The chain's anchor: the hash before the oldest kept event. Retention moves it.
        ("anchor_seq", "0"),
        ("anchor_hash", hashlib.sha256(f"nucuoi journal {journal_id}".encode()).hexdigest()),
    ):
        db.execute("INSERT INTO meta VALUES (?, ?)", (key, value))


@journal_migrations()
def what_changed_since(db: Database) -> None:
    """What changed since a revision is found without reading the rest: for whoever pulls buckets (docs/api.md).

    An index on every bucket's revision would be written at every press, one page more on the card each time. So a bucket
    is `live` from its change until its hour has ended, and only a settled one stands in the index by revision. Those that
    are live are few: the running hour's. What there was before this step is settled.
    """
    for statement in (
        "ALTER TABLE bucket ADD COLUMN live INTEGER NOT NULL DEFAULT 0",
        "DROP INDEX bucket_open",  # what is not final in the running epoch is live
        "CREATE INDEX bucket_live ON bucket (epoch, hour) WHERE live = 1",
        "CREATE INDEX bucket_settled ON bucket (revision) WHERE live = 0",
        "CREATE INDEX hour_link_back ON hour_link (epoch, hour_b)",  # links are followed both ways; few are ever written
    ):
        db.execute(statement)


def migrate(db: Database, features: Iterable[tuple[str, Iterable[SchemaStep]]]) -> None:
    """Bring the journal's and every feature's tables up to date; each step in one transaction with its record."""
    journal_migrations.apply(db)
    for name, steps in features:
        migrations = Migrations(f"feature {name}")
        for step in steps:
            _register(migrations, step)
        migrations.apply(db)


def _register(migrations: Migrations, step: SchemaStep) -> None:
    def run(db: Database) -> None:
        for statement in step.statements:
            db.execute(statement)

    migrations(name=step.name)(run)


def connect_writer(path: Path) -> Database:
    """The one writing connection; it belongs to the thread that calls this."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        os.chmod(path, 0o640)  # noqa: PTH101 - the file may be open already; a Path adds nothing
        db = Database(connection, execute_plugins=False)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
        db.execute("PRAGMA busy_timeout = 5000")
        db.execute("PRAGMA journal_size_limit = 8388608")
    except BaseException:
        connection.close()
        raise
    return db


def connect_reader(path: Path) -> sqlite3.Connection:
    """A read-only connection that any thread may use, one at a time."""
    address = f"{path.resolve().as_uri()}?mode=ro"  # a folder's name may have ?, # or % in it
    connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA query_only = 1")
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA cache_size = -512")
    except BaseException:
        connection.close()
        raise
    return connection


def memory_database() -> Database:
    """An empty journal in memory, to refold events into."""
    return Database(sqlite3.connect(":memory:", isolation_level=None), execute_plugins=False)
