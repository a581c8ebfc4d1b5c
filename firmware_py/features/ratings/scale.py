"""The satisfaction scale and what "satisfied" means.

No law fixes the scale of a lobby device (DOMAIN.md): 3, 4 or 5 levels, 1 the worst; satisfied is every level from
`satisfied_from` up. The city must know which levels satisfied when it adds wards together, so each scale has a number
that travels with every ratings bucket as its `definition`. Numbers are never reused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Scale:
    """`levels` answers, 1 the worst; satisfied = level >= `satisfied_from`."""

    levels: int
    satisfied_from: int

    def satisfies(self, level: int) -> bool:
        """Whether a citizen who pressed this level was satisfied: the one place that says so."""
        return level >= self.satisfied_from


#: definition number -> scale. 1 is the default and what the public devices in use have.
SCALES: Mapping[int, Scale] = MappingProxyType(
    {
        1: Scale(5, 4),
        2: Scale(5, 5),
        3: Scale(5, 3),
        4: Scale(5, 2),
        5: Scale(4, 3),
        6: Scale(4, 4),
        7: Scale(4, 2),
        8: Scale(3, 3),
        9: Scale(3, 2),
    }
)


def definition_of(levels: int, satisfied_from: int) -> int:
    """The number of a scale.

    Raises:
        ValueError: there is no such scale; the site file's checks refuse it before.
    """
    for number, scale in SCALES.items():
        if scale == Scale(levels, satisfied_from):
            return number
    raise ValueError(f"no scale with {levels} levels, satisfied from {satisfied_from}")


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """A rate never stands without its n. `rate_ratio` is None where nobody answered: that is neither 0 % nor 100 %."""

    n: int
    satisfied: int

    @property
    def rate_ratio(self) -> float | None:
        """Satisfied / all, 0 to 1 (DOMAIN.md, Ratings)."""
        return self.satisfied / self.n if self.n else None


def satisfaction(by_level: Mapping[int, int], scale: Scale) -> Satisfaction:
    """The satisfaction of one scale's counts, level -> how many."""
    satisfied = sum(count for level, count in by_level.items() if scale.satisfies(level))
    return Satisfaction(sum(by_level.values()), satisfied)
