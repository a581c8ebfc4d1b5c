"""Presses before the clock is trusted: they belong to no hour, and get one when somebody vouches for the time."""

from datetime import timedelta

import pytest
from support.calendars import Hours
from support.fake_clock import MONDAY_8_00, WRONG_TIME, FakeClock
from support.journals import buckets, do, events, hall_features, press, running_journal, totals

from firmware_py.core.contracts import CLOCK_TRUSTED, RATING_PLACED, StartNode, Tick, TrustClock

HOUR = "2026-11-23T01:00:00Z"


@pytest.fixture
def clock():
    """A Raspberry Pi after a power cut: in the past, 10 s after its boot."""
    return FakeClock(WRONG_TIME, uptime_s=10.0, trusted=False)


@pytest.fixture
def journal(tmp_path, clock):
    with running_journal(tmp_path, clock) as journal:
        start(journal)
        yield journal


def start(journal):
    do(journal, StartNode(source="node", version="1"))


def trust(journal, clock, utc=None):
    """It is `utc` now, says the network."""
    clock.trust(0.0 if utc is None else (utc - clock.utc).total_seconds())
    do(journal, TrustClock(source="clock", origin="network"))


def placed(journal):
    return [event.data for event in events(journal, RATING_PLACED)]


def levels(journal):
    return totals(journal.reader(), "ratings", "level")


def excluded(journal):
    return totals(journal.reader(), "ratings_excluded", "reason")


def estimated(journal):
    return totals(journal.reader(), "ratings_hour_estimated", "counter")


def hours(journal, series="ratings"):
    return {bucket.hour for bucket in buckets(journal.reader(), series) if bucket.amount}


def test_before_trust_a_press_is_answered_and_kept_and_belongs_to_no_hour(journal):
    assert press(journal, 5) == "counted"
    assert buckets(journal.reader()) == []


def test_trust_in_the_same_boot_places_a_press_exactly(journal, clock):
    clock.advance(100)
    press(journal, 5)
    clock.advance(3600)
    trust(journal, clock, MONDAY_8_00 + timedelta(minutes=70))
    (bucket,) = buckets(journal.reader(), "ratings")
    assert (bucket.hour, bucket.amount) == (HOUR, 1)
    assert estimated(journal) == {}
    assert [data["hour"] for data in placed(journal)] == [HOUR]


def test_a_press_is_placed_once(journal, clock):
    press(journal, 5)
    trust(journal, clock, MONDAY_8_00)
    trust(journal, clock)
    trust(journal, clock)
    assert levels(journal) == {"5": 1}
    assert len(placed(journal)) == 1


def test_before_trust_corrections_repeats_and_lockouts_are_what_they_are_after_it(journal, clock):
    assert press(journal, 2) == "counted"
    clock.advance(1)
    assert press(journal, 2) == "repeat"
    assert press(journal, 4) == "corrected"
    assert press(journal, 5) == "corrected"
    clock.advance(6)
    assert press(journal, 1) == "lockout"
    clock.advance(5)
    assert press(journal, 3) == "counted"
    trust(journal, clock, MONDAY_8_00 + timedelta(minutes=30))
    assert levels(journal) == {"5": 1, "3": 1}
    assert excluded(journal) == {"repeat": 1, "lockout": 1}
    assert totals(journal.reader(), "ratings_corrected", "counter") == {"1": 2}
    assert totals(journal.reader(), "ratings_corrected", "level") == {"2": 1, "4": 1}


def test_a_correction_after_trust_of_a_press_before_trust(journal, clock):
    press(journal, 2)
    clock.advance(2)
    trust(journal, clock, MONDAY_8_00 + timedelta(minutes=30))
    assert levels(journal) == {"2": 1}
    clock.advance(2)
    assert press(journal, 5) == "corrected"
    assert levels(journal) == {"5": 1}
    assert totals(journal.reader(), "ratings_corrected", "counter") == {"1": 1}
    assert hours(journal) == {HOUR}


def test_a_correction_between_the_clocks_trust_and_its_event_waits_with_its_press(journal, clock):
    """The clock is believed a moment before `clock.trusted` is decided; a press may come between."""
    press(journal, 2)
    clock.advance(2)
    clock.trust((MONDAY_8_00 + timedelta(minutes=30) - clock.utc).total_seconds())
    assert press(journal, 5) == "corrected"
    assert levels(journal) == {}
    do(journal, TrustClock(source="clock", origin="network"))
    assert levels(journal) == {"5": 1}
    assert totals(journal.reader(), "ratings_corrected", "counter") == {"1": 1}


