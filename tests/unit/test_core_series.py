"""Series: integers inside, and hours that sum to the whole."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_py.core.clock import iso_hour, parse_iso
from firmware_py.core.series import (
    Series,
    add_parts,
    labels_json,
    observation,
    parts_of,
    split_by_hour,
    value_of,
)

COUNT = Series("c", "count")
SECONDS = Series("s", "seconds")
DELAY = Series("d", "histogram", (0.1, 1.0, 10.0))
INTEGERS = st.integers(-(10**12), 10**12)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 2 * 10**15).map(lambda us: EPOCH + timedelta(microseconds=us))


@given(INTEGERS, INTEGERS, st.tuples(*[INTEGERS] * 5))
def test_a_value_gives_back_the_very_parts_it_was_made_of(count, milliseconds, parts):
    assert parts_of(value_of(COUNT, (count,))) == (count,)
    assert parts_of(value_of(SECONDS, (milliseconds,))) == (milliseconds,)
    assert parts_of(value_of(DELAY, parts)) == parts


def test_values_look_as_the_wire_format_says():
    assert value_of(COUNT, (3,)) == {"count": 3}
    assert value_of(SECONDS, (1500,)) == {"seconds": 1.5}
    assert value_of(DELAY, (1, 0, 2, 0, 30_250)) == {
        "bounds_s": [0.1, 1.0, 10.0],
        "counts": [1, 0, 2, 0],
        "sum_s": 30.25,
    }


@pytest.mark.parametrize(
    ("seconds", "bin_"), [(0.0, 0), (0.1, 0), (0.1001, 1), (1.0, 1), (9.99, 2), (10.0, 2), (10.01, 3), (900.0, 3)]
)
def test_an_observation_falls_into_the_bin_whose_bound_it_does_not_exceed(seconds, bin_):
    *counts, sum_ms = observation(DELAY, seconds)
    assert counts == [int(index == bin_) for index in range(4)]
    assert sum_ms == round(seconds * 1000)


@given(st.lists(st.tuples(*[INTEGERS] * 5), min_size=1))
def test_what_was_added_can_be_taken_off_exactly(many):
    total = (0,) * 5
    for parts in many:
        total = add_parts(total, parts)
    for parts in many:
        total = add_parts(total, tuple(-part for part in parts))
    assert total == (0,) * 5


def test_adding_values_of_two_shapes_is_an_error():
    with pytest.raises(ValueError, match="argument"):
        add_parts((1,), (1, 2))


def test_labels_have_one_text_whatever_their_order():
    assert labels_json({"level": "5", "counter": "1"}) == labels_json({"counter": "1", "level": "5"})
    assert labels_json({"level": "5", "counter": "1"}) == '{"counter":"1","level":"5"}'


@given(MOMENTS, st.integers(0, 90_000_000))
def test_the_hours_of_an_interval_sum_to_the_whole_and_none_holds_more_than_an_hour(start, lasted_ms):
    end = start + timedelta(milliseconds=lasted_ms)
    pieces = split_by_hour(start, end)
    assert sum(ms for _, ms in pieces) == lasted_ms
    hours = [hour for hour, _ in pieces]
    assert hours == sorted(set(hours))
    cursor = start
    for hour, ms in pieces:
        begin = parse_iso(hour)
        # Rounding to milliseconds may shift an edge by half of one, never more.
        inside = min(end, begin + timedelta(hours=1)) - max(start, begin)
        assert 0 < ms <= 3_600_000
        assert abs(inside.total_seconds() * 1000 - ms) <= 1
        assert iso_hour(begin) == hour
        cursor += timedelta(milliseconds=ms)
    assert abs((end - cursor).total_seconds()) < 0.002


@given(MOMENTS, st.lists(st.integers(0, 4_000_000), max_size=6))
def test_an_interval_cut_by_ticks_gives_the_same_whole(start, pieces_ms):
    cursor, total_ms = start, 0
    for ms in pieces_ms:
        after = cursor + timedelta(milliseconds=ms)
        total_ms += sum(part for _, part in split_by_hour(cursor, after))
        cursor = after
    assert total_ms == sum(pieces_ms)


def test_an_interval_that_does_not_run_forward_is_empty():
    now = datetime(2026, 11, 23, 1, tzinfo=UTC)
    assert split_by_hour(now, now) == []
    assert split_by_hour(now, now - timedelta(seconds=1)) == []


def test_hours_are_utc_hours_whatever_zone_the_moment_is_given_in():
    vietnam = datetime.fromisoformat("2026-11-23T08:30:00+07:00")
    assert split_by_hour(vietnam, vietnam + timedelta(hours=1)) == [
        ("2026-11-23T01:00:00Z", 1_800_000),
        ("2026-11-23T02:00:00Z", 1_800_000),
    ]


def test_a_series_knows_how_many_parts_its_values_have():
    assert (COUNT.width, SECONDS.width, DELAY.width) == (1, 1, 5)
    assert len(observation(DELAY, 1.0)) == DELAY.width
