"""Sums, rates and intervals of the city's scoreboard."""

import pytest

from sync.receiver.page import number
from sync.receiver.scoreboard import NodeSeen, Span, Sum, scores, span_of


def ratings(level, count, definition=1, counter="1"):
    return Sum("ratings", {"counter": counter, "level": str(level)}, definition, count)


def one(*sums):
    return scores([NodeSeen("s", "n", None)], {"s": list(sums)})[0].ratings


def test_without_ratings_there_is_no_rate():
    got = one()
    assert (got.n, got.rate_ratio) == (0, None)
    assert got.by_level == {1: 0, 2: 0, 3: 0, 4: 0, 5: 0}


def test_only_zeros_are_no_data_either():
    assert one(ratings(5, 0)).rate_ratio is None


def test_the_rate_is_the_satisfied_over_all():
    got = one(ratings(5, 3), ratings(4, 1), ratings(1, 1), ratings(5, 5, counter="2"))
    assert (got.n, got.satisfied, got.rate_ratio) == (10, 9, 0.9)
    assert got.by_level == {1: 1, 2: 0, 3: 0, 4: 1, 5: 8}


def test_each_definition_has_its_own_satisfied_levels():
    # Three levels, satisfied from 2 (definition 9), beside five levels, satisfied from 4 (definition 1).
    got = one(ratings(2, 4, definition=9), ratings(2, 4, definition=1), ratings(3, 2, definition=9))
    assert (got.n, got.satisfied) == (10, 6)


def test_three_levels_show_three():
    assert list(one(ratings(3, 1, definition=8)).by_level) == [1, 2, 3]


def test_while_a_correction_came_before_what_it_corrects_there_is_no_rate():
    got = one(ratings(5, 4), ratings(2, -1))
    assert (got.n, got.rate_ratio) == (3, None)


def test_excluded_and_corrected_stand_apart_from_n():
    got = one(
        ratings(5, 1),
        Sum("ratings_corrected", {"counter": "1"}, 1, 1),
        Sum("ratings_corrected", {"counter": "1", "level": "2"}, 2, 1),
        Sum("ratings_excluded", {"counter": "1", "reason": "lockout"}, 1, 3),
        Sum("ratings_excluded", {"counter": "2", "reason": "lockout"}, 1, 4),
        Sum("ratings_excluded", {"counter": "2", "reason": "repeat"}, 1, 1),
    )
    assert (got.n, got.corrected, got.excluded) == (1, 2, {"lockout": 7, "repeat": 1})


def test_a_site_is_as_fresh_as_its_newest_node():
    seen = [NodeSeen("s", "a", "2026-11-23T01:00:00.000Z"), NodeSeen("s", "b", None), NodeSeen("t", "a", None)]
    lines = scores(seen, {})
    assert [line.last_seen for line in lines] == ["2026-11-23T01:00:00.000Z", None]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, Span()),
        # A date is a day in Vietnam (UTC+7), and `to` includes it.
        ("2026-11-23", "2026-11-23", Span("2026-11-22T17:00:00Z", "2026-11-23T17:00:00Z")),
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
        ("2026-11-24", "2026-11-23"), ("2026-11-23T01:00:00Z", "2026-11-23T01:00:00Z"), ("٢٠٢٦-11-23", None),
    ],
)  # fmt: skip
def test_an_interval_that_says_nothing_is_refused_in_words(start, end):
    with pytest.raises(ValueError, match=r"`(from|to)` must be"):
        span_of(start, end)


def test_numbers_are_grouped_as_each_language_does():
    assert (number(1234567, "vi"), number(1234567, "en")) == ("1.234.567", "1,234,567")
