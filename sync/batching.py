"""Which buckets travel together: pure rules, no database.

What one correction moved between two hours must reach the city in one transaction, or for a moment a rating would stand in
both hours or in none. So a unit (hours of one epoch, joined by the corrections between them) is never split.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple


class HourKey(NamedTuple):
    """One hour of one epoch."""

    epoch: str
    hour: str


class Link(NamedTuple):
    """Two hours of one epoch between which something was moved."""

    epoch: str
    hour_a: str
    hour_b: str


@dataclass(frozen=True, slots=True)
class PendingHour:
    """How many of an hour's buckets the city lacks, and since when (ISO, the node's time)."""

    key: HourKey
    buckets: int
    since: str


@dataclass(frozen=True, slots=True)
class Unit:
    """Hours that are sent in one batch; some of them may have nothing pending (yet)."""

    hours: tuple[HourKey, ...]
    buckets: int
    since: str


def units_of(pending: Iterable[PendingHour], links: Iterable[Link]) -> list[Unit]:
    """The units of what is pending, the one that has waited longest first."""
    roots: dict[HourKey, HourKey] = {}
    for link in links:
        a, b = (_root(roots, HourKey(link.epoch, hour)) for hour in (link.hour_a, link.hour_b))
        roots[a] = b
    waiting: dict[HourKey, list[PendingHour]] = {}
    for hour in pending:
        waiting.setdefault(_root(roots, hour.key), []).append(hour)
    members: dict[HourKey, set[HourKey]] = {root: {hour.key for hour in hours} for root, hours in waiting.items()}
    for key in list(roots):
        root = _root(roots, key)
        if root in members:
            members[root].add(key)
    units = [
        Unit(tuple(sorted(members[root])), sum(hour.buckets for hour in hours), min(hour.since for hour in hours))
        for root, hours in waiting.items()
    ]
    return sorted(units, key=lambda unit: (unit.since, unit.hours))


def first_batch(units: Iterable[Unit], max_buckets: int, resting: Collection[HourKey] = ()) -> list[Unit]:
    """The oldest units that fit together; one that is too large for any batch goes alone.

    `resting`: hours that a relay has already and the city not yet: their units wait.
    """
    batch: list[Unit] = []
    room = max_buckets
    for unit in units:
        if any(key in resting for key in unit.hours):
            continue
        if batch and unit.buckets > room:
            break
        batch.append(unit)
        room -= unit.buckets
    return batch


def _root(roots: dict[HourKey, HourKey], key: HourKey) -> HourKey:
    """The representative of a key's unit; paths are shortened on the way."""
    roots.setdefault(key, key)
    while roots[key] != key:
        roots[key] = roots[roots[key]]
        key = roots[key]
    return key
