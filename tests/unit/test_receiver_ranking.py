"""Who is ranked, and how: nobody with few ratings, and equals share."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from sync.receiver.figures import Ratings
from sync.receiver.ranking import LEAST_N, by_name, ranked, whole_percent


@dataclass(frozen=True)
class Site:
    site: str
    ratings: Ratings


def site(name: str, satisfied: int, n: int) -> Site:
    counts = {1: n - satisfied, 5: satisfied}
    return Site(name, Ratings(counts, counts, satisfied, 0, {}))


def test_the_best_is_first_and_who_has_fewer_than_thirty_ratings_is_apart() -> None:
    first, apart = ranked([site("a", 20, 40), site("b", 29, 29), site("c", 36, 40), site("d", 0, 0)])
    assert [(item.rank, item.site.site) for item in first] == [(1, "c"), (2, "a")]
    assert [(item.rank, item.site.site) for item in apart] == [(None, "b"), (None, "d")]


def test_thirty_are_enough() -> None:
    assert LEAST_N == 30
    assert len(ranked([site("a", 30, 30)])[0]) == 1


def test_what_reads_equal_is_equal_and_the_next_rank_counts_them_all() -> None:
    # 86.6 % and 87.3 % are both shown as 87 %.
    first, _ = ranked([site("b", 873, 1000), site("a", 866, 1000), site("c", 90, 100), site("d", 10, 100)])
    assert [(item.rank, item.site.site) for item in first] == [(1, "c"), (2, "a"), (2, "b"), (4, "d")]


def test_a_rate_that_is_not_known_is_not_ranked() -> None:
    counts = {1: -1, 5: 90}
    assert ranked([Site("a", Ratings(counts, counts, 90, 0, {}))])[0] == []


def test_nearly_all_is_not_all() -> None:
    assert (whole_percent(0.999), whole_percent(1.0), whole_percent(0.001)) == (99, 100, 1)


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=30))
def test_no_one_ranks_before_a_better_rate(found: list[tuple[int, int]]) -> None:
    sites = [site(f"s-{index}", min(pair), max(pair)) for index, pair in enumerate(found)]
    first, apart = ranked(sites)
    assert sorted(item.site.site for item in first + apart) == sorted(one.site for one in sites)
    assert all(item.site.ratings.n >= LEAST_N for item in first)
    for item in first:
        better = sum(
            whole_percent(other.site.ratings.rate_ratio or 0) > whole_percent(item.site.ratings.rate_ratio or 0)
            for other in first
        )
        assert item.rank == better + 1


def test_by_name_is_as_people_count() -> None:
    assert [one.site for one in by_name([site("p-10", 0, 0), site("p-9", 0, 0)])] == ["p-9", "p-10"]
