"""The scale's numbers, and a rate that never stands without its n."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_py.features.ratings.scale import SCALES, Scale, definition_of, satisfaction


def test_where_nobody_answered_there_is_no_rate():
    nothing = satisfaction({}, Scale(5, 4))
    assert (nothing.n, nothing.satisfied, nothing.rate_ratio) == (0, 0, None)
    assert satisfaction({1: 0, 5: 0}, Scale(5, 4)).rate_ratio is None


def test_satisfied_is_every_level_from_the_threshold_up():
    found = satisfaction({1: 1, 2: 1, 3: 1, 4: 2, 5: 3}, Scale(5, 4))
    assert (found.n, found.satisfied, found.rate_ratio) == (8, 5, 0.625)


@given(st.dictionaries(st.integers(1, 5), st.integers(0, 1000)), st.sampled_from(list(SCALES.values())))
def test_a_rate_lies_between_none_and_all(by_level, scale):
    found = satisfaction(by_level, scale)
    assert found.n == sum(by_level.values())
    assert 0 <= found.satisfied <= found.n
    assert found.rate_ratio is None or 0 <= found.rate_ratio <= 1


def test_the_numbers_of_the_scales_are_what_the_city_was_told():
    """They are stored with every bucket, here and at the city: never reused, never moved."""
    assert {number: (scale.levels, scale.satisfied_from) for number, scale in SCALES.items()} == {
        1: (5, 4),
        2: (5, 5),
        3: (5, 3),
        4: (5, 2),
        5: (4, 3),
        6: (4, 4),
        7: (4, 2),
        8: (3, 3),
        9: (3, 2),
    }


def test_every_scale_a_site_file_may_choose_has_its_own_number():
    allowed = [(levels, satisfied) for levels in (3, 4, 5) for satisfied in range(2, levels + 1)]
    assert len({definition_of(*scale) for scale in allowed}) == len(allowed) == len(SCALES)


@pytest.mark.parametrize("scale", [(6, 4), (5, 1), (5, 6), (2, 2)])
def test_a_scale_without_a_number_is_an_error(scale):
    with pytest.raises(ValueError):
        definition_of(*scale)
