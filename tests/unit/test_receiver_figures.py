"""Sums, rates, availability and intervals of the city's scoreboard."""

from datetime import UTC, date, datetime

import pytest

from sync.receiver.figures import Opening, Operation, Sum, figures_of, natural, ratings_of, ratings_together
from sync.receiver.periods import MOST_DAYS, Span, days_of, period_span, span_of
from sync.receiver.scoreboard import NodeLine, score_of
from sync.receiver.silence import NodeSilence

TODAY = date(2026, 11, 24)


def ratings(level, count, definition=1, counter="1"):
    return Sum("ratings", {"counter": counter, "level": str(level)}, definition, count, "hub")


def device_time(state, ms, device="panel-1", counter="1", node="hub"):
    labels = {"device": device, "state": state} | ({"counter": counter} if counter else {})
    return Sum("device_seconds", labels, 1, ms, node)


def opening(state, ms, node="hub"):
    return Sum("open_seconds", {"state": state}, 1, ms, node)


def test_without_ratings_there_is_no_rate():
    got = ratings_of([])
    assert (got.n, got.rate_ratio) == (0, None)
    assert got.by_level == {1: 0, 2: 0, 3: 0, 4: 0, 5: 0}


def test_only_zeros_are_no_data_either():
    assert ratings_of([ratings(5, 0)]).rate_ratio is None


def test_the_rate_is_the_satisfied_over_all():
    got = ratings_of([ratings(5, 3), ratings(4, 1), ratings(1, 1), ratings(5, 5, counter="2")])
    assert (got.n, got.satisfied, got.rate_ratio) == (10, 9, 0.9)
    assert got.by_level == {1: 1, 2: 0, 3: 0, 4: 1, 5: 8}


def test_each_definition_has_its_own_satisfied_levels():
    # Three levels, satisfied from 2 (definition 9), beside five levels, satisfied from 4 (definition 1).
    got = ratings_of([ratings(2, 4, definition=9), ratings(2, 4, definition=1), ratings(3, 2, definition=9)])
    assert (got.n, got.satisfied) == (10, 6)


def test_three_levels_show_three_and_the_faces_that_were_pressed():
    got = ratings_of([ratings(3, 1, definition=8)])
    assert list(got.by_level) == [1, 2, 3]
    assert got.by_mouth == {2: 0, 3: 0, 4: 1}


def test_while_a_correction_came_before_what_it_corrects_there_is_no_rate():
    got = ratings_of([ratings(5, 4), ratings(2, -1)])
    assert (got.n, got.rate_ratio) == (3, None)


def test_excluded_and_corrected_stand_apart_from_n():
    got = ratings_of(
        [
            ratings(5, 1),
            Sum("ratings_corrected", {"counter": "1"}, 1, 1),
            Sum("ratings_corrected", {"counter": "1", "level": "2"}, 2, 1),
            Sum("ratings_excluded", {"counter": "1", "reason": "lockout"}, 1, 3),
            Sum("ratings_excluded", {"counter": "2", "reason": "lockout"}, 1, 4),
            Sum("ratings_excluded", {"counter": "2", "reason": "repeat"}, 1, 1),
        ]
    )
    assert (got.n, got.corrected, got.excluded) == (1, 2, {"lockout": 7, "repeat": 1})


def test_the_whole_city_is_the_sum_of_its_sites():
    got = ratings_together([ratings_of([ratings(5, 3)]), ratings_of([ratings(3, 1, definition=8)]), ratings_of([])])
    assert (got.n, got.satisfied, got.rate_ratio) == (4, 4, 1.0)
    assert got.by_mouth == {1: 0, 2: 0, 3: 0, 4: 1, 5: 3}


# What stands behind a rate


def test_availability_is_what_devices_worked_over_what_they_told():
    got = figures_of(
        [device_time("available", 99_000), device_time("unavailable", 1_000), device_time("available", 0, "b")]
    )
    assert got.operation == Operation(99_000, 1_000)
    assert got.operation.availability_ratio == 0.99


def test_where_no_device_said_anything_there_is_no_availability():
    assert figures_of([ratings(5, 3), opening("up", 5)]).operation.availability_ratio is None


def test_time_that_cannot_be_is_no_availability():
    assert Operation(-5, 10).availability_ratio is None


def test_the_share_of_opening_hours_of_which_nobody_knows():
    assert figures_of([opening("up", 3_000), opening("unknown", 1_000)]).opening.unknown_ratio == 0.25
    assert Opening().unknown_ratio is None


def test_each_counter_has_its_ratings_and_its_own_devices_operation():
    got = figures_of(
        [
            ratings(5, 3), ratings(1, 1, counter="10"), ratings(5, 1, counter="2"),
            device_time("available", 80), device_time("unavailable", 20),
            device_time("available", 50, "panel-2", "2"), device_time("available", 10, "panel-9", None),
        ]
    )  # fmt: skip
    assert list(got.counters) == ["1", "2", "10"]
    assert got.counters["1"].ratings.n == 3
    assert got.counters["1"].operation.availability_ratio == 0.8
    assert got.counters["2"].operation.availability_ratio == 1.0
    assert got.counters["10"].operation.availability_ratio is None
    assert got.operation == Operation(140, 20)


