"""Buckets: absolute state per epoch, gathered per group, final when their hour is over, linked when something moves."""

import pytest
from support.fake_clock import FakeClock
from support.features import Move, Note, Notes
from support.journals import buckets, do, events, held, press, running_journal, totals

from firmware_py.core.contracts import GiveRating, Tick

HOUR_1, HOUR_2 = "2026-11-23T01:00:00Z", "2026-11-23T02:00:00Z"


def note(text="a", **more):
    return Note(source="test", text=text, **more)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def journal(tmp_path, clock):
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        yield journal


@pytest.fixture
def hall(tmp_path, clock):
    with running_journal(tmp_path, clock) as journal:
        yield journal


def tick(journal):
    do(journal, Tick(source="node"))


def links(journal):
    return journal.reader().rows("SELECT epoch, hour_a, hour_b FROM hour_link ORDER BY hour_a, hour_b")


def test_a_buckets_revision_is_the_last_event_folded_in_whether_alone_or_in_a_group(journal):
    do(journal, note("a"))
    with held(journal):
        futures = [journal.submit(note(text)) for text in ("a", "b", "a", "b")]
    for future in futures:
        future.result(20)
    do(journal, note("b"))
    revisions = {bucket.labels["letter"]: bucket.revision for bucket in buckets(journal.reader(), "notes")}
    assert revisions == {"a": 4, "b": 6}
    assert totals(journal.reader(), "notes", "letter") == {"a": 3, "b": 3}


def test_each_hour_has_its_own_bucket(journal, clock):
    do(journal, note())
    clock.advance(3600)
    do(journal, note())
    assert [(bucket.hour, bucket.amount) for bucket in buckets(journal.reader(), "notes")] == [(HOUR_1, 1), (HOUR_2, 1)]


def test_simulated_and_real_are_never_in_one_bucket(journal):
    do(journal, note(simulated=True))
    do(journal, note())
    found = buckets(journal.reader(), "notes")
    assert sorted((bucket.simulated, bucket.amount) for bucket in found) == [(False, 1), (True, 1)]


def test_only_the_running_epochs_buckets_are_written(tmp_path, clock):
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        do(journal, note())
        first = buckets(journal.reader(), "notes")
    with running_journal(tmp_path, clock, [Notes()]) as journal:
        do(journal, note())
        found = buckets(journal.reader(), "notes")
        assert found[0] == first[0]
        assert [bucket.epoch for bucket in found] == [first[0].epoch, journal.epoch]
        assert totals(journal.reader(), "notes", "letter") == {"a": 2}


def test_a_new_or_changed_bucket_waits_for_the_city(journal):
    do(journal, note())
    (bucket,) = buckets(journal.reader(), "notes")
    assert bucket.pending
    journal.run(
        lambda tx: tx.execute(
            "UPDATE bucket SET pending_since = NULL, accepted_revision = revision, rejected_code = 'x'"
        )
    ).result(20)
    assert not buckets(journal.reader(), "notes")[0].pending
    do(journal, note())
    (bucket,) = buckets(journal.reader(), "notes")
    assert bucket.pending
    assert bucket.accepted_revision == 1
    assert journal.reader().rows("SELECT DISTINCT rejected_code FROM bucket") == [(None,)]


def test_a_bucket_waits_since_the_first_change_that_the_city_lacks(journal, clock):
    do(journal, note())
    clock.advance(60)
    do(journal, note())
    assert journal.reader().rows("SELECT pending_since FROM bucket WHERE series = 'notes'") == [
        ("2026-11-23T01:00:00.000Z",)
    ]


def test_a_tick_makes_the_buckets_of_earlier_hours_final_with_a_new_revision(hall, clock):
    press(hall, 5)
    tick(hall)
    assert not any(bucket.final for bucket in buckets(hall.reader()))
    clock.advance(3600)
    press(hall, 5)
    tick(hall)
    last = events(hall)[-1].seq
    found = buckets(hall.reader(), "ratings")
    assert [(bucket.hour, bucket.final, bucket.revision) for bucket in found] == [
        (HOUR_1, True, last),
        (HOUR_2, False, last - 1),
    ]
    assert found[0].amount == 1


def test_a_final_bucket_is_not_touched_by_later_ticks(hall, clock):
    press(hall, 5)
    clock.advance(3600)
    tick(hall)
    before = buckets(hall.reader(), "ratings")
    clock.advance(60)
    tick(hall)
    assert buckets(hall.reader(), "ratings") == before


