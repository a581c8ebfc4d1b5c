"""When each cycle's kill comes: drawn from the seed alone, so that a seed repeats the plan."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Moment = Literal["acknowledging", "running", "starting"]

#: Of all cycles. The issue asks for at least 30 % of the kills between write and acknowledgement; other kills meet some too.
ACKNOWLEDGING_RATIO = 0.6
STARTING_RATIO = 0.15
LONGEST_RUN_S = 0.8
LONGEST_BEFORE_SPIN_S = 0.4


@dataclass(frozen=True, slots=True)
class Cycle:
    """One life of the node.

    moment: what is going on when it ends: a press waits for its acknowledgement, anything, or the node is starting.
    run_s: how long it runs before (spinning for) the kill; while starting, the ratio of a usual start.
    torn: with the power-loss model: whether some of the unsynced sectors reached the disk.
    """

    number: int
    moment: Moment
    run_s: float
    torn: bool


def plan(rng: random.Random, count: int) -> list[Cycle]:
    """`count` cycles; the shares of the moments are exact, their order is drawn."""
    acknowledging = -(-count * int(ACKNOWLEDGING_RATIO * 100) // 100)
    starting = count * int(STARTING_RATIO * 100) // 100
    moments: list[Moment] = []
    moments.extend("acknowledging" for _ in range(acknowledging))
    moments.extend("starting" for _ in range(starting))
    moments.extend("running" for _ in range(count - len(moments)))
    rng.shuffle(moments)
    return [_cycle(rng, number, moment) for number, moment in enumerate(moments, start=1)]


def _cycle(rng: random.Random, number: int, moment: Moment) -> Cycle:
    longest_s = {"acknowledging": LONGEST_BEFORE_SPIN_S, "running": LONGEST_RUN_S, "starting": 1.0}[moment]
    return Cycle(number, moment, rng.uniform(0, longest_s), bool(rng.getrandbits(1)))
