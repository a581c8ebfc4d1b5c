"""A live page's stream: a snapshot of all that it shows, whenever that differs from what was sent before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local_api import sse

SPEAK_S = 2.0  # also without news, so that the page can tell silence from a dead node


def state_frames(
    look: Callable[[], Mapping[str, Any]], pause: Callable[[float], bool], *, look_s: float
) -> Iterator[str]:
    """A snapshot on change, at most every `look_s`, and every `SPEAK_S` anyway; ends when `pause` returns False."""
    yield sse.opening()
    shown: Mapping[str, Any] | None = None
    spoke_at = 0.0
    while pause(look_s if shown is not None else 0):
        state = look()
        if state != shown or time.monotonic() - spoke_at >= SPEAK_S:
            yield sse.frame("state", state)
            shown, spoke_at = state, time.monotonic()
