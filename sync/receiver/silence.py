"""Silence has four meanings, and only one is "nobody wanted to rate": pure rules that tell them apart.

A node speaks every few minutes while its site is open, and not at all while it is closed. The city does not know a site's
opening hours; it takes those that the node itself told of one week before, or two (one of them may have been a holiday), and
public holidays for closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from firmware_py.core.clock import iso_hour
from sync.receiver.figures import Opening, Operation
from sync.receiver.periods import HOUR, day_of

#: A node ticks every five minutes and sends within minutes: three ticks of opening hours without a word are no chance.
LOST_AFTER = timedelta(minutes=15)
#: Without a habit to go by (a new node), a whole day without a word.
LOST_WITHOUT_HABIT = timedelta(hours=24)
#: Longer than any week of holidays that comes unannounced: no habit excuses it.
LOST_ANYWAY = timedelta(days=14)
WEEK = timedelta(days=7)
#: An outage shorter than this is the rounding of times and the opening of devices at a start.
SHORTEST_OUTAGE_MS = 60_000

NodeState = Literal["never", "lost", "quiet", "heard"]
DeviceState = Literal["lost", "unavailable", "unused", "working", "closed", "untold"]


@dataclass(frozen=True, slots=True)
class NodeSilence:
    """How it stands with a node now.

    never: it has never sent anything. lost: opening hours passed without a word, so nothing is known since `since`.
    quiet: nothing was to be expected since then, the site is closed. heard: just now.
    """

    state: NodeState
    since: datetime | None = None
    missed_ms: int = 0  # opening hours without a word, as far as the habit tells

    @property
    def is_lost(self) -> bool:
        """Whether what its devices do is unknown."""
        return self.state in ("never", "lost")


@dataclass(frozen=True, slots=True)
class Habit:
    """A node's opening hours of two weeks: milliseconds by hour (`2026-11-16T01:00:00Z`). None: it is younger than a week."""

    open_ms: Mapping[str, int] | None = None

    def usual_ms(self, hour: datetime) -> int:
        """How much of an hour a node is usually open."""
        told = self.open_ms or {}
        return max(told.get(iso_hour(hour - WEEK), 0), told.get(iso_hour(hour - 2 * WEEK), 0))


def node_silence(
    last_seen: datetime | None, now: datetime, habit: Habit, is_holiday: Callable[[date], bool]
) -> NodeSilence:
    """Tell a lost node from a closed site."""
    if last_seen is None:
        return NodeSilence("never")
    age = now - last_seen
    if age < LOST_AFTER:
        return NodeSilence("heard", last_seen)
    if habit.open_ms is None:
        return NodeSilence("lost" if age >= LOST_WITHOUT_HABIT else "quiet", last_seen)
    missed_ms = 0 if age >= LOST_ANYWAY else _missed_ms(last_seen, now, habit, is_holiday)
    is_lost = age >= LOST_ANYWAY or missed_ms >= LOST_AFTER.total_seconds() * 1000
    return NodeSilence("lost" if is_lost else "quiet", last_seen, missed_ms)


def device_state(node: NodeSilence, operation: Operation, opening: Opening, n: int | None) -> DeviceState:
    """Tell what a device's figures of a period mean.

    Args:
        node: its node, now; for a period that is over, one that was heard.
        operation: the device's own time in the period.
        opening: its node's opening hours in the period.
        n: the ratings of its counter in the period; None where the counter is not known.
    """
    if node.is_lost:
        return "lost"
    if operation.unavailable_ms >= SHORTEST_OUTAGE_MS:
        return "unavailable"
    if operation.available_ms > 0:
        return "unused" if n == 0 else "working"
    return "untold" if opening.up_ms > 0 else "closed"


def _missed_ms(last_seen: datetime, now: datetime, habit: Habit, is_holiday: Callable[[date], bool]) -> int:
    """Usual opening hours between two moments; of an hour that is touched, its share."""
    missed = 0.0
    hour = last_seen.replace(minute=0, second=0, microsecond=0)
    while hour < now:
        if not is_holiday(day_of(hour)):
            touched_ms = (min(now, hour + HOUR) - max(last_seen, hour)) / timedelta(milliseconds=1)
            # Of an hour that is open in part, only that is missed for sure which does not fit into the rest of the hour.
            missed += max(0.0, habit.usual_ms(hour) - (HOUR / timedelta(milliseconds=1) - touched_ms))
        hour += HOUR
    return round(missed)
