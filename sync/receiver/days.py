"""What a day's figures are worth: provisional, final or late; or the day was closed. Pure rules over what the table tells.

The table holds of each bucket its newest content alone, so "when did it first arrive" is gone; `received_at` says when the
newest content came. That is enough: what came or changed too late is what a reader of yesterday's figures must know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from firmware_py.core.clock import iso, iso_hour
from sync.receiver.periods import DAY, HOUR, day_end

DayStatus = Literal["provisional", "final", "late", "closed"]
#: What reaches the city later than this after the day has ended is late.
LATE_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class DayMark:
    """What a node's buckets of one day say about that day.

    newest_received: when the newest content of any of them came. first_final_received: the earliest of those that are final;
    None where none is.
    """

    node_id: int
    day: date
    newest_received: str
    first_final_received: str | None


def is_final(final_until: str | None, day: date) -> bool:
    """Whether a node declared all hours of a day final: it holds a final bucket of the day's last hour or a later one."""
    return final_until is not None and final_until >= iso_hour(day_end(day) - HOUR)


def is_late(mark: DayMark, day_after: DayMark | None) -> bool:
    """Whether part of a node's day came, or changed, when a reader could take it for whole.

    That is after `LATE_AFTER`, or after the node had declared it final: the first thing that does is a final bucket of the
    next day. (One of a still later day comes after `LATE_AFTER` anyway.)
    """
    limit = iso(day_end(mark.day) + LATE_AFTER)
    if day_after is not None and day_after.first_final_received is not None:
        limit = min(limit, day_after.first_final_received)
    return mark.newest_received > limit


@dataclass(frozen=True, slots=True)
class Heard:
    """From the first to the last: the hour of a node's oldest bucket, and the newest hour that it declared final."""

    first_hour: str | None = None
    final_until: str | None = None


def status_of(
    day: date, marks: Iterable[tuple[DayMark, DayMark | None]], nodes: Mapping[int, Heard]
) -> DayStatus | None:
    """A site's day, over all its nodes.

    Args:
        day: the day.
        marks: what each node that spoke for it says about it, and about the day after.
        nodes: every node of the site.

    Provisional wins over late: figures that may still grow are that first. A late day is final as well. Where no node spoke the
    day was closed if those that were at work by then declared it final, and else nothing is known: None.
    """
    spoke = list(marks)
    if spoke:
        if not all(is_final(nodes[mark.node_id].final_until, day) for mark, _ in spoke):
            return "provisional"
        return "late" if any(is_late(mark, day_after) for mark, day_after in spoke) else "final"
    at_work = [
        node for node in nodes.values() if node.first_hour is not None and node.first_hour < iso_hour(day_end(day))
    ]
    return "closed" if at_work and all(is_final(node.final_until, day) for node in at_work) else None


def statuses(
    marks: Iterable[DayMark], nodes: Mapping[int, Heard], days: Iterable[date]
) -> dict[date, DayStatus | None]:
    """The status of each of `days` at one site; `marks` should hold the day after each as well."""
    held = {(mark.node_id, mark.day): mark for mark in marks}
    result: dict[date, DayStatus | None] = {}
    for day in days:
        spoke = [held[node_id, day] for node_id in nodes if (node_id, day) in held]
        with_next = [(mark, held.get((mark.node_id, day + DAY))) for mark in spoke]
        result[day] = status_of(day, with_next, nodes)
    return result
