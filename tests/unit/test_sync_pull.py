"""Pages of what changed, on a real journal. (tests/property has the whole story.)"""

import itertools
import shutil
import sqlite3
from contextlib import closing

import pytest
from sqlite_utils import Database
from support.fake_clock import FakeClock
from support.journals import buckets, do, press, running_journal

from firmware_py.core.contracts import StartNode, Tick
from firmware_py.core.errors import BadCursor
from firmware_py.core.journal.schema import journal_migrations
from sync import pull
from sync.outbox import Outbox
from sync.protocol import MAX_BATCH_BUCKETS, WireBucket
from sync.pull import read_page


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def journal(tmp_path, clock):
    with running_journal(tmp_path, clock) as it:
        yield it


def seen(page):
    return {(one["series"], one["labels"].get("level"), one["hour"][11:13]): one["value"] for one in page.buckets}


def hours_of_presses(journal, clock, hours, counters=("1", "2")):
    """A press a counter in each of the next hours, and the end of each."""
    for _ in range(hours):
        for counter in counters:
            press(journal, 5, counter)
        clock.advance(3600)
        do(journal, Tick(source="node"))


def all_pages(journal, limit, after=""):
    pages = [read_page(journal, after, limit)]
    while pages[-1].more:
        pages.append(read_page(journal, pages[-1].next, limit))
    return pages


def test_an_empty_journal_has_an_empty_page_and_a_place_to_go_on_from(journal, clock):
    page = read_page(journal, "", 10)
    assert (page.buckets, page.more) == ([], False)
    press(journal, 5)
    assert seen(read_page(journal, page.next, 10)).keys() == {("ratings", "5", "01"), ("rating_delay", None, "01")}


def test_a_page_is_what_would_go_to_the_city(journal, clock):
    press(journal, 2)
    clock.advance(1)
    press(journal, 5)
    page = read_page(journal, "", 100)
    sent = Outbox(journal, clock).load(MAX_BATCH_BUCKETS)
    by_key = [sorted(map(repr, wires)) for wires in (page.buckets, [item.wire for item in sent.buckets])]
    assert by_key[0] == by_key[1]
    for wire in page.buckets:
        WireBucket.model_validate(wire)


def test_what_the_city_took_already_is_there_for_a_puller_too(journal, clock):
    press(journal, 5)
    with closing(sqlite3.connect(journal.path)) as db, db:
        db.execute("UPDATE bucket SET pending_since = NULL, accepted_revision = revision")
    assert len(read_page(journal, "", 10).buckets) == 2


def test_only_what_changed_comes_again(journal, clock):
    press(journal, 5)
    press(journal, 3, "2")
    page = read_page(journal, "", 10)
    assert not page.more
    assert read_page(journal, page.next, 10).buckets == []
    clock.advance(60)
    press(journal, 5)
    again = read_page(journal, page.next, 10)
    assert seen(again)["ratings", "5", "01"] == {"count": 2}
    assert len(again.buckets) == 2


def test_what_became_nothing_and_the_end_of_an_hour_are_changes(journal, clock):
    press(journal, 2)
    page = read_page(journal, "", 10)
    clock.advance(1)
    press(journal, 5)
    page = read_page(journal, page.next, 10)
    assert seen(page)["ratings", "2", "01"] == {"count": 0}
    assert not any(one["final"] for one in page.buckets)
    clock.advance(3600)
    do(journal, Tick(source="node"))
    page = read_page(journal, page.next, 10)
    assert len(page.buckets) == 4
    assert all(one["final"] for one in page.buckets)


@pytest.mark.parametrize("limit", [1, 3, 7, 500])
def test_pages_of_any_size_give_everything_once_in_order(journal, clock, limit):
    hours_of_presses(journal, clock, 6)
    pages = all_pages(journal, limit)
    given = [one for page in pages for one in page.buckets]
    assert len(given) == len(buckets(journal.reader()))
    assert [one["revision"] for one in given] == sorted(one["revision"] for one in given)
    whole_hours = [{one["hour"] for one in page.buckets} for page in pages]
    assert all(a.isdisjoint(b) for a, b in itertools.pairwise(whole_hours))
    assert all(len(page.buckets) < limit + 4 for page in pages)


def test_a_limit_is_a_wish_that_an_hour_may_exceed(journal, clock):
    for level in (1, 2, 3):
        press(journal, level)
        clock.advance(60)
    page = read_page(journal, "", 1)
    assert len(page.buckets) == 4
    assert not page.more  # the later ones of that hour were given with the first


