"""Ratings on the real journal: what counts, what is taken back, and what only is kept."""

from datetime import timedelta

import pytest
from support.calendars import AlwaysOpen, Hours
from support.fake_clock import MONDAY_8_00, FakeClock
from support.journals import buckets, do, events, hall_features, press, running_journal, totals

from config.settings import RatingsSettings
from firmware_py.core.contracts import RATING_GIVEN, GiveRating, Rejection
from firmware_py.core.journal.verify import verify
from firmware_py.core.ports import Decision
from firmware_py.features.ratings.feature import Ratings
from firmware_py.features.timekeeping import Timekeeping


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def journal(tmp_path, clock):
    with running_journal(tmp_path, clock) as journal:
        yield journal


def levels(journal):
    return totals(journal.reader(), "ratings", "level")


def excluded(journal):
    return totals(journal.reader(), "ratings_excluded", "reason")


def corrected(journal):
    return totals(journal.reader(), "ratings_corrected", "counter")


def test_a_press_counts_for_its_counter_its_level_and_its_hour(journal):
    assert press(journal, 5, "2") == "counted"
    (bucket,) = buckets(journal.reader(), "ratings")
    assert bucket.labels == {"counter": "2", "level": "5"}
    assert (bucket.hour, bucket.value, bucket.definition) == ("2026-11-23T01:00:00Z", {"count": 1}, 1)


def test_another_level_within_the_window_takes_the_place_of_the_first(journal, clock):
    press(journal, 2)
    clock.advance(5.0)
    assert press(journal, 5) == "corrected"
    assert levels(journal) == {"5": 1}
    assert corrected(journal) == {"1": 1}
    assert {bucket.labels["level"]: bucket.amount for bucket in buckets(journal.reader(), "ratings")} == {
        "2": 0,
        "5": 1,
    }


def test_what_is_taken_back_is_counted_by_its_level_too(journal, clock):
    """So that gross = net + taken back holds level by level: what /metrics may count up for ever."""
    press(journal, 2)
    clock.advance(1)
    press(journal, 5)
    clock.advance(1)
    press(journal, 3)
    assert totals(journal.reader(), "ratings_corrected", "level") == {"2": 1, "5": 1}
    assert {bucket.definition for bucket in buckets(journal.reader(), "ratings_corrected")} == {2}


class RatingsBeforeLevels(Ratings):
    """As the version before wrote its events: a correction did not name the level that it took back."""

    def decide(self, view, command):
        decision = super().decide(view, command)
        if isinstance(decision, Decision):
            for event in decision.events:
                event.data.pop("corrected_level")
        return decision


def test_a_journal_from_before_the_level_was_named_refolds_as_it_was(tmp_path, clock):
    before = [Timekeeping(AlwaysOpen()), RatingsBeforeLevels(RatingsSettings(), frozenset("12"), AlwaysOpen())]
    with running_journal(tmp_path, clock, before) as journal:
        press(journal, 2)
        assert press(journal, 5) == "corrected"
    with running_journal(tmp_path, clock) as journal:
        assert press(journal, 4) == "corrected"
        found = {b.definition: (b.labels, b.amount) for b in buckets(journal.reader(), "ratings_corrected")}
        assert found == {1: ({"counter": "1"}, 1), 2: ({"counter": "1", "level": "5"}, 1)}
    assert verify(tmp_path / "journal.db", hall_features()).findings == ()


def test_a_correction_may_be_corrected_and_the_window_is_the_first_presss(journal, clock):
    press(journal, 1)
    for level in (2, 3, 4):
        clock.advance(1.5)
        assert press(journal, level) == "corrected"
    clock.advance(1.0)  # 5.5 s after the first press
    assert press(journal, 5) == "lockout"
    assert levels(journal) == {"4": 1}
    assert corrected(journal) == {"1": 3}


def test_going_back_to_the_first_level_is_a_correction_too(journal, clock):
    press(journal, 5)
    clock.advance(1)
    press(journal, 1)
    clock.advance(1)
    assert press(journal, 5) == "corrected"
    assert levels(journal) == {"5": 1}


def test_repeat_and_lockout_are_kept_and_counted_apart(journal, clock):
    press(journal, 4)
    clock.advance(1)
    assert press(journal, 4) == "repeat"
    clock.advance(6)
    assert press(journal, 1) == "lockout"
    clock.advance(1.5)
    assert press(journal, 1) == "counted"
    assert levels(journal) == {"4": 1, "1": 1}
    assert excluded(journal) == {"repeat": 1, "lockout": 1}
    assert len(events(journal, RATING_GIVEN)) == 4


