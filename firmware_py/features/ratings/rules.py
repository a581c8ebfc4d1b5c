"""The rules of one press after another, as a pure function of the press and the rating acts around it.

A *rating act* begins with a counted press and is open for `correction_s`. Within it

    another level                      corrects: the newest word counts, the one before is kept as corrected
    the same level                     repeat: kept, excluded
    within `lockout_s` after it        lockout: kept, excluded (the next citizen cannot be here yet)
    later                              a new act

A press can arrive late (a panel keeps it while its line is out) and is judged at the time when the finger pressed: one that is
older than the word that counts for its act, or that an act began just after, is superseded: kept, excluded. An excluded press
opens nothing and prolongs nothing: a jammed button must not lock the counter for good. A press outside opening hours is
excluded, unless it corrects an act that began inside them. Windows are measured by uptime, so a clock step cannot open or close
one; a press from another boot begins anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RatingOutcome = Literal["counted", "corrected", "excluded"]
Reason = Literal["repeat", "lockout", "superseded", "outside_opening_hours"]


@dataclass(frozen=True, slots=True)
class Windows:
    """The site's settings, in seconds."""

    correction_s: float
    lockout_s: float


@dataclass(frozen=True, slots=True)
class Act:
    """A rating act: when its first press was, what counts for it now (`seq`, `level`) and when that was pressed."""

    first_uptime_s: float
    word_uptime_s: float
    level: int
    seq: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a press is; `corrects` is the seq of the rating whose place it takes."""

    outcome: RatingOutcome
    reason: Reason | None = None
    corrects: int | None = None


def judge(
    before: Act | None, after: Act | None, *, uptime_s: float, level: int, windows: Windows, is_open: bool | None
) -> Verdict:
    """Judge a press at `uptime_s`.

    Args:
        before: the counter's newest act that began at or before `uptime_s`, of the same boot and scale (levels of two scales
            cannot replace each other).
        after: the oldest that began after it: the press arrived late.
        uptime_s: when the finger pressed.
        level: which button.
        windows: the site's settings.
        is_open: None: nobody trusts the clock, the hours are judged later.
    """
    span_s = windows.correction_s + windows.lockout_s
    if before is not None and uptime_s - before.first_uptime_s <= windows.correction_s:
        return _within(before, uptime_s, level)
    if before is not None and uptime_s - before.first_uptime_s <= span_s:
        return Verdict("excluded", "lockout")
    if after is not None and after.first_uptime_s - uptime_s <= span_s:
        return Verdict("excluded", "superseded")
    return Verdict("excluded", "outside_opening_hours") if is_open is False else Verdict("counted")


def _within(act: Act, uptime_s: float, level: int) -> Verdict:
    """A press within an act's correction time."""
    if uptime_s < act.word_uptime_s:
        return Verdict("excluded", "superseded")
    if level == act.level:
        return Verdict("excluded", "repeat")
    return Verdict("corrected", corrects=act.seq)
