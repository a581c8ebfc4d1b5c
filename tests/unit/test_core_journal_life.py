"""The journal from open to close: epochs, migrations, closing, and a disk that does not take it."""

import sqlite3
import threading
from contextlib import closing

import pytest
from support.fake_clock import FakeClock
from support.features import LaterNotes, Note, Notes
from support.journals import do, events, hall_features, held, running_journal, totals

from firmware_py.core.contracts import Accepted, Tick
from firmware_py.core.errors import JournalBroken, JournalClosed, JournalRefusing, JournalUnreadable
from firmware_py.core.journal.writer import Journal, WriterWorker
from firmware_py.core.worker import Life


def note(text="a", **more):
    return Note(source="test", text=text, **more)


@pytest.fixture
def clock():
    return FakeClock()


def test_every_start_is_a_new_epoch_and_the_chain_goes_on(tmp_path, clock):
    epochs, journals = [], []
    for _ in range(3):
        with running_journal(tmp_path, clock, [Notes()]) as journal:
            do(journal, note())
            epochs.append(journal.epoch)
            journals.append(journal.id)
            kept = events(journal)
    assert len(set(epochs)) == 3
    assert len(set(journals)) == 1
    assert [event.epoch for event in kept] == epochs
    assert [event.seq for event in kept] == [1, 2, 3]


def test_two_journals_have_two_ids_and_two_chains(tmp_path, clock):
    ids, heads = set(), set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with running_journal(tmp_path / name, clock, [Notes()]) as journal:
            ids.add(journal.id)
            heads.add(journal.chain_head())
    assert len(ids) == len(heads) == 2


def test_the_bus_begins_where_the_journal_ended(tmp_path, clock):
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        do(journal, note(times=3))
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        assert journal.bus.head == 3
        assert journal.bus.after(3) == []
        assert journal.bus.after(0) is None
        assert [event.seq for event in journal.events_after(1, 1)] == [2]


def test_an_event_from_the_bus_equals_the_one_on_the_disk(tmp_path, clock):
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        do(journal, note("chữ Việt", simulated=True, purpose="test"))
        assert journal.bus.wait(0, 20)
        assert journal.bus.after(0) == journal.events_after(0, 10)


def test_closing_commits_what_was_handed_in_before(tmp_path, clock):
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        with held(journal):
            futures = [journal.submit(note()) for _ in range(700)]
            journal.close()
        assert all(isinstance(future.result(20), Accepted) for future in futures)
        assert journal.stopped.wait(20)
        assert totals(journal.reader(), "notes", "letter") == {"a": 700}


def test_after_closing_nothing_is_kept_and_everybody_is_told(tmp_path, clock):
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        do(journal, note())
        journal.close()
        with pytest.raises(JournalClosed):
            do(journal, note())
        with pytest.raises(JournalClosed):
            journal.run(lambda tx: tx.row("SELECT 1")).result(20)
        assert journal.refusing
        assert journal.stopped.wait(20)
        assert journal.bus.closed
        assert len(events(journal)) == 1


def test_whoever_submits_while_the_journal_closes_gets_an_answer(tmp_path, clock):
    """Kept or refused, never left waiting, and what was accepted is kept."""
    futures = []
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        go = threading.Event()

        def submit():
            go.wait(20)
            futures.extend([journal.submit(note()) for _ in range(200)])

        threads = [threading.Thread(target=submit) for _ in range(4)]
        for thread in threads:
            thread.start()
        go.set()
        futures.append(journal.submit(note()))
        futures[-1].result(20)
        journal.close()
        for thread in threads:
            thread.join(20)
        errors = [future.exception(20) for future in futures]
        kept = errors.count(None)
        assert all(error is None or isinstance(error, JournalClosed) for error in errors)
        assert len(events(journal)) == kept


def test_a_submission_that_slipped_in_behind_the_writers_end_is_answered(tmp_path, clock):
    """Between a caller's look at the closed flag and its handing in, the writer may have looked for the last time."""
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        journal.close()
        assert journal.stopped.wait(20)
        journal._closed = False  # as that caller saw it
        with pytest.raises(JournalClosed):
            do(journal, note())


