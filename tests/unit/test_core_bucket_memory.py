"""The writer remembers the buckets that it wrote; what it remembers is never believed against the table."""

import sqlite3
from contextlib import closing

import pytest

from firmware_py.core.clock import Moment, parse_iso
from firmware_py.core.events import Event
from firmware_py.core.journal import schema
from firmware_py.core.journal.folding import FoldingTables
from firmware_py.core.journal.transaction import GroupTransaction, Head, Rules
from firmware_py.core.series import Delta, Series

COUNTS = Series("counts", "count")
HOUR = "2026-11-23T01:00:00Z"
TIME = "2026-11-23T01:02:03.000Z"


class StoppedClock:
    def now(self):
        return Moment(parse_iso(TIME), 1.0, "boot", trusted=True)

    def uptime_s(self):
        return 1.0


@pytest.fixture
def db(tmp_path):
    path = tmp_path / schema.FILE_NAME
    db = schema.connect_writer(path)
    schema.migrate(db, ())
    with closing(db):
        yield db


@pytest.fixture
def memory():
    return {}


def event(seq):
    return Event(seq, "id", "test", "test", TIME, "boot", 1.0, True, "epoch", False, "normal", {}, "hash")


def fold(tables, seq, counter="1", count=1):
    tables.begin_event(event(seq))
    tables.add(Delta(COUNTS, f'{{"counter":"{counter}"}}', HOUR, False, 1, (count,)))
    tables.keep_own()
    tables.flush()


def row(db, counter="1"):
    return db.execute(
        "SELECT value, revision, pending_since, rejected_code FROM bucket WHERE labels = ?",
        [f'{{"counter":"{counter}"}}'],
    ).fetchone()


def begun(db, memory):
    tx = GroupTransaction(db, StoppedClock(), "epoch", Rules(()), Head(0, ""), memory)
    tx.begin()
    return tx


def test_what_is_remembered_is_added_to_without_reading(db, memory):
    for seq in (1, 2, 3, 4):
        fold(FoldingTables(db, memory), seq)
    assert row(db)[:2] == ('{"count":4}', 4)
    assert [known.revision for known in memory.values()] == [4]


def test_a_bucket_that_another_statement_moved_on_is_read_anew(db, memory):
    for seq in (1, 2):
        fold(FoldingTables(db, memory), seq)
    db.execute("""UPDATE bucket SET value = '{"count":40}', revision = 7""")
    fold(FoldingTables(db, memory), 8)
    assert row(db)[:2] == ('{"count":41}', 8)


def test_a_bucket_that_the_city_accepted_waits_again(db, memory):
    for seq in (1, 2):
        fold(FoldingTables(db, memory), seq)
    db.execute("UPDATE bucket SET pending_since = NULL")
    fold(FoldingTables(db, memory), 3)
    assert row(db) == ('{"count":3}', 3, TIME, None)


def test_a_bucket_that_the_city_rejected_gets_another_chance(db, memory):
    for seq in (1, 2):
        fold(FoldingTables(db, memory), seq)
    db.execute("UPDATE bucket SET pending_since = NULL, rejected_code = 'conflict'")
    fold(FoldingTables(db, memory), 3)
    assert row(db) == ('{"count":3}', 3, TIME, None)


def test_a_bucket_that_is_gone_begins_anew(db, memory):
    for seq in (1, 2):
        fold(FoldingTables(db, memory), seq)
    db.execute("DELETE FROM bucket")
    fold(FoldingTables(db, memory), 3)
    assert row(db)[:2] == ('{"count":1}', 3)


def test_a_rollback_is_forgotten_although_its_row_numbers_and_revisions_come_again(db, memory):
    tx = begun(db, memory)
    fold(tx, 1, "1")
    fold(tx, 2, "1")
    tx.rollback()
    tx = begun(db, memory)
    fold(tx, 1, "2")
    fold(tx, 2, "2")  # the row and the revision that counter 1's bucket had before the rollback
    fold(tx, 3, "1")
    tx.commit()
    assert row(db, "1")[:2] == ('{"count":1}', 3)
    assert row(db, "2")[:2] == ('{"count":2}', 2)


def test_a_rollback_after_a_failed_commit_loses_and_doubles_nothing(db, memory):
    for seq in (1, 2):
        fold(FoldingTables(db, memory), seq)
    tx = begun(db, memory)
    fold(tx, 3, count=100)
    with pytest.raises(sqlite3.OperationalError):
        tx.execute("BEGIN")  # any failure of the disk's statement
    tx.rollback()
    tx = begun(db, memory)
    fold(tx, 3)
    tx.commit()
    assert row(db)[:2] == ('{"count":3}', 3)
