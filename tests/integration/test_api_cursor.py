"""Where a live stream goes on: the pure rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_api.cursor import MAX_BEHIND, Start, event_id, start_of

JOURNAL = "ab12"


@given(head=st.integers(0, 10**15), behind=st.integers(0, MAX_BEHIND))
def test_what_this_journal_said_within_reach_is_resumed_exactly_there(head: int, behind: int) -> None:
    seq = max(0, head - behind)
    assert start_of(event_id(JOURNAL, seq), JOURNAL, head) == Start("resume", seq)


@given(head=st.integers(0, 10**15), more=st.integers(1, 10**6))
def test_too_far_behind_or_beyond_the_head_is_reset_to_the_head(head: int, more: int) -> None:
    assert start_of(event_id(JOURNAL, head + more), JOURNAL, head) == Start("reset", head)
    behind = head - MAX_BEHIND - more
    if behind >= 0:
        assert start_of(event_id(JOURNAL, behind), JOURNAL, head) == Start("reset", head)


@given(text=st.text(min_size=1), head=st.integers(0, 10**6))
def test_any_other_text_is_reset_and_never_an_error(text: str, head: int) -> None:
    start = start_of(text, JOURNAL, head)
    assert start == Start("reset", head) or text.startswith(f"{JOURNAL}:")


@pytest.mark.parametrize(
    "text", ["ab12:", "ab12:-1", "ab12:1 ", "ab12:٣", "AB12:1", "other:1", ":1", "1", "ab12:" + "9" * 30]
)
def test_an_id_that_is_not_of_this_journal_or_no_number_is_reset(text: str) -> None:
    assert start_of(text, JOURNAL, 5) == Start("reset", 5)


@pytest.mark.parametrize("nothing", [None, ""])
def test_who_saw_nothing_starts_at_the_head(nothing: str | None) -> None:
    assert start_of(nothing, JOURNAL, 7) == Start("hello", 7)
