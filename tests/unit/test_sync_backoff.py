"""When the agent tries again."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.backoff import RETRY_AFTER_LIMIT_S, Backoff, parse_http_date, parse_retry_after

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@given(st.integers(1, 10_000), st.floats(0.05, 86_400), st.integers())
def test_a_wait_never_exceeds_the_cap(failures, cap_s, seed):
    for slow in (False, True):
        wait_s = Backoff(cap_s).wait_s(failures, slow=slow, retry_after_s=None, randomness=random.Random(seed))
        assert 0 <= wait_s <= cap_s


def test_waits_grow_with_failures_and_spread_over_the_whole_range():
    randomness = random.Random(1)
    backoff = Backoff(300)
    means = [
        sum(backoff.wait_s(n, slow=False, retry_after_s=None, randomness=randomness) for _ in range(400)) / 400
        for n in (1, 3, 6)
    ]
    assert means[0] < 1
    assert 1 < means[1] < 4
    assert 8 < means[2] < 24
    lowest = min(backoff.wait_s(9, slow=False, retry_after_s=None, randomness=randomness) for _ in range(400))
    assert lowest < 15  # full jitter: also soon, so that a city full of nodes is spread


@given(st.integers(1, 50), st.integers())
def test_what_a_person_must_mend_is_tried_slowly(failures, seed):
    wait_s = Backoff(300).wait_s(failures, slow=True, retry_after_s=None, randomness=random.Random(seed))
    assert wait_s >= 150


@given(st.integers(1, 50), st.floats(0, 3600), st.booleans(), st.integers())
def test_retry_after_is_never_undercut(failures, asked_s, slow, seed):
    wait_s = Backoff(300).wait_s(failures, slow=slow, retry_after_s=asked_s, randomness=random.Random(seed))
    assert asked_s <= wait_s <= asked_s + 300


def test_nobody_can_silence_a_node_for_long():
    wait_s = Backoff(5).wait_s(1, slow=False, retry_after_s=1e12, randomness=random.Random(1))
    assert wait_s <= RETRY_AFTER_LIMIT_S + 5
    assert parse_retry_after("9" * 400, None, NOW) == RETRY_AFTER_LIMIT_S


@pytest.mark.parametrize(
    ("text", "date", "expected"),
    [
        ("120", None, 120.0),
        (" 0 ", None, 0.0),
        ("Mon, 23 Nov 2026 01:02:00 GMT", None, 120.0),
        # The server's own clock counts: a node whose clock is wrong by years waits as long as it was asked to.
        ("Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:29 GMT", 30.0),
        ("Mon, 23 Nov 2026 00:00:00 GMT", None, 0.0),
        (None, None, None),
        ("", None, None),
        ("soon", None, None),
        ("-5", None, None),
        ("１２", None, None),
    ],
)
def test_retry_after_in_seconds_and_as_a_date(text, date, expected):
    assert parse_retry_after(text, date, NOW) == expected


def test_a_broken_date_is_none():
    assert parse_http_date("Mon, 99 Foo 2026 01:02:00 GMT") is None
    assert parse_http_date(None) is None
    assert parse_http_date("Mon, 23 Nov 2026 08:00:00 +0700") == NOW
