"""The text of a bucket's value is written by hand for speed: it must be the canonical JSON, byte for byte."""

from hypothesis import given
from hypothesis import strategies as st

from firmware_py.core.events import canonical_json
from firmware_py.core.series import Series, value_json, value_of

INTEGERS = st.integers(-(10**12), 10**12)


@given(INTEGERS)
def test_a_count(count):
    series = Series("a", "count")
    assert value_json(series, (count,)) == canonical_json(value_of(series, (count,)))


@given(INTEGERS)
def test_seconds(milliseconds):
    series = Series("a", "seconds")
    assert value_json(series, (milliseconds,)) == canonical_json(value_of(series, (milliseconds,)))


@given(st.data(), st.lists(st.floats(0.001, 1e9), min_size=1, max_size=20, unique=True))
def test_a_histogram(data, bounds):
    series = Series("a", "histogram", tuple(sorted(bounds)))
    parts = tuple(data.draw(st.lists(INTEGERS, min_size=len(bounds) + 2, max_size=len(bounds) + 2)))
    assert value_json(series, parts) == canonical_json(value_of(series, parts))
