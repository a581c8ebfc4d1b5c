"""Placing: a boot without trust lies within its bounds; spans are taken apart without loss."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_py.core.placing import Placement, UntrustedBoot, intersect, place_ended, subtract

T0 = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def at(seconds):
    return T0 + timedelta(seconds=seconds)


def seconds(spans):
    return {
        n for start, end in spans for n in range(int((start - T0).total_seconds()), int((end - T0).total_seconds()))
    }


@st.composite
def span_lists(draw, *, apart=True):
    """Spans of whole seconds; `apart`: in order and not touching twice."""
    edges = draw(st.lists(st.integers(0, 60), max_size=8, unique=apart))
    if apart:
        edges.sort()
    return [(at(a), at(b)) for a, b in zip(edges[::2], edges[1::2], strict=False) if a < b]


@given(span_lists(), span_lists(apart=False))
def test_subtracting_leaves_exactly_what_no_hole_covers(spans, holes):
    left = subtract(spans, holes)
    assert seconds(left) == seconds(spans) - seconds(holes)
    assert all(start < end for start, end in left)


@given(st.integers(0, 60), st.integers(0, 60), span_lists())
def test_an_intersection_is_exactly_what_both_cover(start, end, spans):
    found = intersect((at(start), at(end)), spans)
    assert seconds(found) == seconds([(at(start), at(end))]) & seconds(spans)
    assert all(a < b for a, b in found)


@given(span_lists(), st.integers(0, 60), st.integers(0, 60))
def test_a_hole_that_runs_backward_takes_nothing(spans, a, b):
    backward = (at(max(a, b)), at(min(a, b)))
    assert seconds(subtract(spans, [backward])) == seconds(spans)


def test_a_placement_turns_uptime_into_civil_time():
    assert Placement("b", T0, "exact").at(90.5) == at(90.5)


def boot(first_time, first_s=10.0, last_s=70.0):
    return UntrustedBoot("b", first_time, first_s, last_s)


def test_a_boot_whose_clock_lies_within_the_bounds_is_placed_as_its_clock_said():
    placed = place_ended(boot(at(500)), after=at(0), before=at(1000))
    assert placed.at(10.0) == at(500)
    assert placed.basis == "bounded"


def test_a_boot_whose_clock_was_in_the_past_is_pushed_behind_the_last_trusted_moment():
    placed = place_ended(boot(at(-10_000_000)), after=at(0), before=at(1000))
    assert placed.at(10.0) == at(0)


def test_a_boot_whose_clock_was_in_the_future_is_pushed_before_what_came_next():
    placed = place_ended(boot(at(10_000_000)), after=at(0), before=at(1000))
    assert placed.at(70.0) == at(1000)


def test_where_both_bounds_cannot_hold_nothing_lies_in_the_future():
    placed = place_ended(boot(at(500)), after=at(980), before=at(1000))
    assert placed.at(70.0) == at(1000)


def test_without_a_trusted_moment_before_only_the_later_bound_holds():
    assert place_ended(boot(at(-9000)), after=None, before=at(0)).at(10.0) == at(-9000)


@given(st.floats(-1e7, 1e7), st.floats(0, 1e6), st.floats(0, 1e6), st.none() | st.floats(-1e7, 0), st.floats(0, 1e7))
def test_no_ended_boot_is_ever_placed_in_the_future_nor_before_the_known_past_if_it_fits(
    said_s, first_s, lasted_s, after_s, before_s
):
    last_s = first_s + lasted_s
    after = None if after_s is None else at(after_s)
    placed = place_ended(UntrustedBoot("b", at(said_s), first_s, last_s), after, at(before_s))
    grain = timedelta(milliseconds=1)
    assert placed.at(last_s) <= at(before_s) + grain
    if after is not None and at(before_s) - after >= timedelta(seconds=lasted_s) + grain:
        assert placed.at(first_s) >= after - grain


@pytest.mark.parametrize("holes", [[], [(at(100), at(200))]])
def test_holes_elsewhere_leave_the_spans_as_they_are(holes):
    assert subtract([(at(0), at(10))], holes) == [(at(0), at(10))]
