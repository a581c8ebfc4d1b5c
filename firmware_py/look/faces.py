"""Which of the five drawn mouths a scale's levels have."""

from __future__ import annotations

from collections.abc import Mapping

#: The mouths of a scale of so many levels, worst to best; 1 the most unhappy of the five that are drawn.
MOUTHS: Mapping[int, tuple[int, ...]] = {3: (2, 3, 4), 4: (1, 2, 4, 5), 5: (1, 2, 3, 4, 5)}
