"""The journal decides: each key once, each command in its own savepoint, what waits together in one commit."""

import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from support.fake_clock import FakeClock
from support.features import NOTED, Note, Notes
from support.journals import buckets, do, events, held, running_journal, totals

from firmware_py.core.contracts import Accepted, Rejection, Tick
from firmware_py.core.errors import JournalError


def note(text="a", **more):
    return Note(source="test", text=text, **more)


def counts(journal):
    return totals(journal.reader(), "notes", "letter")


@pytest.fixture
def journal(tmp_path):
    with running_journal(tmp_path, FakeClock(), [Notes()]) as journal:
        yield journal


def test_an_accepted_command_is_an_event_with_the_moment_it_was_decided_at(tmp_path):
    clock = FakeClock(uptime_s=50.123456)
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        outcome = do(journal, note("abc"))
        (event,) = events(journal)
    assert isinstance(outcome, Accepted)
    assert outcome.result == {"id": event.id, "known": 0}
    assert outcome.events == (event,)
    assert (event.seq, event.type, event.source, event.epoch) == (1, NOTED, "test", journal.epoch)
    assert (event.time, event.uptime_s) == ("2026-11-23T01:00:00.000Z", 50.123)
    assert (event.boot_id, event.clock_trusted) == ("boot-1", True)
    assert event.hash == journal.chain_head()


def test_a_retry_with_the_same_key_gets_the_first_answer_and_changes_nothing(journal):
    first = do(journal, note("abc", key="k"))
    do(journal, note("other"))
    again = do(journal, note("abc", key="k"))
    assert again == Accepted(first.result, duplicate=True)
    assert not first.duplicate
    assert len(events(journal)) == 2
    assert counts(journal) == {"a": 1, "o": 1}


def test_a_key_that_was_used_for_something_else_is_refused(journal):
    do(journal, note("abc", key="k"))
    refused = do(journal, note("xyz", key="k"))
    assert isinstance(refused, Rejection)
    assert refused.code == "key_reused"
    assert len(events(journal)) == 1


def test_a_key_is_decided_once_even_within_one_group_and_from_many_threads(journal):
    with held(journal), ThreadPoolExecutor(8) as threads:
        futures = list(threads.map(lambda _: journal.submit(note("abc", key="k")), range(40)))
    outcomes = [future.result(20) for future in futures]
    assert sum(not outcome.duplicate for outcome in outcomes) == 1
    assert len({outcome.result["id"] for outcome in outcomes}) == 1
    assert counts(journal) == {"a": 1}


def test_a_rejected_key_may_be_tried_again(journal):
    assert isinstance(do(journal, note("abc", key="k", fails="reject")), Rejection)
    assert isinstance(do(journal, note("abc", key="k")), Accepted)


@pytest.mark.parametrize("fails", ["decide", "apply", "after"])
def test_a_key_whose_command_broke_may_be_tried_again(journal, fails):
    with pytest.raises(RuntimeError, match="the rules broke"):
        do(journal, note("abc", key="k", fails=fails))
    assert isinstance(do(journal, note("abc", key="k")), Accepted)


def test_receipts_survive_a_restart(tmp_path):
    clock = FakeClock()
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        first = do(journal, note("abc", key="k"))
    clock.reboot("boot-2")
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        again = do(journal, note("abc", key="k"))
        assert again == Accepted(first.result, duplicate=True)
        assert isinstance(do(journal, note("xyz", key="k")), Rejection)


def test_what_waits_together_is_committed_together(journal):
    before = journal.groups
    with held(journal):
        futures = [journal.submit(note(f"{index}")) for index in range(100)]
    ids = [future.result(20).result["id"] for future in futures]
    assert journal.groups == before + 2  # the one that held the writer, and ours
    assert [event.id for event in events(journal)] == ids
    assert sum(counts(journal).values()) == 100


def test_a_group_has_a_limit_and_the_rest_follows(journal):
    with held(journal):
        futures = [journal.submit(note("a")) for _ in range(600)]
    assert all(isinstance(future.result(20), Accepted) for future in futures)
    assert counts(journal) == {"a": 600}


def test_nobody_is_answered_before_the_commit(journal):
    with held(journal):
        future = journal.submit(note("a"))
        assert not future.done()
        assert journal.reader().row("SELECT count(*) FROM event") == (0,)
        assert journal.bus.head == 0
    future.result(20)


def test_what_was_answered_is_on_the_disk(journal):
    """Seen by a connection that shares nothing with the writer, the moment the future ends."""
    other = sqlite3.connect(journal.path)
    try:
        for count in range(1, 20):
            do(journal, note("a"))
            assert other.execute("SELECT count(*) FROM event").fetchone() == (count,)
    finally:
        other.close()


def test_the_database_waits_for_the_disk_at_every_commit(journal):
    """PRAGMA synchronous = FULL (2): NORMAL loses acknowledged presses on a power cut."""
    pragmas = journal.run(lambda tx: (tx.row("PRAGMA synchronous"), tx.row("PRAGMA journal_mode"))).result(20)
    assert pragmas == ((2,), ("wal",))