def test_becoming_final_is_sent_to_the_city_too(hall, clock):
    press(hall, 5)
    hall.run(lambda tx: tx.execute("UPDATE bucket SET pending_since = NULL")).result(20)
    clock.advance(3600)
    tick(hall)
    (bucket,) = buckets(hall.reader(), "ratings")
    assert bucket.final
    assert bucket.pending


def test_a_tick_sees_what_was_gathered_before_it_in_the_same_group(hall, clock):
    with held(hall):
        hall.submit(GiveRating(source="panel-1", counter="1", level=5))
        ticked = hall.submit(Tick(source="node"))
    ticked.result(20)
    assert [bucket.amount for bucket in buckets(hall.reader(), "ratings")] == [1]
    clock.advance(3600)
    tick(hall)
    assert [bucket.final for bucket in buckets(hall.reader(), "ratings")] == [True]


def test_a_tick_on_an_untrusted_clock_makes_nothing_final(hall, clock):
    press(hall, 5)
    clock.reboot("boot-2", trusted=False)
    clock.advance(7200)
    tick(hall)
    assert not any(bucket.final for bucket in buckets(hall.reader()))


def test_buckets_of_older_epochs_are_not_made_final_by_this_one(tmp_path, clock):
    with running_journal(tmp_path, clock) as journal:
        press(journal, 5)
    clock.advance(3600)
    with running_journal(tmp_path, clock) as journal:
        tick(journal)
        assert [bucket.final for bucket in buckets(journal.reader(), "ratings")] == [False]


def test_a_press_into_an_hour_that_was_made_final_adds_to_what_stands_there(hall, clock):
    """A serial panel may resend a press of the hour before."""
    press(hall, 5)
    clock.advance(3600)
    tick(hall)
    assert press(hall, 5, pressed_ago_s=1800.0) == "counted"
    (bucket,) = buckets(hall.reader(), "ratings")
    assert (bucket.hour, bucket.amount, bucket.final, bucket.pending) == (HOUR_1, 2, True, True)


def test_a_bucket_that_somebody_else_changed_is_read_again(journal):
    do(journal, note("a"))
    do(journal, note("a"))
    journal.run(
        lambda tx: tx.execute("UPDATE bucket SET value = '{\"count\":10}', revision = 9 WHERE series = 'notes'")
    ).result(20)
    do(journal, note("a"))
    assert totals(journal.reader(), "notes", "letter") == {"a": 11}


def test_a_correction_that_moves_something_between_hours_links_them_for_one_batch(journal):
    do(journal, note("m"))
    do(journal, Move(source="test", from_hour=HOUR_2, to_hour=HOUR_1))
    assert links(journal) == [(journal.epoch, HOUR_1, HOUR_2)]
    found = {bucket.hour: bucket.amount for bucket in buckets(journal.reader(), "notes")}
    assert found == {HOUR_1: 2, HOUR_2: -1}


def test_a_correction_within_one_hour_links_nothing(journal):
    do(journal, note("m"))
    do(journal, Move(source="test", from_hour=HOUR_1, to_hour=HOUR_1))
    assert links(journal) == []
    assert totals(journal.reader(), "notes", "letter") == {"m": 1}


def test_an_emptied_bucket_stays_as_zero_so_that_the_city_hears_of_it(journal):
    do(journal, note("m"))
    do(journal, Move(source="test", from_hour=HOUR_1, to_hour=HOUR_2))
    found = {
        bucket.hour: (bucket.amount, bucket.revision, bucket.pending) for bucket in buckets(journal.reader(), "notes")
    }
    assert found == {HOUR_1: (0, 2, True), HOUR_2: (1, 2, True)}


def test_a_delta_of_another_shape_than_its_series_undoes_its_command_and_nothing_else(journal):
    with held(journal):
        broken = journal.submit(note("m", fails="shape"))
        good = journal.submit(note("a"))
    with pytest.raises(ValueError, match="notes has values of 1 parts, not 2"):
        broken.result(20)
    assert good.result(20).events[0].seq == 1
    assert len(events(journal)) == 1
    assert totals(journal.reader(), "notes", "letter") == {"a": 1}


def test_a_link_of_a_command_that_broke_is_not_kept(journal):
    do(journal, note("m"))
    with pytest.raises(RuntimeError, match="the rules broke"):
        do(journal, Move(source="test", from_hour=HOUR_1, to_hour=HOUR_2, fails=True))
    assert links(journal) == []
    assert totals(journal.reader(), "notes", "letter") == {"m": 1}
