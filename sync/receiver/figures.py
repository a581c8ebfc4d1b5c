"""Figures out of sums: ratings with the operation of their devices behind them. Pure; the database is in `reading`.

A rate never stands without its n, and without ratings there is none: neither 0 % nor 100 %. The same holds for
availability: where no device said anything there is no figure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from firmware_py.features.ratings.scale import SCALES
from firmware_py.look.faces import MOUTHS

#: What the figures are made of; a series that is not here is kept and shown nowhere.
SHOWN_SERIES = ("ratings", "ratings_corrected", "ratings_excluded", "open_seconds", "device_seconds")
USUAL_LEVELS = 5  # shown, as zeros, where a site has no ratings yet


class Sum(NamedTuple):
    """One series' sum at one node. `amount` is a count, or milliseconds."""

    series: str
    labels: Mapping[str, str]
    definition: int
    amount: int
    node: str = ""


@dataclass(frozen=True, slots=True)
class Ratings:
    """Ratings of a site or a counter. `by_mouth`: the same counts by the face that was pressed, 1 the most unhappy of five.

    `rate_ratio` is None without ratings, and while what has arrived cannot be the whole. (A correction of an older epoch may
    arrive before what it corrects: then a level is below zero for a while.)
    """

    by_level: Mapping[int, int]
    by_mouth: Mapping[int, int]
    satisfied: int
    corrected: int
    excluded: Mapping[str, int]

    @property
    def n(self) -> int:
        """All ratings that count."""
        return sum(self.by_level.values())

    @property
    def is_whole(self) -> bool:
        """Nothing is below zero: what is here can be all there is."""
        return min(self.by_mouth.values()) >= 0

    @property
    def rate_ratio(self) -> float | None:
        """Satisfied / n, 0 to 1."""
        return self.satisfied / self.n if self.n > 0 and self.is_whole else None


@dataclass(frozen=True, slots=True)
class Operation:
    """How long rating devices worked within opening hours, and did not."""

    available_ms: int = 0
    unavailable_ms: int = 0

    @property
    def availability_ratio(self) -> float | None:
        """Available / told, 0 to 1. None: no device said anything."""
        told_ms = self.available_ms + self.unavailable_ms
        return self.available_ms / told_ms if told_ms > 0 and min(self.available_ms, self.unavailable_ms) >= 0 else None


@dataclass(frozen=True, slots=True)
class Opening:
    """A site's opening hours, added up over its nodes: a node ran, or nobody knows."""

    up_ms: int = 0
    unknown_ms: int = 0

    @property
    def unknown_ratio(self) -> float | None:
        """The share of which nobody knows anything, 0 to 1. None: no opening hours were told."""
        told_ms = self.up_ms + self.unknown_ms
        return self.unknown_ms / told_ms if told_ms > 0 else None


class DeviceKey(NamedTuple):
    """A device of a site: its id is unique within its node. `counter` is None where the node does not say it."""

    node: str
    device: str
    counter: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What a site did in a period."""

    ratings: Ratings
    operation: Operation
    opening: Opening
    counters: Mapping[str, CounterFigures]
    devices: Mapping[DeviceKey, Operation]
    node_opening: Mapping[str, Opening]


@dataclass(frozen=True, slots=True)
class CounterFigures:
    """What one counter of a site did in a period."""

    ratings: Ratings
    operation: Operation


def figures_of(sums: Iterable[Sum]) -> Figures:
    """A site's figures of its sums."""
    kept = list(sums)
    devices = devices_of(kept)
    openings = {name: _opening(item for item in kept if item.node == name) for name in {item.node for item in kept}}
    return Figures(
        ratings=ratings_of(kept),
        operation=operation_of(devices.values()),
        opening=_opening(kept),
        counters=_counters(kept, devices),
        devices=devices,
        node_opening=openings,
    )


