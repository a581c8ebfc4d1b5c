"""The order of sites on the city's page. Fairness first: who has few ratings is not ranked, and what reads equal is equal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from firmware_py.look.numerals import percent
from sync.receiver.figures import Ratings, natural

#: A rate of fewer ratings jumps by several per cent with every single one: it says nothing about a rank.
LEAST_N = 30


class Rated(Protocol):
    """What can be put in order."""

    @property
    def site(self) -> str:
        """Its name."""
        ...

    @property
    def ratings(self) -> Ratings:
        """Its ratings in the period."""
        ...


S = TypeVar("S", bound=Rated)


@dataclass(frozen=True, slots=True)
class Ranked(Generic[S]):
    """A site with its rank, 1 the best; None: not ranked."""

    rank: int | None
    site: S


def whole_percent(rate_ratio: float) -> int:
    """A rate as it is shown: ranks are given by this number, for a difference that nobody can read is none."""
    return int(percent(rate_ratio, "en").removesuffix(" %"))


def by_name(sites: Iterable[S]) -> list[S]:
    """As people list them."""
    return sorted(sites, key=lambda site: natural(site.site))


def ranked(sites: Sequence[S]) -> tuple[list[Ranked[S]], list[Ranked[S]]]:
    """Those with enough ratings by rate, best first, and the others by name and without a rank.

    Equal rates share a rank and the next rank counts them all (1, 2, 2, 4); among equals the name decides the place alone.
    """
    shown: list[tuple[int, S]] = []
    apart: list[S] = []
    for site in by_name(sites):
        rate = site.ratings.rate_ratio
        if rate is None or site.ratings.n < LEAST_N:
            apart.append(site)
        else:
            shown.append((whole_percent(rate), site))
    shown.sort(key=lambda item: -item[0])  # stable: by name among equals
    values = [value for value, _ in shown]
    return [Ranked(values.index(value) + 1, site) for value, site in shown], [Ranked(None, site) for site in apart]