def test_a_counter_with_a_device_and_no_rating_is_a_counter():
    assert figures_of([device_time("available", 80, counter="3")]).counters["3"].ratings.n == 0


def test_two_nodes_may_use_one_name_for_a_device():
    got = figures_of([device_time("available", 80), device_time("unavailable", 20, node="counter-2")])
    assert {key.node: its.availability_ratio for key, its in got.devices.items()} == {"hub": 1.0, "counter-2": 0.0}


def test_names_are_listed_as_people_do():
    assert sorted(["phuong-10", "phuong-2", "xa-1", "phuong"], key=natural) == [
        "phuong",
        "phuong-2",
        "phuong-10",
        "xa-1",
    ]


def test_a_site_is_as_fresh_as_its_newest_node():
    quiet = NodeSilence("quiet")
    lines = [NodeLine("a", "2026-11-23T01:00:00.000Z", quiet), NodeLine("b", None, NodeSilence("never"))]
    assert score_of("s", [], lines).last_seen == "2026-11-23T01:00:00.000Z"
    assert score_of("s", [], lines[1:]).last_seen is None


@pytest.mark.parametrize(("covers_now", "state"), [(True, "lost"), (False, "working")])
def test_a_lost_node_says_nothing_about_a_period_that_is_over(covers_now, state):
    lost = NodeLine("hub", "2026-11-23T01:00:00.000Z", NodeSilence("lost"))
    [device] = score_of("s", [device_time("available", 80), ratings(5, 1)], [lost], covers_now=covers_now).devices
    assert device.state == state


# Intervals


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, Span()),
        # A date is a day in Vietnam (UTC+7), and `to` includes it.
        ("2026-11-23", "2026-11-23", Span("2026-11-22T17:00:00Z", "2026-11-23T17:00:00Z")),
        ("23/11/2026", "23/11/2026", Span("2026-11-22T17:00:00Z", "2026-11-23T17:00:00Z")),
        ("1/2/2026", None, Span("2026-01-31T17:00:00Z", None)),
        ("2026-11-23T01:00:00Z", "2026-11-23T03:00:00Z", Span("2026-11-23T01:00:00Z", "2026-11-23T03:00:00Z")),
        ("2026-11-23T08:00:00+07:00", None, Span("2026-11-23T01:00:00Z", None)),
        # Buckets are whole hours: an interval means the hours that it touches.
        ("2026-11-23T01:40:00Z", "2026-11-23T01:50:00Z", Span("2026-11-23T01:00:00Z", "2026-11-23T02:00:00Z")),
    ],
)
def test_an_interval_is_the_hours_it_touches(start, end, expected):
    assert span_of(start, end) == expected


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("yesterday", None), ("2026-11-23T01:00:00", None), ("2026-11-23T01:00:00 07:00", None), ("", None),
        ("2026-13-01", None), ("9999-12-31", None), (None, "9999-12-31T23:59:59Z"), ("0001-01-01", None),
        ("31/02/2026", None), ("23-11-2026", None), ("1/1/0001", None), ("31/12/9999", None), ("23/11/26", None),
        ("2026-11-24", "2026-11-23"), ("2026-11-23T01:00:00Z", "2026-11-23T01:00:00Z"), ("٢٠٢٦-11-23", None),
    ],
)  # fmt: skip
def test_an_interval_that_says_nothing_is_refused_in_words(start, end):
    with pytest.raises(ValueError, match=r"`(from|to)` must be"):
        span_of(start, end)


@pytest.mark.parametrize(
    ("period", "first"),
    [("today", "2026-11-23T17"), ("7d", "2026-11-17T17"), ("30d", "2026-10-25T17"), ("month", "2026-10-31T17")],
)
def test_a_named_period_ends_with_today(period, first):
    assert period_span(period, TODAY) == Span(f"{first}:00:00Z", "2026-11-24T17:00:00Z")


def test_all_time_has_no_edges():
    assert period_span("all", TODAY) == Span()


def test_the_days_of_a_period_are_vietnams_and_none_is_to_come():
    assert days_of(Span("2026-11-22T16:00:00Z", None), TODAY) == [date(2026, 11, day) for day in (22, 23, 24)]
    assert days_of(Span("2026-11-22T17:00:00Z", "2026-11-23T17:00:00Z"), TODAY) == [date(2026, 11, 23)]
    assert days_of(Span("2026-11-25T17:00:00Z", None), TODAY) == []


def test_too_many_days_are_not_told_one_by_one():
    assert days_of(Span(), TODAY) is None
    assert len(days_of(span_of("2025-11-24", None), TODAY) or ()) == MOST_DAYS
    assert days_of(span_of("2025-11-23", None), TODAY) is None


def test_whether_a_period_includes_now():
    span = span_of("2026-11-23", "2026-11-23")
    assert span.covers(datetime(2026, 11, 23, 16, 59, tzinfo=UTC))
    assert not span.covers(datetime(2026, 11, 23, 17, tzinfo=UTC))
    assert Span().covers(datetime(2026, 11, 23, 17, tzinfo=UTC))