def test_a_closed_journals_readers_refuse(tmp_path, clock):
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        reader = journal.reader()
        journal.close_readers()
        with pytest.raises(JournalClosed):
            reader.row("SELECT 1")


def test_readers_may_be_used_by_many_threads_at_once(tmp_path, clock):
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        do(journal, note())
        found = []
        threads = [
            threading.Thread(
                target=lambda: found.extend(journal.reader().row("SELECT count(*) FROM event")[0] for _ in range(20))
            )
            for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert found == [1] * 240


def test_migrations_run_once_however_often_the_journal_is_opened(tmp_path, clock):
    schemas = set()
    for _ in range(3):
        with running_journal(tmp_path, clock, [Notes()]) as journal:
            do(journal, note())
            schemas.add(tuple(journal.reader().rows("SELECT name, sql FROM sqlite_master ORDER BY name")))
    assert len(schemas) == 1
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        assert len(events(journal)) == 3


def test_a_migration_that_comes_later_is_applied_to_what_is_there(tmp_path, clock):
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        do(journal, note())
    for _ in range(2):
        with running_journal(tmp_path, clock, [LaterNotes()]) as journal:
            assert journal.reader().rows("SELECT text, colour FROM note") == [("a", "blue")]


def test_a_feature_that_is_added_later_gets_its_tables(tmp_path, clock):
    with running_journal(tmp_path, clock, []):
        pass
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        assert isinstance(do(journal, note()), Accepted)


def test_a_migration_that_fails_leaves_nothing_half_done(tmp_path, clock):
    class Broken(Notes):
        schema = (
            *Notes.schema,
            type(Notes.schema[0])("broken", ("CREATE TABLE half (a INTEGER)", "CREATE TABLE half (a INTEGER)")),
        )

    with running_journal(tmp_path, clock, [Notes()]):
        pass
    with pytest.raises(JournalUnreadable, match="half"):
        Journal(tmp_path, clock, [Broken()])
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        assert journal.reader().rows("SELECT name FROM sqlite_master WHERE name = 'half'") == []


def test_the_journals_file_is_not_for_everyone_to_read(tmp_path, clock):
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        assert journal.path.stat().st_mode & 0o007 == 0


def test_a_file_that_is_no_journal_is_an_error_at_the_start(tmp_path, clock):
    (tmp_path / "journal.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(JournalUnreadable, match="cannot be used as a journal"):
        Journal(tmp_path, clock, [Notes()])


def full(tx):
    """What a full disk does to the next page."""
    pages = tx.row("PRAGMA page_count")[0]
    tx.row(f"PRAGMA max_page_count = {pages}")


def roomy(tx):
    tx.row("PRAGMA max_page_count = 1000000")


def test_a_full_disk_is_refused_without_ending_and_forgiven_when_there_is_room(tmp_path, clock):
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        do(journal, note())
        journal.run(full).result(20)
        with held(journal):
            big = journal.submit(note("x" * 100_000))
            small = journal.submit(note("y"))
        for future in (big, small):
            with pytest.raises(JournalRefusing):
                future.result(20)
        assert journal.refusing
        assert journal.broken is None
        assert len(events(journal)) == 1
        journal.run(roomy).result(20)
        journal.probe().result(20)
        assert journal.refusing is None
        assert isinstance(do(journal, note("x" * 100_000)), Accepted)
        assert totals(journal.reader(), "notes", "letter") == {"a": 1, "x": 1}


def test_only_what_was_really_written_shows_that_the_disk_takes_it_again(tmp_path, clock):
    """Else panels would show "ready" at every press that is refused by a rule, and "not available" at the next."""
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        do(journal, note(key="k"))
        journal.run(full).result(20)
        with pytest.raises(JournalRefusing):
            do(journal, note("x" * 100_000))
        do(journal, note(fails="reject"))
        do(journal, note(key="k"))
        assert journal.refusing
        journal.run(roomy).result(20)
        assert journal.refusing
        journal.probe().result(20)
        assert journal.refusing is None


def test_a_probe_of_a_disk_that_is_still_full_is_refused_and_harmless(tmp_path, clock):
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        do(journal, note())
        journal.run(full).result(20)
        with pytest.raises(JournalRefusing):
            do(journal, note("x" * 100_000))
        before = events(journal)
        journal.probe().exception(20)
        assert journal.broken is None
        assert events(journal) == before


def test_a_commit_that_fails_leaves_the_chain_and_the_numbers_as_they_were(tmp_path, clock):
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        do(journal, note())
        head = journal.chain_head()
        journal.run(full).result(20)
        with pytest.raises(JournalRefusing):
            do(journal, note("x" * 100_000))
        assert (journal.chain_head(), journal.bus.head) == (head, 1)
        journal.run(roomy).result(20)
        assert do(journal, note()).events[0].seq == 2


def test_what_a_refused_group_gathered_is_forgotten_with_it(tmp_path, clock):
    """Buckets that are written at every press are remembered between groups: not those of a group that was refused."""
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        do(journal, note("a"))
        do(journal, note("a"))
        journal.run(full).result(20)
        with held(journal):
            refused = [journal.submit(note("a")), journal.submit(note("x" * 100_000))]
        for future in refused:
            with pytest.raises(JournalRefusing):
                future.result(20)
        journal.run(roomy).result(20)
        do(journal, note("a"))
        assert totals(journal.reader(), "notes", "letter") == {"a": 3}


def disk_error(*_):
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    raise error


def test_after_an_io_error_nothing_more_is_kept_and_the_process_must_restart(tmp_path, clock):
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        do(journal, note())
        with held(journal):
            broken = [journal.submit(note()), journal.run(disk_error), journal.submit(note())]
        for future in broken:
            with pytest.raises(JournalBroken):
                future.result(20)
        assert journal.stopped.wait(20)
        assert journal.broken
        with pytest.raises(JournalClosed):
            do(journal, note())
        assert len(events(journal)) == 1


def test_a_broken_job_before_the_commit_leaves_nobody_waiting(tmp_path, clock):
    """A mistake of ours in it must end the process, not hang every press."""
    with running_journal(tmp_path, clock, [Notes()]) as journal:

        def breaks(_tx):
            raise ValueError("a mistake")

        journal.before_commit(breaks)
        with pytest.raises(JournalBroken, match="a mistake"):
            do(journal, note())
        assert journal.stopped.wait(20)
        assert journal.broken
        assert events(journal) == []


def test_a_small_job_joins_every_group_that_writes(tmp_path, clock):
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        seen = []
        journal.before_commit(lambda tx: seen.append(tx.row("SELECT count(*) FROM event")[0]))
        before = journal.groups
        do(journal, note())
        do(journal, note())
        assert seen == [1, 2]
        assert journal.groups == before + 2


def test_the_writer_beats_while_it_works(tmp_path, clock):
    journal = Journal(tmp_path, clock, [Notes()])
    life = Life()
    thread = threading.Thread(target=WriterWorker(journal).run, args=(life,))
    thread.start()
    for _ in range(3):
        before = life.beats
        do(journal, note())
        do(journal, note())
        assert life.beats > before
    WriterWorker(journal).wake()
    thread.join(20)
    assert not thread.is_alive()
    journal.close_readers()


def test_the_writing_connection_is_closed_at_the_end(tmp_path, clock):
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        do(journal, note())
    # Whoever closes the last connection folds the WAL into the file and removes it.
    assert not (tmp_path / "journal.db-wal").exists()
    with closing(sqlite3.connect(journal.path)) as db:
        assert db.execute("SELECT count(*) FROM event").fetchone() == (1,)


def test_a_writer_that_cannot_connect_leaves_nobody_waiting(tmp_path):
    """The folder went away between opening the journal and starting its writer."""
    journal = Journal(tmp_path, FakeClock(), hall_features())
    waiting = journal.submit(Tick(source="node"))
    for file in tmp_path.iterdir():
        file.unlink()
    tmp_path.rmdir()
    with pytest.raises(sqlite3.OperationalError):
        WriterWorker(journal).run(Life())
    with pytest.raises(JournalClosed):
        waiting.result(5)
    assert journal.stopped.is_set()
    assert journal.refusing
    journal.close_readers()
