"""The ticker: at most five minutes apart, at every hour, and when the doors open or close."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.calendars import AlwaysOpen
from support.fake_clock import MONDAY_8_00, FakeClock
from support.journals import events, hall_features, running_journal
from support.workers import living, until

from firmware_py import ticker
from firmware_py.core.contracts import NODE_TICK
from firmware_py.ticker import EVERY_S, LATE_S, Ticker, seconds_to_tick


@pytest.mark.parametrize(
    ("since_hour_s", "change_in_s", "expected"),
    [
        (0, None, EVERY_S),
        (3599, None, 1 + LATE_S),
        (3400, None, 200 + LATE_S),
        (10, 30, 30 + LATE_S),
        (10, 4000, EVERY_S),
        (3590, 5, 5 + LATE_S),
        (3590, 60, 10 + LATE_S),
        (10, -5, EVERY_S),  # a change that was missed is no reason to tick at once, for ever
        (10, 0, EVERY_S),
    ],
)
def test_the_next_tick_is_the_first_of_five_minutes_the_hour_and_the_doors(since_hour_s, change_in_s, expected):
    now = MONDAY_8_00 + timedelta(seconds=since_hour_s)
    change = None if change_in_s is None else now + timedelta(seconds=change_in_s)
    assert seconds_to_tick(now, change) == pytest.approx(expected)


@given(st.integers(0, 86_400 * 10**6), st.none() | st.integers(-(10**9), 10**10))
def test_a_tick_never_waits_longer_than_five_minutes_nor_spins(after_us, change_us):
    now = MONDAY_8_00 + timedelta(microseconds=after_us)
    change = None if change_us is None else now + timedelta(microseconds=change_us)
    wait_s = seconds_to_tick(now, change)
    assert LATE_S <= wait_s <= EVERY_S
    tick = now + timedelta(seconds=wait_s)
    hour_end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    assert tick <= hour_end + timedelta(seconds=LATE_S, microseconds=1)


def test_ticks_reach_the_journal_until_it_is_told_to_stop(tmp_path, monkeypatch):
    monkeypatch.setattr(ticker, "EVERY_S", 0.01)
    clock = FakeClock()
    with running_journal(tmp_path, clock, hall_features()) as journal:
        with living(Ticker(clock, journal, AlwaysOpen(), simulated=True)):
            until(lambda: len(events(journal, NODE_TICK)) >= 3, "three ticks")
        assert all(event.simulated for event in events(journal, NODE_TICK))


def test_an_untrusted_clock_is_no_reason_not_to_tick(tmp_path, monkeypatch):
    """It closes what is open: a power cut must not cost all the time since the start."""
    monkeypatch.setattr(ticker, "EVERY_S", 0.05)
    clock = FakeClock(trusted=False)
    with (
        running_journal(tmp_path, clock, hall_features()) as journal,
        living(Ticker(clock, journal, AlwaysOpen(), simulated=False)),
    ):
        until(lambda: len(events(journal, NODE_TICK)) >= 2, "two ticks")
