"""One press after another: every row of the rules' table, at its very edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_py.features.ratings.rules import Act, Verdict, Windows, judge

WINDOWS = Windows(correction_s=5, lockout_s=3)
ACT = Act(first_uptime_s=100.0, word_uptime_s=100.0, level=4, seq=7)
COUNTED, CORRECTED = Verdict("counted"), Verdict("corrected", corrects=7)
REPEAT, LOCKOUT = Verdict("excluded", "repeat"), Verdict("excluded", "lockout")
SUPERSEDED = Verdict("excluded", "superseded")
CLOSED = Verdict("excluded", "outside_opening_hours")


def judged(at_s, level=5, *, act=ACT, windows=WINDOWS, is_open=True):
    """As the feature asks: the newest act that began before the press, the oldest that began after it."""
    before = act if act is not None and act.first_uptime_s <= at_s else None
    after = act if before is None else None
    return judge(before, after, uptime_s=at_s, level=level, windows=windows, is_open=is_open)


@pytest.mark.parametrize(
    ("since_s", "other_level", "same_level"),
    [
        (0.0, CORRECTED, REPEAT),
        (2.5, CORRECTED, REPEAT),
        (5.0, CORRECTED, REPEAT),  # exactly correction_s still corrects
        (5.001, LOCKOUT, LOCKOUT),
        (8.0, LOCKOUT, LOCKOUT),  # exactly correction_s + lockout_s is still locked
        (8.001, COUNTED, COUNTED),
        (3600.0, COUNTED, COUNTED),
        (-1.0, SUPERSEDED, SUPERSEDED),  # two panels of one counter: the later decided was pressed earlier
        (-8.0, SUPERSEDED, SUPERSEDED),  # in order, the act would not have begun
        (-8.001, COUNTED, COUNTED),  # another citizen's, ten minutes late: nobody's vote is taken back for it
        (-600.0, COUNTED, COUNTED),
    ],
)
def test_what_a_press_is_depends_on_the_time_since_the_act_began_and_on_its_level(since_s, other_level, same_level):
    assert judged(100.0 + since_s, 5) == other_level
    assert judged(100.0 + since_s, 4) == same_level


def test_the_first_press_at_a_counter_counts():
    assert judged(100.0, act=None) == COUNTED


@pytest.mark.parametrize("level", [4, 5])
def test_a_late_press_never_replaces_a_newer_word(level):
    """The act's word was corrected at 104; a press of 102 arrives after it."""
    corrected = Act(first_uptime_s=100.0, word_uptime_s=104.0, level=4, seq=8)
    assert judged(102.0, level, act=corrected) == SUPERSEDED


@pytest.mark.parametrize(("is_open", "verdict"), [(True, COUNTED), (False, CLOSED), (None, COUNTED)])
def test_outside_opening_hours_nothing_new_counts_and_without_trust_that_is_judged_later(is_open, verdict):
    assert judged(200.0, is_open=is_open) == verdict
    assert judged(200.0, act=None, is_open=is_open) == verdict


@pytest.mark.parametrize("is_open", [True, False, None])
def test_an_act_that_began_inside_opening_hours_may_be_corrected_after_them(is_open):
    assert judged(103.0, 5, is_open=is_open) == CORRECTED
    assert judged(103.0, 4, is_open=is_open) == REPEAT
    assert judged(106.0, 4, is_open=is_open) == LOCKOUT


def test_without_windows_every_press_counts_but_one_at_the_same_moment():
    none = Windows(0, 0)
    assert judged(100.0, 4, windows=none) == REPEAT
    assert judged(100.001, 4, windows=none) == COUNTED


def test_without_a_lockout_the_next_citizen_counts_at_once():
    assert judged(105.001, windows=Windows(5, 0)) == COUNTED


@given(
    st.floats(-10, 100),
    st.integers(1, 5),
    st.floats(0, 60),
    st.floats(0, 60),
    st.sampled_from([True, False, None]),
)
def test_every_press_gets_exactly_one_verdict_and_an_exclusion_always_its_reason(
    since_s, level, correction, lockout, is_open
):
    verdict = judged(100 + since_s, level, windows=Windows(correction, lockout), is_open=is_open)
    assert (verdict.outcome == "excluded") == (verdict.reason is not None)
    if verdict.corrects:
        assert since_s <= correction + 1e-9
        assert level != ACT.level


@given(st.lists(st.tuples(st.floats(0.05, 4), st.integers(1, 5)), min_size=30, max_size=60))
def test_a_jammed_button_cannot_lock_the_counter_for_good(presses):
    """Excluded presses prolong nothing: in each span of correction, lockout and one press' gap something counts."""
    act, now_s, last_counted_s = None, 0.0, None
    for gap_s, level in presses:
        now_s += gap_s
        verdict = judged(now_s, level, act=act)
        if verdict == COUNTED:
            act = Act(now_s, now_s, level, 1)
            last_counted_s = now_s
        elif verdict.corrects:
            act = Act(act.first_uptime_s, now_s, level, 1)
        assert last_counted_s is not None
        assert now_s - last_counted_s <= 5 + 3 + 1e-6