def test_counters_do_not_disturb_each_other(journal, clock):
    assert press(journal, 4, "1") == "counted"
    clock.advance(1)
    assert press(journal, 5, "2") == "counted"
    assert press(journal, 5, "1") == "corrected"
    assert levels(journal) == {"5": 2}


def test_simulated_and_real_presses_never_meet_in_one_act(journal, clock):
    press(journal, 4, simulated=True)
    clock.advance(1)
    assert press(journal, 5, simulated=False) == "counted"
    clock.advance(1)
    assert press(journal, 5, simulated=True) == "corrected"
    found = {
        (bucket.simulated, bucket.labels["level"]): bucket.amount for bucket in buckets(journal.reader(), "ratings")
    }
    assert found == {(True, "4"): 0, (True, "5"): 1, (False, "5"): 1}


def test_the_age_of_a_press_is_taken_off_before_it_is_judged(journal, clock):
    """A serial panel resends after a lost line: what counts is when the finger was there."""
    press(journal, 4)
    clock.advance(20)
    assert press(journal, 5, pressed_ago_s=16.0) == "corrected"
    assert press(journal, 3, pressed_ago_s=13.0) == "lockout"
    assert press(journal, 3, pressed_ago_s=0.0) == "counted"


def test_a_press_belongs_to_the_hour_of_the_finger_not_of_the_decision(journal, clock):
    clock.advance(3600 + 10)
    press(journal, 5, pressed_ago_s=30.0)
    assert [bucket.hour for bucket in buckets(journal.reader(), "ratings")] == ["2026-11-23T01:00:00Z"]


def test_a_press_from_the_future_is_one_from_now(journal):
    press(journal, 5, pressed_ago_s=-3.0)
    (event,) = events(journal, RATING_GIVEN)
    assert event.data["pressed_ago_s"] == 0.0


def test_the_delay_until_it_was_decided_is_kept_for_every_press(journal, clock):
    for ago_s in (0.02, 0.3, 0.3):
        clock.advance(20)
        press(journal, 5, pressed_ago_s=ago_s)
    (bucket,) = buckets(journal.reader(), "rating_delay")
    assert sum(bucket.value["counts"]) == 3
    assert bucket.value["sum_s"] == pytest.approx(0.62)


@pytest.mark.parametrize(
    ("counter", "level", "code"),
    [("9", 5, "unknown_counter"), ("", 5, "unknown_counter"), ("1", 0, "unknown_level"), ("1", 6, "unknown_level")],
)
def test_an_unknown_counter_or_level_is_refused_and_leaves_nothing(journal, counter, level, code):
    refused = do(journal, GiveRating(source="api", counter=counter, level=level))
    assert isinstance(refused, Rejection)
    assert refused.code == code
    assert events(journal) == []


def test_the_answer_says_what_came_of_the_press(journal):
    outcome = do(journal, GiveRating(source="api", counter="1", level=5, ticket="A012"))
    (event,) = events(journal, RATING_GIVEN)
    assert outcome.result == {"id": event.id, "outcome": "counted", "reason": None}
    assert event.data["ticket"] == "A012"


def test_a_retry_is_one_press(journal, clock):
    for _ in range(3):
        assert press(journal, 5, key="panel-1/nonce/1", pressed_ago_s=clock.uptime_s() - 100) == "counted"
        clock.advance(2)
    assert levels(journal) == {"5": 1}


def test_a_press_for_testing_is_counted_nowhere_and_opens_no_act(journal, clock):
    press(journal, 1, purpose="test")
    clock.advance(1)
    assert press(journal, 5) == "counted"
    assert levels(journal) == {"5": 1}


def test_each_scale_has_its_own_buckets(tmp_path, clock):
    with running_journal(tmp_path, clock, hall_features()) as journal:
        press(journal, 5)
    clock.advance(1)
    with running_journal(tmp_path, clock, hall_features(levels=3, satisfied_from=2)) as journal:
        assert press(journal, 3) == "counted"  # levels of two scales cannot replace each other
        found = [(bucket.definition, bucket.labels["level"]) for bucket in buckets(journal.reader(), "ratings")]
        assert sorted(found) == [(1, "5"), (9, "3")]