def test_a_group_holds_the_write_lock_from_its_beginning(journal):
    """A transaction that only began to read fails at once, half-way, if somebody else writes meanwhile."""

    def somebody_else_writes(tx):
        tx.row("SELECT count(*) FROM event")
        with closing(sqlite3.connect(journal.path, timeout=0)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                return str(error)
        return "somebody else could write"

    assert journal.run(somebody_else_writes).result(20) == "database is locked"


def test_a_short_lock_of_somebody_else_is_waited_for(journal):
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        future = journal.submit(note())
        assert not future.done()
        other.execute("ROLLBACK")
        assert isinstance(future.result(20), Accepted)


@pytest.mark.parametrize("fails", ["decide", "apply", "after"])
def test_a_command_that_breaks_disturbs_nobody_else_of_its_group(journal, fails):
    with held(journal):
        before = journal.submit(note("a1", times=2))
        broken = journal.submit(note("b", times=2, fails=fails))
        after = journal.submit(note("a2"))
    with pytest.raises(RuntimeError, match="the rules broke"):
        broken.result(20)
    assert [event.seq for event in before.result(20).events] == [1, 2]
    assert [event.seq for event in after.result(20).events] == [3]
    assert after.result(20).result["known"] == 2  # it saw what was applied before, and nothing of the broken one
    assert [event.data["text"] for event in events(journal)] == ["a1", "a1", "a2"]
    assert counts(journal) == {"a": 3}
    assert totals(journal.reader(), "note_length", "letter") == {"a": 0.006}
    assert [bucket.revision for bucket in buckets(journal.reader(), "notes")] == [3]
    assert [event.seq for event in journal.bus.after(0) or []] == [1, 2, 3]


def test_the_chain_is_whole_after_a_command_broke(journal):
    do(journal, note("a"))
    with pytest.raises(RuntimeError):
        do(journal, note("a", fails="after"))
    do(journal, note("a"))
    one, two = events(journal)
    assert (one.seq, two.seq) == (1, 2)
    assert two.hash == journal.chain_head()


def test_a_rejection_leaves_nothing(journal):
    do(journal, note("a"))
    before = journal.reader().rows("SELECT * FROM bucket"), journal.chain_head()
    refused = do(journal, note("b", key="k", fails="reject"))
    assert refused == Rejection("no_notes", "Không ghi.")
    assert (journal.reader().rows("SELECT * FROM bucket"), journal.chain_head()) == before
    assert journal.reader().row("SELECT count(*) FROM receipt") == (0,)
    assert len(events(journal)) == 1


def test_a_command_that_no_feature_decides_is_an_error_and_the_writer_lives_on(journal):
    with pytest.raises(TypeError, match="no feature decides Tick"):
        do(journal, Tick(source="node"))
    assert isinstance(do(journal, note()), Accepted)


def test_answers_come_in_the_order_of_submission_and_so_do_the_numbers(journal):
    answered = []
    with held(journal):
        futures = [journal.submit(note(f"{index}")) for index in range(50)]
        for index, future in enumerate(futures):
            future.add_done_callback(lambda _done, index=index: answered.append(index))
    seqs = [future.result(20).events[0].seq for future in futures]
    assert seqs == sorted(seqs)
    assert answered == list(range(50))


def test_events_of_the_purpose_test_are_kept_and_counted_nowhere(journal):
    do(journal, note("abc", purpose="test"))
    do(journal, note("abd"))
    assert [event.purpose for event in events(journal)] == ["test", "normal"]
    assert counts(journal) == {"a": 1}
    assert journal.reader().row("SELECT count(*) FROM note") == (1,)


def test_a_reader_sees_only_what_is_committed_and_all_of_a_group_at_once(journal):
    seen = Counter()
    with held(journal):
        futures = [journal.submit(note("a", times=5)) for _ in range(20)]
        seen[journal.reader().row("SELECT count(*) FROM event")] += 1
    futures[0].result(20)
    seen[journal.reader().row("SELECT count(*) FROM event")] += 1
    assert seen == {(0,): 1, (100,): 1}


def test_a_reader_cannot_write(journal):
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        journal.reader().rows("DELETE FROM event")


def test_a_job_without_events_gives_its_result_and_a_broken_one_leaves_nothing(journal):
    do(journal, note("a"))
    assert journal.run(lambda tx: tx.rows("SELECT text FROM note")).result(20) == [("a",)]

    def breaks(tx):
        tx.execute("DELETE FROM note")
        raise RuntimeError("the job broke")

    with pytest.raises(RuntimeError, match="the job broke"):
        journal.run(breaks).result(20)
    assert journal.reader().row("SELECT count(*) FROM note") == (1,)


def test_a_job_that_writes_wrong_sql_disturbs_nobody_else(journal):
    with held(journal):
        wrong = journal.run(lambda tx: tx.execute("INSERT INTO nowhere VALUES (1)"))
        good = journal.submit(note())
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        wrong.result(20)
    assert isinstance(good.result(20), Accepted)


def test_a_command_that_was_handed_in_cannot_be_taken_back(journal):
    """Else a future that was cancelled would end the writer, and with it the node."""
    with held(journal):
        future = journal.submit(note())
        assert not future.cancel()
    assert isinstance(future.result(20), Accepted)
    assert isinstance(do(journal, note()), Accepted)


def test_errors_of_the_journal_are_told_from_errors_of_the_rules(journal):
    with pytest.raises(RuntimeError) as caught:
        do(journal, note(fails="decide"))
    assert not isinstance(caught.value, JournalError)
