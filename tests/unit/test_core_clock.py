"""Time as it is written, and the host's clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_py.core.clock import BOOT_ID_FILE, SystemClock, iso, iso_hour, parse_iso

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 2 * 10**15).map(lambda us: EPOCH + timedelta(microseconds=us))


@given(MOMENTS)
def test_a_written_time_reads_back_to_the_millisecond(utc):
    assert timedelta() <= utc - parse_iso(iso(utc)) < timedelta(milliseconds=1)
    assert iso(parse_iso(iso(utc))) == iso(utc)


def test_times_are_written_in_utc_with_a_z():
    vietnam = datetime.fromisoformat("2026-11-23T08:02:03.456789+07:00")
    assert iso(vietnam) == "2026-11-23T01:02:03.456Z"
    assert iso_hour(vietnam) == "2026-11-23T01:00:00Z"


@pytest.mark.parametrize("text", ["2026-11-23T01:00:00", "yesterday", ""])
def test_a_time_without_its_zone_or_no_time_at_all_is_an_error(text):
    with pytest.raises(ValueError):
        parse_iso(text)


def test_the_hosts_clock_is_not_believed_before_somebody_vouches_for_it():
    clock = SystemClock()
    assert not clock.now().trusted
    clock.trust()
    assert clock.now().trusted


def test_a_time_that_was_told_moves_civil_time_and_not_uptime():
    clock = SystemClock()
    uptime_s = clock.uptime_s()
    clock.trust(datetime.now(UTC) + timedelta(days=1))
    now = clock.now()
    assert abs((now.utc - datetime.now(UTC)).total_seconds() - 86_400) < 5
    assert 0 <= now.uptime_s - uptime_s < 5


def test_a_moment_names_the_boot_it_belongs_to():
    assert SystemClock().now().boot_id == BOOT_ID_FILE.read_text().strip()