def ratings_of(sums: Iterable[Sum]) -> Ratings:
    """The ratings among some sums, each by its own scale."""
    by_level: Counter[int] = Counter()
    by_mouth: Counter[int] = Counter()
    excluded: Counter[str] = Counter()
    satisfied = corrected = levels = 0
    for item in sums:
        if item.series == "ratings":
            scale = SCALES[item.definition]
            level = int(item.labels["level"])
            levels = max(levels, scale.levels)
            by_level[level] += item.amount
            satisfied += item.amount if scale.satisfies(level) else 0
            by_mouth.update(dict.fromkeys(MOUTHS[scale.levels], 0))  # each face of the scale is there, pressed or not
            by_mouth[MOUTHS[scale.levels][level - 1]] += item.amount
        elif item.series == "ratings_corrected":
            corrected += item.amount
        elif item.series == "ratings_excluded":
            excluded[item.labels.get("reason", "")] += item.amount
    shown = range(1, (levels or USUAL_LEVELS) + 1)
    mouths = by_mouth if levels else dict.fromkeys(MOUTHS[USUAL_LEVELS], 0)
    return Ratings(
        {level: by_level[level] for level in shown},
        {mouth: mouths[mouth] for mouth in sorted(mouths)},
        satisfied,
        corrected,
        dict(sorted(excluded.items())),
    )


def ratings_together(many: Iterable[Ratings]) -> Ratings:
    """Several sites together; levels of different scales meet by their number, faces by what was seen."""
    by_level: Counter[int] = Counter()
    by_mouth: Counter[int] = Counter(dict.fromkeys(MOUTHS[USUAL_LEVELS], 0))
    excluded: Counter[str] = Counter()
    satisfied = corrected = 0
    for one in many:
        by_level.update(one.by_level)
        by_mouth.update(one.by_mouth)
        excluded.update(one.excluded)
        satisfied += one.satisfied
        corrected += one.corrected
    return Ratings(dict(by_level), dict(by_mouth), satisfied, corrected, dict(sorted(excluded.items())))


@lru_cache(maxsize=4096)
def natural(name: str) -> tuple[tuple[bool, int, str], ...]:
    """The order in which people list names: phuong-2 before phuong-10."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return tuple((not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts)


def _counters(sums: Iterable[Sum], devices: Mapping[DeviceKey, Operation]) -> dict[str, CounterFigures]:
    of_counter: dict[str, list[Sum]] = {}
    for item in sums:
        if item.series.startswith("ratings") and "counter" in item.labels:
            of_counter.setdefault(item.labels["counter"], []).append(item)
    for key in devices:
        if key.counter is not None:
            of_counter.setdefault(key.counter, [])  # a device, and not one rating: a counter all the same
    return {
        name: CounterFigures(
            ratings_of(of_counter[name]), operation_of(its for key, its in devices.items() if key.counter == name)
        )
        for name in sorted(of_counter, key=natural)
    }


def devices_of(sums: Iterable[Sum]) -> dict[DeviceKey, Operation]:
    """Each device among some sums."""
    spent: Counter[tuple[DeviceKey, str]] = Counter()
    for item in sums:
        if item.series == "device_seconds" and "device" in item.labels:
            key = DeviceKey(item.node, item.labels["device"], item.labels.get("counter"))
            spent[key, item.labels.get("state", "")] += item.amount
    keys = sorted(
        {key for key, _ in spent}, key=lambda key: (natural(key.node), natural(key.device), key.counter or "")
    )
    return {key: Operation(spent[key, "available"], spent[key, "unavailable"]) for key in keys}


def _opening(sums: Iterable[Sum]) -> Opening:
    spent: Counter[str] = Counter()
    for item in sums:
        if item.series == "open_seconds":
            spent[item.labels.get("state", "")] += item.amount
    return Opening(spent["up"], spent["unknown"])


def operation_of(operations: Iterable[Operation]) -> Operation:
    """Several devices together."""
    all_of_them = list(operations)
    return Operation(sum(one.available_ms for one in all_of_them), sum(one.unavailable_ms for one in all_of_them))
