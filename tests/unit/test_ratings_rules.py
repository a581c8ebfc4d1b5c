"""One press after another: every row of the rules' table, at its very edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_py.features.ratings.rules import Act, Verdict, Windows, judge

WINDOWS = Windows(correction_s=5, lockout_s=3)
ACT = Act("boot", 100.0, 4, definition=1)
COUNTED, CORRECTED = Verdict("counted"), Verdict("corrected")
REPEAT, LOCKOUT = Verdict("excluded", "repeat"), Verdict("excluded", "lockout")
CLOSED = Verdict("excluded", "outside_opening_hours")


def judged(at_s, level=5, *, act=ACT, boot_id="boot", definition=1, windows=WINDOWS, is_open=True):
    return judge(
        act,
        boot_id=boot_id,
        uptime_s=at_s,
        level=level,
        definition=definition,
        windows=windows,
        is_open=is_open,
    )


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
        (-1.0, CORRECTED, REPEAT),  # two panels of one counter: the later decided was pressed earlier
    ],
)
def test_what_a_press_is_depends_on_the_time_since_the_act_began_and_on_its_level(since_s, other_level, same_level):
    assert judged(100.0 + since_s, 5) == other_level
    assert judged(100.0 + since_s, 4) == same_level


def test_the_first_press_at_a_counter_counts():
    assert judged(100.0, act=None) == COUNTED


def test_a_press_from_another_boot_begins_anew():
    """Its uptime says nothing about the act before the power cut."""
    assert judged(101.0, boot_id="another") == COUNTED


def test_levels_of_two_scales_cannot_replace_each_other():
    assert judged(101.0, definition=2) == COUNTED


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


def test_only_a_correction_takes_the_place_of_the_level_before():
    assert CORRECTED.corrects
    assert not any(verdict.corrects for verdict in (COUNTED, REPEAT, LOCKOUT, CLOSED))


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
            act = Act("boot", now_s, level, 1)
            last_counted_s = now_s
        elif verdict.corrects:
            act = Act("boot", act.first_uptime_s, level, 1)
        assert last_counted_s is not None
        assert now_s - last_counted_s <= 5 + 3 + 1e-6