def test_the_first_press_decides_the_hour_of_its_act(journal, clock):
    press(journal, 2)
    clock.advance(4)
    press(journal, 5)
    trust(journal, clock, MONDAY_8_00 + timedelta(minutes=60, seconds=2))
    assert hours(journal) == {HOUR}


def test_simulated_and_real_presses_wait_apart(journal, clock):
    press(journal, 5, simulated=True)
    press(journal, 4, simulated=False)
    trust(journal, clock, MONDAY_8_00)
    found = {(bucket.simulated, bucket.labels["level"]) for bucket in buckets(journal.reader(), "ratings")}
    assert found == {(True, "5"), (False, "4")}


def test_presses_of_an_older_process_of_this_boot_are_placed_exactly_too(tmp_path, clock):
    with running_journal(tmp_path, clock) as journal:
        start(journal)
        press(journal, 5)
    clock.advance(60)
    with running_journal(tmp_path, clock) as journal:
        start(journal)
        press(journal, 4)
        trust(journal, clock, MONDAY_8_00 + timedelta(minutes=30))
        assert levels(journal) == {"5": 1, "4": 1}
        # Only the running epoch is written, whichever epoch the press was of.
        assert {bucket.epoch for bucket in buckets(journal.reader(), "ratings")} == {journal.epoch}
        assert estimated(journal) == {}


class TestABootThatEndedUntrusted:
    """Nobody will ever know exactly: it is placed within its bounds, and how many were is counted apart."""

    @pytest.fixture
    def folder(self, tmp_path):
        """Trusted until 08:00; a power cut; 20 minutes in the past with two presses; a power cut."""
        clock = FakeClock(MONDAY_8_00)
        with running_journal(tmp_path, clock) as journal:
            start(journal)
            trust(journal, clock)
        clock.reboot("boot-2", WRONG_TIME)
        with running_journal(tmp_path, clock) as journal:
            start(journal)
            clock.advance(600)
            press(journal, 5)
            clock.advance(600)
            press(journal, 4)
        return tmp_path

    def test_its_presses_are_placed_after_the_last_trusted_moment_and_counted_apart(self, folder):
        clock = FakeClock(WRONG_TIME, 10.0, "boot-3", trusted=False)
        with running_journal(folder, clock) as journal:
            start(journal)
            trust(journal, clock, MONDAY_8_00 + timedelta(hours=5))
            assert hours(journal) == hours(journal, "ratings_hour_estimated") == {HOUR}
            assert estimated(journal) == {"1": 2}
            assert levels(journal) == {"5": 1, "4": 1}

    def test_its_presses_are_placed_before_the_next_boot(self, folder):
        """Only 15 minutes passed by the network's word, though the boot lasted 20: nothing lies in the future."""
        clock = FakeClock(WRONG_TIME, 10.0, "boot-3", trusted=False)
        now = MONDAY_8_00 + timedelta(minutes=15)
        with running_journal(folder, clock) as journal:
            start(journal)
            trust(journal, clock, now)
            assert all(data["hour"] <= now.isoformat() for data in placed(journal))
            assert levels(journal) == {"5": 1, "4": 1}

    def test_presses_of_this_boot_are_exact_beside_it(self, folder):
        clock = FakeClock(WRONG_TIME, 10.0, "boot-3", trusted=False)
        with running_journal(folder, clock) as journal:
            start(journal)
            press(journal, 3, "2")
            trust(journal, clock, MONDAY_8_00 + timedelta(hours=5, minutes=30))
            assert levels(journal) == {"5": 1, "4": 1, "3": 1}
            assert estimated(journal) == {"1": 2}

    def test_several_such_boots_keep_their_order(self, folder):
        clock = FakeClock(WRONG_TIME, 10.0, "boot-3", trusted=False)
        with running_journal(folder, clock) as journal:
            start(journal)
            press(journal, 1, "2")
            clock.advance(3600)
            do(journal, Tick(source="node"))
        clock.reboot("boot-4", WRONG_TIME)
        with running_journal(folder, clock) as journal:
            start(journal)
            trust(journal, clock, MONDAY_8_00 + timedelta(hours=3))
            (event,) = events(journal, CLOCK_TRUSTED)[-1:]
            zeros = {boot["boot_id"]: (boot["zero"], boot["basis"]) for boot in event.data["boots"]}
            assert set(zeros) == {"boot-2", "boot-3", "boot-4"}
            # boot-2 lasted 20 minutes and boot-3 an hour: neither reaches back before the last trusted moment, 08:00.
            assert zeros["boot-2"][0] == "2026-11-23T00:59:50.000Z"
            assert zeros["boot-3"][0] == "2026-11-23T01:19:50.000Z"
            assert [zeros[boot][1] for boot in ("boot-2", "boot-3", "boot-4")] == ["bounded", "bounded", "exact"]
            assert levels(journal) == {"5": 1, "4": 1, "1": 1}

    def test_a_press_that_follows_in_another_boot_is_no_correction(self, folder):
        clock = FakeClock(WRONG_TIME, 1211.0, "boot-3", trusted=False)
        with running_journal(folder, clock) as journal:
            start(journal)
            assert press(journal, 1) == "counted"

    def test_an_exclusion_of_such_a_boot_is_estimated_too(self, folder):
        """And no bucket ever turns from whole to partial: the city would not take it for the whole one."""
        clock = FakeClock(WRONG_TIME, 10.0, "boot-3", trusted=False)
        nights = Hours([(MONDAY_8_00 + timedelta(hours=12), MONDAY_8_00 + timedelta(hours=13))])
        with running_journal(folder, clock, hall_features(nights)) as journal:
            start(journal)
            trust(journal, clock, MONDAY_8_00 + timedelta(hours=5))
            assert excluded(journal) == {"outside_opening_hours": 2}
            assert estimated(journal) == {"1": 2}
            assert not any(bucket.partial for bucket in buckets(journal.reader()))


