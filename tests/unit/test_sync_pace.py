"""How fast a backlog goes."""

from hypothesis import given
from hypothesis import strategies as st

from sync.pace import UNBOUNDED, pause_s


def test_a_batch_that_was_quicker_than_the_rate_is_followed_by_the_rest_of_its_time():
    assert pause_s(500, 0.5, 100) == 4.5
    assert pause_s(500, 6.0, 100) == 0


def test_without_a_bound_nothing_waits():
    assert pause_s(500, 0.0, UNBOUNDED) == 0


@given(st.lists(st.tuples(st.integers(1, 5000), st.floats(0, 60)), min_size=1), st.floats(1, 100_000))
def test_over_any_backlog_the_rate_is_kept(batches, rate):
    sent = sum(buckets for buckets, _ in batches)
    lasted_s = sum(took_s + pause_s(buckets, took_s, rate) for buckets, took_s in batches)
    assert sent <= rate * lasted_s * (1 + 1e-9)
