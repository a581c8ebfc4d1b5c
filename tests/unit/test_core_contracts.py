"""What a retry must repeat, and what may leave over the live stream."""

from dataclasses import replace

import pytest

from firmware_py.core import contracts
from firmware_py.core.contracts import STREAMED_FIELDS, GiveRating, ReportDevice

PRESS = GiveRating(source="panel-1", key="k", counter="1", level=5, pressed_ago_s=0.1)


def test_a_retry_is_known_again_although_its_key_and_its_age_differ():
    assert replace(PRESS, key="other", pressed_ago_s=30.0).fingerprint() == PRESS.fingerprint()


@pytest.mark.parametrize(
    "other",
    [
        {"counter": "2"},
        {"level": 4},
        {"ticket": "A012"},
        {"source": "panel-2"},
        {"simulated": True},
        {"purpose": "test"},
    ],
)
def test_another_wish_has_another_fingerprint(other):
    assert replace(PRESS, **other).fingerprint() != PRESS.fingerprint()


def test_commands_of_two_kinds_have_two_fingerprints():
    one = ReportDevice(source="x", device="d", available=True)
    assert one.fingerprint() != contracts.ReportButton(source="x", device="d", button=1, fault=None).fingerprint()


def test_every_declared_event_says_what_of_it_may_be_streamed():
    declared = {value for name, value in vars(contracts).items() if name.isupper() and isinstance(value, str)}
    assert set(STREAMED_FIELDS) == declared


def test_no_stream_carries_a_vote():
    """Confidential towards the officer: who stands at the desk would know whose it was."""
    for fields in STREAMED_FIELDS.values():
        assert not {"level", "button", "outcome", "ticket", "definition"} & set(fields)
    assert STREAMED_FIELDS["rating.given"] == STREAMED_FIELDS["rating.placed"] == ("counter",)
