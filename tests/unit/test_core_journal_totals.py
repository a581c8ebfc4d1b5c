"""Running totals: what every series adds up to, equal to the buckets at any time and never read twice."""

import sqlite3
import threading
from collections import Counter
from contextlib import closing

import pytest
from support.fake_clock import FakeClock
from support.features import Note, Notes
from support.journals import DEADLINE_S, buckets, do, held, press, running_journal
from support.workers import until

from firmware_py.core.contracts import Tick
from firmware_py.core.journal import totals as totals_module
from firmware_py.core.journal.reading import Readers
from firmware_py.core.journal.totals import RunningTotals
from firmware_py.core.series import parts_of


@pytest.fixture
def clock():
    return FakeClock()


def from_buckets(journal):
    """The sums as the table gives them."""
    sums = {}
    for bucket in buckets(journal.reader()):
        key = (bucket.series, tuple(sorted(bucket.labels.items())), bucket.definition, bucket.simulated)
        parts = parts_of(bucket.value)
        sums[key] = tuple(map(sum, zip(sums.get(key, (0,) * len(parts)), parts, strict=True)))
    return sums


def told(journal, within_s=DEADLINE_S):
    return {
        (one.series, tuple(sorted(one.labels.items())), one.definition, one.simulated): one.parts
        for one in journal.totals(within_s)
    }


def test_totals_are_the_sums_over_hours_and_epochs(tmp_path, clock):
    for _ in range(3):
        with running_journal(tmp_path, clock) as journal:
            for level in (1, 4, 5):
                press(journal, level)
                clock.advance(2)
            press(journal, 3, "2", simulated=True)
            assert told(journal) == from_buckets(journal)
            clock.advance(3600)
            do(journal, Tick(source="node"))
            press(journal, 2)
            assert told(journal) == from_buckets(journal)
    assert told_parts(tmp_path, clock, "ratings", level="5") == (3,)


def told_parts(folder, clock, series, **labels):
    with running_journal(folder, clock) as journal:
        [parts] = [
            one.parts
            for one in journal.totals(DEADLINE_S)
            if one.series == series and labels.items() <= one.labels.items()
        ]
        return parts


def test_who_was_thanked_is_in_the_totals_at_once(tmp_path, clock):
    with running_journal(tmp_path, clock) as journal:
        for number in range(1, 30):
            clock.advance(60)
            press(journal, 5)
            assert told(journal)["ratings", (("counter", "1"), ("level", "5")), 1, False] == (number,)


@pytest.mark.parametrize("fails", ["decide", "apply", "after", "shape"])
def test_what_was_rolled_back_is_in_no_total(tmp_path, clock, fails):
    """Also when a neighbour of the same commit stands."""
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        with held(journal):
            futures = [journal.submit(Note(source="t", text="a", fails=how)) for how in ("", fails, "")]
        results = Counter(future.exception(DEADLINE_S) is None for future in futures)
        assert results == {True: 2, False: 1}
        assert told(journal) == from_buckets(journal)


def test_a_commit_that_failed_is_in_no_total(tmp_path, clock):
    """The disk refused it: nobody was thanked."""
    with running_journal(tmp_path, clock) as journal:
        press(journal, 5)
        with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # longer than the writer waits for it
            with pytest.raises(OSError, match="đầy hoặc không cho ghi"):
                press(journal, 4)
            other.execute("ROLLBACK")
        clock.advance(60)
        press(journal, 3)
        assert told(journal) == from_buckets(journal)


def test_closed_epochs_are_read_in_slices_and_only_once(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(totals_module, "SLICE_BUCKETS", 3)
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        for letter in "abcdefgh":
            do(journal, Note(source="t", text=letter))
        expected = told(journal)
        newest = journal.reader().row("SELECT max(id) FROM bucket")[0]
    readers = CountingReaders(tmp_path / "journal.db")
    totals = RunningTotals(readers, newest)
    answers = [totals.read(0)]
    while answers[-1] is None:  # each goes on where the one before stopped
        answers.append(totals.read(0))
    assert len(answers) == 6
    assert len(answers[-1]) == len(expected)
    assert readers.asked == 6
    assert totals.read(0) == answers[-1]
    assert readers.asked == 6
    readers.close()


class CountingReaders(Readers):
    """How often somebody read, and a door that a test can close."""

    def __init__(self, path):
        super().__init__(path)
        self.asked = 0
        self.door = threading.Event()
        self.door.set()

    def rows(self, sql, parameters=()):
        self.asked += 1
        assert self.door.wait(DEADLINE_S)
        return super().rows(sql, parameters)


def test_who_asks_while_another_reads_the_past_is_told_to_ask_again(tmp_path, clock):
    with running_journal(tmp_path, clock) as journal:
        press(journal, 5)
        newest = journal.reader().row("SELECT max(id) FROM bucket")[0]
    readers = CountingReaders(tmp_path / "journal.db")
    readers.door.clear()
    totals = RunningTotals(readers, newest)
    first = []
    reading = threading.Thread(target=lambda: first.append(totals.read(DEADLINE_S)))
    reading.start()
    until(lambda: readers.asked == 1, "the first reads")
    assert totals.read(0) is None
    readers.door.set()
    reading.join(DEADLINE_S)
    assert first == [totals.read(0)]
    readers.close()
