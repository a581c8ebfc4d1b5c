"""What a finger meant, out of what a contact did: pure rules, no thread, no pin, no clock of their own.

A contact bounces when it closes and when it opens. It is believed once it has been still for `debounce_s`; what is then
reported carries the time of the *first* edge, which is when the finger was there. All times are uptime in seconds and
results depend on the edges' own times only, never on how late they are looked at.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Change:
    """A contact was believed to have closed (`pressed`) or opened; `at_s` is the uptime of the burst's first edge."""

    pressed: bool
    at_s: float


class Contact:
    """One contact, debounced."""

    def __init__(self, debounce_s: float, *, pressed: bool) -> None:
        self._debounce_s = debounce_s
        self._raw = pressed
        self._first_edge_s: float | None = None  # of the burst that is not over yet
        self._last_edge_s = 0.0
        self.pressed = pressed
        self.glitches = 0  # bursts that ended where they began: too short for a finger

    @property
    def deadline_s(self) -> float | None:
        """When `settle` will have something to say if no edge comes; None while the contact is still."""
        return None if self._first_edge_s is None else self._last_edge_s + self._debounce_s

    def edge(self, uptime_s: float, *, pressed: bool) -> Change | None:
        """The contact changed; the change that this edge shows to have been completed *before* it, if any."""
        if pressed == self._raw:
            return None
        # An edge can be stamped before another thread's look at the clock and arrive after it: never go back.
        uptime_s = max(uptime_s, self._last_edge_s)
        change = self.settle(uptime_s)
        self._raw = pressed
        self._last_edge_s = uptime_s
        if self._first_edge_s is None:
            self._first_edge_s = uptime_s
        return change

    def settle(self, uptime_s: float) -> Change | None:
        """The change that is certain by now, if any."""
        deadline_s = self.deadline_s
        if deadline_s is None or uptime_s < deadline_s:
            return None
        first_edge_s, self._first_edge_s = self._first_edge_s, None
        if self._raw == self.pressed or first_edge_s is None:
            self.glitches += 1
            return None
        self.pressed = self._raw
        return Change(self.pressed, first_edge_s)


class Fault(StrEnum):
    """Why a button was cut off."""

    STUCK = "stuck"
    CHATTERING = "chattering"


@dataclass(frozen=True, slots=True)
class ButtonRules:
    """When a button is believed and when it is cut off. The chatter window must be longer than the debounce time."""

    debounce_s: float
    stuck_after_s: float
    chatter_edges: int
    chatter_window_s: float


@dataclass(frozen=True, slots=True)
class Pressed:
    """A finger pressed the button; `at_s` is the uptime of the first touch."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Faulted:
    """The button was cut off: nothing it does counts until `Recovered`."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class Recovered:
    """The button is live again."""


Outcome = Pressed | Faulted | Recovered


class Button:
    """One button: presses, each once however long it is held, and its faults.

    A button that is down at the start was not pressed by anybody we saw: no press, and stuck if it stays down.
    """

    def __init__(self, rules: ButtonRules, *, pressed: bool, uptime_s: float) -> None:
        self._rules = rules
        self._contact = Contact(rules.debounce_s, pressed=pressed)
        self._held_since_s: float | None = uptime_s if pressed else None
        self._edges_s: deque[float] = deque(maxlen=rules.chatter_edges + 1)
        self._last_edge_s = uptime_s
        self._raw = pressed
        self.fault: Fault | None = None

    @property
    def pressed(self) -> bool:
        """Whether the button is believed to be down."""
        return self._contact.pressed

    @property
    def glitches(self) -> int:
        """How often the contact moved too briefly for a finger."""
        return self._contact.glitches

    @property
    def deadline_s(self) -> float | None:
        """When `settle` will have something to say if no edge comes; None if never."""
        if self.fault is Fault.CHATTERING:
            return None if self._raw else self._last_edge_s + self._rules.chatter_window_s
        stuck_at_s = None
        if self._held_since_s is not None and self._raw and self.fault is None:
            stuck_at_s = self._held_since_s + self._rules.stuck_after_s
        return min((at for at in (self._contact.deadline_s, stuck_at_s) if at is not None), default=None)

    def edge(self, uptime_s: float, *, pressed: bool) -> list[Outcome]:
        """The contact changed; what is certain by this edge."""
        if pressed == self._raw:
            return []
        uptime_s = max(uptime_s, self._last_edge_s)
        outcomes = self.settle(uptime_s)
        self._raw = pressed
        self._last_edge_s = uptime_s
        self._edges_s.append(uptime_s)
        if self.fault is Fault.CHATTERING:
            return outcomes
        outcomes += self._believe(self._contact.edge(uptime_s, pressed=pressed))
        window_s = uptime_s - self._edges_s[0]
        if len(self._edges_s) > self._rules.chatter_edges and window_s <= self._rules.chatter_window_s:
            self.fault = Fault.CHATTERING
            outcomes.append(Faulted(Fault.CHATTERING))
        return outcomes

    def settle(self, uptime_s: float) -> list[Outcome]:
        """What is certain by now, in order."""
        if self.fault is Fault.CHATTERING:
            return self._recover_from_chatter(uptime_s)
        outcomes = self._believe(self._contact.settle(uptime_s))
        if self._is_stuck(uptime_s):
            self.fault = Fault.STUCK
            outcomes.append(Faulted(Fault.STUCK))
        return outcomes

    def _is_stuck(self, uptime_s: float) -> bool:
        if self._held_since_s is None or not self._raw or self.fault is not None:
            return False
        return uptime_s >= self._held_since_s + self._rules.stuck_after_s

    def _believe(self, change: Change | None) -> list[Outcome]:
        if change is None:
            return []
        if change.pressed:
            self._held_since_s = change.at_s
            return [Pressed(change.at_s)]
        self._held_since_s = None
        if self.fault is Fault.STUCK:
            self.fault = None
            return [Recovered()]
        return []

    def _recover_from_chatter(self, uptime_s: float) -> list[Outcome]:
        if self._raw or uptime_s < self._last_edge_s + self._rules.chatter_window_s:
            return []
        glitches = self._contact.glitches
        self._contact = Contact(self._rules.debounce_s, pressed=False)
        self._contact.glitches = glitches
        self._held_since_s = None
        self._edges_s.clear()
        self.fault = None
        return [Recovered()]
