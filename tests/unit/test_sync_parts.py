"""What of one hour may travel alone, when a city finds even one hour too large."""

from hypothesis import given
from hypothesis import strategies as st

from sync.parts import first_parts, parts_of


def bucket(series, counter=None, **labels):
    if counter is not None:
        labels["counter"] = counter
    return {"series": series, "labels": labels, "simulated": False}


HOUR = [
    bucket("ratings", "1", level="5"),
    bucket("ratings", "1", level="2"),
    bucket("ratings_corrected", "1"),
    bucket("ratings_excluded", "1", reason="repeat"),
    bucket("ratings", "2", level="5"),
    bucket("ratings", "2", level="4"),
    bucket("open_seconds", state="up"),
]


def test_what_a_correction_moved_stays_together_and_everything_else_may_go_alone():
    assert parts_of(HOUR, 1) == [[0, 1, 2], [3], [4], [5], [6]]


def test_in_linked_hours_all_of_a_counter_stays_together():
    assert parts_of(HOUR, 2) == [[0, 1, 2, 3], [4, 5], [6]]


def test_simulated_and_real_are_never_one_part():
    simulated = {**bucket("ratings_corrected", "1"), "simulated": True}
    assert parts_of([*HOUR[:3], simulated], 1) == [[0, 1, 2], [3]]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ratings", "ratings_corrected", "ratings_excluded", "open_seconds"]),
            st.sampled_from(["1", "2", None]),
        ),
        min_size=1,
    ),
    st.integers(1, 3),
    st.integers(1, 8),
)
def test_no_part_is_ever_cut_and_at_least_one_goes(kinds, hours, most):
    buckets = [bucket(series, counter) for series, counter in kinds]
    chosen = set(first_parts(buckets, hours, most))
    parts = [set(part) for part in parts_of(buckets, hours)]
    assert sorted(index for part in parts for index in part) == list(range(len(buckets)))
    assert all(part <= chosen or not part & chosen for part in parts)
    assert parts[0] <= chosen
    assert len(chosen) <= max(most, len(parts[0]))