def test_a_restart_changes_nothing_for_the_puller(tmp_path, clock):
    with running_journal(tmp_path, clock) as journal:
        press(journal, 5)
        page = read_page(journal, "", 10)
    with running_journal(tmp_path, clock) as journal:
        do(journal, StartNode(source="node", version="2"))
        assert read_page(journal, page.next, 10).buckets == []
        clock.advance(60)
        press(journal, 5)
        again = read_page(journal, page.next, 10)
        assert seen(again)["ratings", "5", "01"] == {"count": 1}  # of the new epoch: what counts is the sum
        assert {one["epoch"] for one in again.buckets} == {journal.epoch}


def test_another_journals_cursor_starts_from_the_beginning(tmp_path, journal, clock):
    press(journal, 5)
    (tmp_path / "other").mkdir()
    with running_journal(tmp_path / "other", clock) as other:
        press(other, 1)
        elsewhere = read_page(other, "", 10).next
    assert len(read_page(journal, elsewhere, 10).buckets) == 2


def test_after_a_restored_backup_the_puller_starts_from_the_beginning(tmp_path, clock):
    """Else what happened since the restore would hide below the numbers that it has seen."""
    folder, copy = tmp_path / "node", tmp_path / "copy"
    folder.mkdir()
    with running_journal(folder, clock) as journal:
        press(journal, 5)
        early = read_page(journal, "", 10).next
    shutil.copytree(folder, copy)
    with running_journal(folder, clock) as journal:
        for _ in range(5):
            clock.advance(60)
            press(journal, 5)
        late = read_page(journal, early, 10).next
    with running_journal(copy, clock) as journal:
        clock.advance(60)
        press(journal, 1)
        assert len(read_page(journal, late, 10).buckets) == 4
        assert len(read_page(journal, early, 10).buckets) == 2  # given from a state that this one has, too


def test_what_is_no_cursor_is_refused(journal):
    with pytest.raises(BadCursor):
        read_page(journal, "from the start, please", 10)


def test_a_page_is_found_by_index_and_never_by_walking(journal):
    """What a page costs is what is in it: no statement reads the table, or all of an index of what is kept."""
    for sql in (pull.LIVE, pull.SETTLED, pull.HOURS, pull.LINKED, pull.BUCKETS):
        count = 2 if "?2" in sql else sql.count("?")
        values = ["[]", 1][:count] if "json_each" in sql else [1] * count
        plan = [row[3] for row in journal.reader().rows(f"EXPLAIN QUERY PLAN {sql}", values)]
        walked = [step for step in plan if step.startswith("SCAN") and ("bucket" in step or "hour_link" in step)]
        assert [step for step in walked if "bucket_live" not in step] == [], plan


def test_what_is_live_is_the_running_hour_and_no_more(journal, clock):
    """Also with what an older epoch left behind, and with a late press into an hour that had ended."""
    live = "SELECT DISTINCT hour FROM bucket WHERE live = 1 ORDER BY hour"
    hours_of_presses(journal, clock, 3)
    assert journal.reader().rows(live) == []
    press(journal, 5)
    press(journal, 4, pressed_ago_s=3590)
    assert journal.reader().rows(live) == [("2026-11-23T03:00:00Z",), ("2026-11-23T04:00:00Z",)]
    do(journal, Tick(source="node"))
    assert journal.reader().rows(live) == [("2026-11-23T04:00:00Z",)]


def test_what_an_ended_epoch_left_live_is_settled_at_the_next_tick(tmp_path, clock):
    with running_journal(tmp_path, clock) as journal:
        press(journal, 5)
    with running_journal(tmp_path, clock) as journal:
        do(journal, Tick(source="node"))
        assert journal.reader().rows("SELECT count(*), sum(live) FROM bucket") == [(2, 0)]
        assert len(read_page(journal, "", 10).buckets) == 2
        assert not any(bucket.final for bucket in buckets(journal.reader()))  # the hour goes on in this epoch


def test_what_a_journal_held_before_it_could_be_pulled_is_settled_and_given(tmp_path, clock):
    with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as connection:
        db = Database(connection)
        journal_migrations.apply(db, stop_before="what_changed_since")
        db.execute(
            """INSERT INTO bucket (epoch, series, labels, hour, simulated, definition, value, revision)
               VALUES ('abcdef0123456789', 'notes', '{}', '2026-11-20T01:00:00Z', 0, 1, '{"count":3}', 7)"""
        )
    with running_journal(tmp_path, clock) as journal:
        press(journal, 5)
        assert journal.reader().rows("SELECT revision FROM bucket WHERE live = 0") == [(7,)]
        assert {one["series"] for one in read_page(journal, "", 10).buckets} == {"notes", "ratings", "rating_delay"}
