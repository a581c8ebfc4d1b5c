"""The smallest parts of an hour that may travel alone: pure rules, for a city that finds even one hour too large.

Only what a correction moved must stay together: the ratings of one counter, and its count of corrections, which every
correction changes. Where hours are linked by a correction between them, all of a counter in these hours stays together.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

MOVED_BY_CORRECTIONS = frozenset({"ratings", "ratings_corrected"})


def parts_of(buckets: Sequence[Mapping[str, Any]], hours: int) -> list[list[int]]:
    """The indices of `buckets` (as on the wire, of one unit of `hours` hours) that must not be parted, in their order."""
    corrected = {_counter(bucket) for bucket in buckets if bucket["series"] == "ratings_corrected"}
    parts: dict[Hashable, list[int]] = {}
    for index, bucket in enumerate(buckets):
        counter = _counter(bucket)
        together = hours > 1 or (bucket["series"] in MOVED_BY_CORRECTIONS and counter in corrected)
        parts.setdefault(counter if counter is not None and together else index, []).append(index)
    return list(parts.values())


def first_parts(buckets: Sequence[Mapping[str, Any]], hours: int, max_buckets: int) -> list[int]:
    """The indices of the first parts that fit together; one that is too large for any batch goes alone."""
    chosen: list[int] = []
    for part in parts_of(buckets, hours):
        if chosen and len(chosen) + len(part) > max_buckets:
            break
        chosen += part
    return sorted(chosen)


def _counter(bucket: Mapping[str, Any]) -> tuple[str, bool] | None:
    counter = bucket["labels"].get("counter")
    return None if counter is None else (counter, bucket["simulated"])
