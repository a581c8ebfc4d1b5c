"""Where a live stream goes on: pure rules over the id that a listener saw last.

An id is `JOURNAL_ID:SEQ`. A number alone would be wrong after salvage (a new journal counts from 1 again), so what does
not name this journal, or a place in it that can be reached, is answered by `reset`: the listener must fetch its state
anew, and hears from now on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

MAX_BEHIND = 10_000
_ID = re.compile(r"(?P<journal>[^:\s]{1,128}):(?P<seq>[0-9]{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Start:
    """How a stream starts: `hello` (new), `resume` (nothing lost) or `reset` (it cannot), then what comes after `seq`."""

    kind: Literal["hello", "resume", "reset"]
    seq: int


def event_id(journal_id: str, seq: int) -> str:
    """The id of one event on the stream."""
    return f"{journal_id}:{seq}"


def start_of(last_id: str | None, journal_id: str, head: int) -> Start:
    """Where to start for a listener that saw `last_id` last (None or empty: it saw nothing yet)."""
    if not last_id:
        return Start("hello", head)
    match = _ID.fullmatch(last_id)
    if match is None or match["journal"] != journal_id:
        return Start("reset", head)
    seq = int(match["seq"])
    if seq > head or head - seq > MAX_BEHIND:
        return Start("reset", head)
    return Start("resume", seq)
