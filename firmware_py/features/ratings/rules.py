"""The rules of one press after another, as a pure function of the press and the rating act before it.

A *rating act* begins with a counted press and is open for `correction_s`. Within it

    another level                      corrects: the newest word counts, the one before is kept as corrected
    the same level                     repeat: kept, excluded
    within `lockout_s` after it        lockout: kept, excluded (the next citizen cannot be here yet)
    later                              a new act

An excluded press opens nothing and prolongs nothing: a jammed button must not lock the counter for good. A press outside
opening hours is excluded, unless it corrects an act that began inside them. Windows are measured by uptime, so a clock
step cannot open or close one; a press from another boot begins anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RatingOutcome = Literal["counted", "corrected", "excluded"]
Reason = Literal["repeat", "lockout", "outside_opening_hours"]


@dataclass(frozen=True, slots=True)
class Windows:
    """The site's settings, in seconds."""

    correction_s: float
    lockout_s: float


@dataclass(frozen=True, slots=True)
class Act:
    """The counter's newest rating act: when its first press was, and what counts for it now."""

    boot_id: str
    first_uptime_s: float
    level: int
    definition: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a press is. `corrects`: it takes the place of the act's present level."""

    outcome: RatingOutcome
    reason: Reason | None = None

    @property
    def corrects(self) -> bool:
        """Whether the act's present level goes."""
        return self.outcome == "corrected"


def judge(
    act: Act | None,
    *,
    boot_id: str,
    uptime_s: float,
    level: int,
    definition: int,
    windows: Windows,
    is_open: bool | None,
) -> Verdict:
    """Judge a press at `uptime_s` of `boot_id`. `is_open` None: nobody trusts the clock, the hours are judged later.

    `definition` is the scale's number: levels of two scales cannot replace each other.
    """
    if act is not None and act.boot_id == boot_id and act.definition == definition:
        since_s = uptime_s - act.first_uptime_s  # below zero: pressed before it, arrived after it
        if since_s <= windows.correction_s:
            return Verdict("excluded", "repeat") if level == act.level else Verdict("corrected")
        if since_s <= windows.correction_s + windows.lockout_s:
            return Verdict("excluded", "lockout")
    if is_open is False:
        return Verdict("excluded", "outside_opening_hours")
    return Verdict("counted")
