"""What the city keeps of all that is offered for one key, and what it refuses."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from firmware_py.core.events import canonical_json
from sync.protocol import WireBucket
from sync.receiver.merge import Content, content_of, judge, objection

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


def wire(**changes):
    return {
        "epoch": "abcdef0123456789",
        "series": "ratings",
        "labels": {"counter": "1", "level": "5"},
        "hour": "2026-11-23T01:00:00Z",
        "revision": 12,
        "definition": 1,
        "final": False,
        "partial": False,
        "simulated": False,
        "value": {"count": 12},
    } | changes


def settle(offers, *, sealed=False):
    held, outcomes = None, []
    for offer in offers:
        verdict = judge(held, offer, sealed=sealed)
        outcomes.append((verdict.outcome, verdict.code))
        held = verdict.keep or held
    return held, outcomes


# One content for each (revision, partial), as an honest node offers it.
honest = st.builds(
    lambda revision, partial: Content(revision, f'{{"count":{revision}}}', final=False, partial=partial),
    st.integers(1, 9),
    st.booleans(),
)


@given(st.lists(honest, min_size=1), st.randoms())
def test_order_and_repetition_do_not_matter(offers, randomness):
    shuffled = offers + randomness.choices(offers, k=len(offers))
    randomness.shuffle(shuffled)
    assert settle(offers)[0] == settle(shuffled)[0]


@given(st.lists(honest, min_size=1))
def test_honest_offers_never_conflict_and_the_highest_whole_revision_wins(offers):
    held, outcomes = settle(offers)
    whole = [offer.revision for offer in offers if not offer.partial]
    assert held.revision == max(whole or [offer.revision for offer in offers])
    assert {outcome for outcome, _ in outcomes} <= {"accepted", "stale"}


def test_the_same_revision_with_other_content_is_a_conflict_and_changes_nothing():
    first = Content(5, '{"count":1}', final=False, partial=False)
    other = Content(5, '{"count":2}', final=False, partial=False)
    held, outcomes = settle([first, other, first])
    assert held == first
    assert outcomes == [("accepted", None), ("conflict", None), ("accepted", None)]


def test_a_partial_never_replaces_a_whole_one_and_says_so():
    whole = Content(5, '{"count":9}', final=False, partial=False)
    partial = Content(8, '{"count":4}', final=False, partial=True)
    assert settle([whole, partial])[0] == whole
    assert settle([whole, partial])[1][1] == ("stale", "partial")
    assert settle([partial, whole])[0] == whole


def test_a_repeat_may_add_that_the_hour_is_final():
    held, _ = settle([Content(5, "{}", final=False, partial=False), Content(5, "{}", final=True, partial=False)])
    assert held.final


def test_a_sealed_hour_takes_nothing_new_but_confirms_what_it_has():
    held = Content(5, '{"count":1}', final=False, partial=False)
    assert judge(None, held, sealed=True).code == "sealed"
    assert judge(held, Content(6, '{"count":2}', final=False, partial=False), sealed=True).code == "sealed"
    assert judge(held, held, sealed=True).outcome == "accepted"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"definition": 9, "labels": {"counter": "1", "level": "3"}}, None),
        ({"definition": 10}, "unknown_definition"),
        ({"series": "open_seconds", "labels": {"state": "up"}, "value": {"seconds": 3.5}}, None),
        ({"series": "open_seconds", "labels": {"state": "up"}, "value": {"seconds": 3.5}, "definition": 2}, "unknown_definition"),
        ({"value": {"seconds": 3.5}}, "invalid"),
        ({"labels": {"counter": "1"}}, "invalid"),
        ({"labels": {"counter": "1", "level": "6"}}, "invalid"),
        ({"labels": {"counter": "1", "level": "05"}}, "invalid"),
        ({"hour": "2026-11-24T01:00:00Z"}, None),
        ({"hour": "2026-11-24T02:00:00Z"}, "future"),
        ({"series": "tickets_waiting", "definition": 77}, None),  # kept, shown nowhere: a newer node may have more
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_bucket_is_said_by_its_code(changes, code):
    assert objection(WireBucket.model_validate(wire(**changes)), NOW) == code


@pytest.mark.parametrize(
    "changes",
    [
        {"hour": "2026-02-31T01:00:00Z"}, {"hour": "2026-11-23T01:30:00Z"}, {"hour": "2026-11-23T25:00:00Z"},
        {"hour": "２０２６-11-23T01:00:00Z"}, {"hour": "0000-01-01T00:00:00Z"}, {"hour": 5},
        {"revision": 0}, {"revision": 2**53 + 1}, {"revision": 1.5}, {"revision": True}, {"revision": "12"},
        {"simulated": "no"}, {"simulated": None}, {"simulated": 0}, {"final": 1},
        {"value": {}}, {"value": {"count": 10**10}}, {"value": {"count": 1.0}}, {"value": {"count": 1, "seconds": 1.0}},
        {"value": {"seconds": float("inf")}}, {"value": {"seconds": "3"}}, {"value": {"seconds": True}},
        {"value": {"bounds_s": [1.0, 1.0], "counts": [0, 0, 0], "sum_s": 0.0}},
        {"value": {"bounds_s": [1.0], "counts": [0], "sum_s": 0.0}},
        {"labels": {"counter": "a\x00b", "level": "5"}}, {"labels": {"counter": "\ud800", "level": "5"}},
        {"labels": {"counter": 1, "level": "5"}}, {"labels": {"c c": "1"}}, {"labels": []},
        {"epoch": "XYZ"}, {"epoch": "abcdef01\n"}, {"series": ""}, {"series": "a/b"}, {"surprise": 1},
    ],
)  # fmt: skip
def test_a_malformed_bucket_does_not_pass_the_schema(changes):
    with pytest.raises(ValidationError):
        WireBucket.model_validate(wire(**changes))


@given(st.integers(-(10**9), 10**9))
def test_a_count_is_written_as_canonical_json(count):
    content = content_of(WireBucket.model_validate(wire(value={"count": count})))
    assert content.value == canonical_json({"count": count})


def test_whole_and_fractional_seconds_are_one_content():
    a, b = (
        content_of(WireBucket.model_validate(wire(series="open_seconds", value={"seconds": seconds})))
        for seconds in (3600, 3600.0)
    )
    assert a == b