class TestOverARestart:
    """The process starts anew in the same boot: a new epoch, the same act."""

    def test_a_correction_of_an_older_epochs_press_is_folded_into_the_running_epoch(self, tmp_path, clock):
        with running_journal(tmp_path, clock) as journal:
            press(journal, 2)
            first = journal.epoch
        clock.advance(2)
        with running_journal(tmp_path, clock) as journal:
            assert press(journal, 5) == "corrected"
            found = {
                (bucket.epoch, bucket.labels["level"]): bucket.amount for bucket in buckets(journal.reader(), "ratings")
            }
            assert found == {(first, "2"): 1, (journal.epoch, "2"): -1, (journal.epoch, "5"): 1}
            assert levels(journal) == {"5": 1}
            assert corrected(journal) == {"1": 1}

    def test_the_next_correction_takes_back_the_running_epochs_press(self, tmp_path, clock):
        with running_journal(tmp_path, clock) as journal:
            press(journal, 2)
        clock.advance(2)
        with running_journal(tmp_path, clock) as journal:
            press(journal, 5)
            clock.advance(1)
            press(journal, 4)
            assert levels(journal) == {"4": 1}

    def test_repeat_and_lockout_go_on(self, tmp_path, clock):
        with running_journal(tmp_path, clock) as journal:
            press(journal, 5)
        clock.advance(2)
        with running_journal(tmp_path, clock) as journal:
            assert press(journal, 5) == "repeat"
            clock.advance(5)
            assert press(journal, 1) == "lockout"

    def test_a_press_after_a_power_cut_begins_anew(self, tmp_path, clock):
        with running_journal(tmp_path, clock) as journal:
            press(journal, 2)
        clock.reboot("boot-2", trusted=True, uptime_s=100.5)
        with running_journal(tmp_path, clock) as journal:
            assert press(journal, 5) == "counted"
            assert levels(journal) == {"2": 1, "5": 1}


class TestOpeningHours:
    CLOSES = MONDAY_8_00 + timedelta(minutes=10)

    @pytest.fixture
    def journal(self, tmp_path, clock):
        with running_journal(tmp_path, clock, hall_features(Hours([(MONDAY_8_00, self.CLOSES)]))) as journal:
            yield journal

    def test_a_press_outside_opening_hours_is_kept_and_excluded(self, journal, clock):
        clock.advance(600)
        assert press(journal, 5) == "outside_opening_hours"
        assert levels(journal) == {}
        assert excluded(journal) == {"outside_opening_hours": 1}

    def test_a_press_outside_opening_hours_opens_no_act(self, journal, clock):
        clock.advance(600)
        press(journal, 5)
        clock.advance(1)
        assert press(journal, 4) == "outside_opening_hours"

    def test_the_very_minute_of_closing(self, journal, clock):
        clock.advance(599.9)
        assert press(journal, 5, "1") == "counted"
        clock.advance(0.1)
        assert press(journal, 5, "2") == "outside_opening_hours"

    def test_a_correction_across_the_closing_counts_for_the_act(self, journal, clock):
        clock.advance(598)
        press(journal, 2)
        clock.advance(4)
        assert press(journal, 5) == "corrected"
        assert levels(journal) == {"5": 1}
        assert excluded(journal) == {}

    def test_a_press_made_before_the_closing_and_decided_after_it_counts(self, journal, clock):
        clock.advance(605)
        assert press(journal, 5, pressed_ago_s=10.0) == "counted"


def test_a_press_that_arrives_ten_minutes_late_takes_back_nobodys_vote(tmp_path):
    """The panel's line was out; meanwhile the kiosk of the same counter rated over HTTP."""
    clock = FakeClock()
    with running_journal(tmp_path, clock, hall_features()) as journal:
        clock.advance(3000)
        assert press(journal, 5) == "counted"
        assert press(journal, 1, pressed_ago_s=600) == "counted"
        assert press(journal, 2, pressed_ago_s=598) == "corrected"  # of the late one, by the same citizen
        assert press(journal, 4) == "corrected"  # of the newest act, which the late ones left alone
        assert totals(journal.reader(), "ratings", "level") == {"2": 1, "4": 1}
        assert totals(journal.reader(), "ratings_corrected", "counter") == {"1": 2}


def test_a_press_of_another_boot_or_scale_begins_anew(tmp_path):
    clock = FakeClock()
    with running_journal(tmp_path, clock, hall_features()) as journal:
        assert press(journal, 5) == "counted"
        clock.reboot("boot-2", trusted=True, uptime_s=clock.uptime_s() + 1)
        assert press(journal, 4) == "counted"
    with running_journal(tmp_path, clock, hall_features(satisfied_from=5)) as journal:
        assert press(journal, 3) == "counted"