class TestOpeningHoursAreDecidedAgain:
    HOURS = Hours([(MONDAY_8_00, MONDAY_8_00 + timedelta(hours=1))])

    @pytest.fixture
    def journal(self, tmp_path, clock):
        with running_journal(tmp_path, clock, hall_features(self.HOURS)) as journal:
            start(journal)
            yield journal

    def test_before_trust_nobody_is_sent_away(self, journal):
        assert not self.HOURS.is_open(WRONG_TIME)
        assert press(journal, 5) == "counted"

    def test_a_press_that_turns_out_to_be_outside_them_is_excluded(self, journal, clock):
        press(journal, 5)
        clock.advance(3600)
        trust(journal, clock, MONDAY_8_00 + timedelta(minutes=30))  # so the press was at 07:30
        assert levels(journal) == {}
        assert excluded(journal) == {"outside_opening_hours": 1}
        assert hours(journal, "ratings_excluded") == {"2026-11-23T00:00:00Z"}

    def test_a_press_that_turns_out_to_be_inside_them_counts(self, journal, clock):
        press(journal, 5)
        trust(journal, clock, MONDAY_8_00 + timedelta(minutes=30))
        assert levels(journal) == {"5": 1}

    def test_a_correction_across_the_closing_counts_for_the_act(self, journal, clock):
        press(journal, 2)
        clock.advance(4)
        press(journal, 5)
        trust(journal, clock, MONDAY_8_00 + timedelta(hours=1, seconds=2))
        assert levels(journal) == {"5": 1}

    def test_after_an_exclusion_at_placing_the_next_press_begins_anew(self, journal, clock):
        """The act it opened is gone: its level was never counted, so nothing can be taken back."""
        press(journal, 2)
        clock.advance(2)
        trust(journal, clock, MONDAY_8_00 + timedelta(seconds=1))  # the press was 1 s before the opening
        assert excluded(journal) == {"outside_opening_hours": 1}
        assert press(journal, 5) == "counted"
        assert levels(journal) == {"5": 1}


def test_every_press_before_trust_ends_in_exactly_one_place(journal, clock):
    """Counted, corrected or excluded: the sum is what was pressed."""
    pressed = 0
    for number in range(40):
        press(journal, 1 + number % 5, str(1 + number % 2))
        pressed += 1
        clock.advance([0.4, 1.0, 3.3, 9.0][number % 4])
    trust(journal, clock, MONDAY_8_00 + timedelta(hours=1))
    series = ("ratings", "ratings_corrected", "ratings_excluded")
    assert sum(sum(totals(journal.reader(), name, "counter").values()) for name in series) == pressed
    assert len(placed(journal)) == pressed
