"""Nobody can tell a single vote from what is shown: whatever is pressed, corrected and looked at, in any order."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from firmware_py.features.ratings.disclosure import GROUP, released
from firmware_py.features.ratings.figures import Answer, Counts, added, total

LEVELS = st.integers(1, 5)
STEPS = st.one_of(
    st.tuples(st.just("press"), LEVELS),
    st.tuples(st.just("correct"), LEVELS),  # the newest one, as within five seconds
    st.tuples(st.just("look"), st.just(0)),
)


def counts(levels: list[int]) -> Counts:
    return dict(Counter(Answer(1, level) for level in levels))


def looks(steps: list[tuple[str, int]]) -> list[tuple[Counts, int]]:
    """What was shown one after the other, each with how many had rated when it was first shown."""
    levels: list[int] = []
    shown: Counts | None = None
    seen: list[tuple[Counts, int]] = []
    for step, level in steps:
        if step == "press":
            levels.append(level)
        elif step == "correct" and levels:
            levels[-1] = level
        elif step == "look":
            before, shown = shown, released(shown, counts(levels))
            if shown is not None and shown is not before:
                seen.append((shown, len(levels)))
    return seen


@given(st.lists(STEPS, max_size=120))
def test_two_successive_releases_are_at_least_a_group_apart(steps: list[tuple[str, int]]) -> None:
    seen = looks(steps)
    sizes = [0, *(total(shown) for shown, _ in seen)]
    assert all(after - before >= GROUP for before, after in pairwise(sizes))


@given(st.lists(STEPS, max_size=120))
def test_a_release_is_what_was_counted_at_that_moment(steps: list[tuple[str, int]]) -> None:
    """Not a guess and not a mixture: the rate that stands with it is a true one."""
    assert all(total(shown) == pressed for shown, pressed in looks(steps))


@given(st.lists(LEVELS, max_size=GROUP - 1))
def test_below_a_group_nothing_is_shown(levels: list[int]) -> None:
    assert released(None, counts(levels)) is None


@given(st.lists(LEVELS, min_size=GROUP, max_size=30), LEVELS)
def test_a_correction_alone_changes_nothing_that_is_shown(levels: list[int], other: int) -> None:
    shown = released(None, counts(levels))
    assert shown is not None
    assert released(shown, counts([*levels[:-1], other])) is shown


@given(st.lists(st.lists(LEVELS, max_size=12), max_size=4))
def test_the_centres_answers_are_those_of_the_counters_that_show_theirs(counters: list[list[int]]) -> None:
    """So that no subtraction leads to a counter that shows none yet."""
    releases = [shown for levels in counters if (shown := released(None, counts(levels))) is not None]
    assert total(added(releases)) == sum(len(levels) for levels in counters if len(levels) >= GROUP)


@given(st.integers(-3, -1))
def test_what_does_not_add_up_is_not_shown(count: int) -> None:
    """After salvage a sum can be below zero for a while."""
    assert released(None, {Answer(1, 5): 20, Answer(1, 1): count}) is None
