"""Spans of a day as the site file writes them: `07:30-11:30`."""

from __future__ import annotations

import re
from collections.abc import Sequence

DAY_MIN = 24 * 60
_SPAN = re.compile(r"([0-2]\d):([0-5]\d)-([0-2]\d):([0-5]\d)")

Minutes = tuple[int, int]
"""Start and end in minutes after local midnight; the end is not part of the span and can be 1440."""


def parse_span(text: str) -> Minutes:
    """The minutes of `HH:MM-HH:MM`; `24:00` may end a span.

    Raises:
        ValueError: it is not written so, no such time, or the start is not before the end.
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError('must be written "HH:MM-HH:MM", such as "07:30-11:30"')
    start_h, start_m, end_h, end_m = map(int, match.groups())
    start_min, end_min = start_h * 60 + start_m, end_h * 60 + end_m
    if start_min >= DAY_MIN or end_min > DAY_MIN:
        raise ValueError('has a time after "24:00"')
    if start_min >= end_min:
        raise ValueError("must start before it ends; write a span over midnight as two, one for each day")
    return start_min, end_min


def overlapping(spans: Sequence[Minutes]) -> tuple[int, int] | None:
    """The indexes of the first two spans that share a minute (the later given one last), or None."""
    for later, (start, end) in enumerate(spans):
        for earlier in range(later):
            if start < spans[earlier][1] and spans[earlier][0] < end:
                return earlier, later
    return None
