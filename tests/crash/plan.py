"""When each cycle's kill comes: drawn from the seed alone, so that a seed repeats the plan."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Moment = Literal["acknowledging", "acknowledged", "running", "starting"]

#: Of all cycles, in percent; the rest is "acknowledging". At least 30 % of the kills are to come between write and
#: acknowledgement; kills at other moments meet a waiting press, too.
SHARES: dict[Moment, int] = {"acknowledged": 20, "running": 15, "starting": 15}
LONGEST_RUN_S = 0.8
LONGEST_BEFORE_WAIT_S = 0.4


@dataclass(frozen=True, slots=True)
class Cycle:
    """One life of the node.

    moment: what is going on when it ends:
        acknowledging   a press was written to it and waits for its acknowledgement
        acknowledged    an acknowledgement has just arrived: it must have been no promise too early
        running         anything
        starting        it starts
    run_s: how long it runs before the kill, or before it waits for its moment; while starting, the ratio of a usual start.
    torn: with the power-loss model: whether some of the unsynced sectors reached the disk.
    """

    number: int
    moment: Moment
    run_s: float
    torn: bool


def plan(rng: random.Random, count: int) -> list[Cycle]:
    """`count` cycles; the shares of the moments are exact, their order is drawn."""
    moments: list[Moment] = []
    for moment, share in SHARES.items():
        moments.extend(moment for _ in range(count * share // 100))
    moments.extend("acknowledging" for _ in range(count - len(moments)))
    rng.shuffle(moments)
    return [_cycle(rng, number, moment) for number, moment in enumerate(moments, start=1)]


def _cycle(rng: random.Random, number: int, moment: Moment) -> Cycle:
    longest_s = {"running": LONGEST_RUN_S, "starting": 1.0}.get(moment, LONGEST_BEFORE_WAIT_S)
    return Cycle(number, moment, rng.uniform(0, longest_s), bool(rng.getrandbits(1)))
