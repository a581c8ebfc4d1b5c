"""What all rating panels share, whatever their wire: the rule of the light.

A vote is confidential towards the officer: the light is the same for every level. And it says thank you only for what
the journal has kept: nothing here knows of a press, only of the thanks that a reactor asked for after COMMIT.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Light = Literal["ready", "thanks", "unavailable"]


def light(*, available: bool, accepting: bool, thanks_until_uptime_s: float, now_uptime_s: float) -> Light:
    """What a panel shows: first of all whether a press would be kept, then the thanks, else that it is ready."""
    if not (available and accepting):
        return "unavailable"
    return "thanks" if now_uptime_s < thanks_until_uptime_s else "ready"


@dataclass(slots=True)
class PanelLight:
    """The light's memory. Not thread-safe: the panel that owns it holds its lock."""

    thanks_s: float  # the longest thanks: a wrong deadline must not leave the light on
    retry_s: float = 2.0  # how long a refused press shows "not available" where nothing repeats it
    accepting: bool = True
    _thanks_until_s: float = 0.0
    _refused_until_s: float = 0.0

    def thank(self, until_uptime_s: float, now_uptime_s: float) -> bool:
        """Show thanks until then, at most `thanks_s` from now; False if that time is over."""
        if until_uptime_s <= now_uptime_s:
            return False
        self._thanks_until_s = min(until_uptime_s, now_uptime_s + self.thanks_s)
        self._refused_until_s = 0.0  # the journal keeps presses again
        return True

    def refuse(self, now_uptime_s: float) -> None:
        """A press was not kept: say "not available" for a moment, and thank for nothing."""
        self._refused_until_s = now_uptime_s + self.retry_s
        self._thanks_until_s = 0.0

    def shows(self, now_uptime_s: float, *, available: bool) -> Light:
        """What it shows now."""
        return light(
            available=available,
            accepting=self.accepting and now_uptime_s >= self._refused_until_s,
            thanks_until_uptime_s=self._thanks_until_s,
            now_uptime_s=now_uptime_s,
        )

    def deadline_s(self, now_uptime_s: float) -> float | None:
        """When it will change by itself; None if it will not."""
        ahead = (at for at in (self._thanks_until_s, self._refused_until_s) if at > now_uptime_s)
        return min(ahead, default=None)


def wrong_number_of_buttons(buttons: int, levels: int) -> Iterator[tuple[str, str]]:
    """A panel must offer the whole scale: with fewer buttons its best one would not be the best level."""
    if buttons != levels:
        yield "buttons", f"the panel has {buttons} buttons but [ratings] has {levels} levels; a panel has one for each"
