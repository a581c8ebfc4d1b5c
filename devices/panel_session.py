"""What the node knows of one serial panel, and what it says next: pure rules, without line, thread or journal.

A press is told by the panel again and again until it hears the acknowledgement; the node acknowledges only what the
journal has decided. So a lost frame in either direction, a node that dies between write and acknowledgement, or a
panel that reboots each leave a press counted exactly once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from devices.panel_frames import LightCode, PanelStatus, Poll, Press

SILENT_POLLS = 5
SILENT_S = 1.0
POLL_EVERY_S = 0.03
POLL_SILENT_EVERY_S = 1.0
RETRY_REFUSED_S = 1.0


@dataclass(slots=True)
class PanelSession:
    """One panel on a line, as seen from the node. All times are uptime in seconds."""

    nonce: int = 0  # of the panel's running boot; 0 is no boot's: not met yet
    acked: int = 0  # the newest sequence of this nonce that the journal has decided
    in_flight: tuple[int, int] | None = None  # (nonce, sequence) that the journal is deciding
    retry_at_s: float = 0.0  # not before this is a refused press submitted again
    next_poll_s: float = 0.0
    silent: bool | None = None  # None: not known yet
    restarts: int = 0  # boots of the panel since the node first met it
    missed_in_a_row: int = 0
    _heard_s: float | None = field(default=None, repr=False)

    def poll(self, light: LightCode) -> Poll:
        """The next question, with the acknowledgement."""
        return Poll(light, self.nonce if self.acked else 0, self.acked)

    def heard(self, status: PanelStatus, now_s: float) -> Press | None:
        """An answer came: the press to submit, if its head is one that is neither decided nor being decided."""
        self.silent = False
        self.missed_in_a_row = 0
        self._heard_s = now_s
        self.next_poll_s = now_s + POLL_EVERY_S
        if status.nonce != self.nonce:
            self.restarts += self.nonce != 0
            self.nonce, self.acked = status.nonce, 0
            self.retry_at_s = 0.0
        head = status.head
        if head is None:
            return None
        if head.sequence <= self.acked:
            return None  # the acknowledgement was lost: every question says it again
        if self.in_flight == (head.nonce, head.sequence) or now_s < self.retry_at_s:
            return None
        self.in_flight = (head.nonce, head.sequence)
        return head

    def decided(self, press: Press, now_s: float) -> None:
        """The journal decided it (counted, excluded, seen before, or refused by a rule): acknowledge, and at once."""
        self._landed(press)
        if press.nonce == self.nonce:
            self.acked = max(self.acked, press.sequence)
        self.next_poll_s = now_s

    def refused(self, press: Press, now_s: float) -> None:
        """The journal could not keep it: no acknowledgement, the panel keeps it, we ask again a little later."""
        self._landed(press)
        self.retry_at_s = now_s + RETRY_REFUSED_S
        self.next_poll_s = now_s  # the light must change

    def missed(self, now_s: float) -> bool:
        """No answer came in time; True when the panel has just become silent."""
        self.missed_in_a_row += 1
        since_s = now_s - self._heard_s if self._heard_s is not None else 0.0
        if self.missed_in_a_row < SILENT_POLLS and not (self.missed_in_a_row > 1 and since_s >= SILENT_S):
            self.next_poll_s = now_s
            return False
        # A silent panel costs the line a whole timeout each time: ask it seldom, the others are waiting.
        self.next_poll_s = now_s + POLL_SILENT_EVERY_S
        became_silent = not self.silent
        self.silent = True
        return became_silent

    def line_lost(self) -> None:
        """The line itself is gone: start anew when it is back, remembering what was acknowledged."""
        self.silent = None
        self.missed_in_a_row = 0
        self.next_poll_s = 0.0
        self._heard_s = None

    def hurry(self, now_s: float) -> None:
        """Something to say has changed (the light): poll as soon as the line is free. A silent panel is not hurried."""
        if not self.silent:
            self.next_poll_s = min(self.next_poll_s, now_s)

    def _landed(self, press: Press) -> None:
        if self.in_flight == (press.nonce, press.sequence):
            self.in_flight = None


@dataclass(slots=True)
class HeldButtons:
    """Which buttons of a panel are stuck, from the mask of held ones in each answer."""

    stuck_after_s: float
    _since_s: dict[int, float] = field(default_factory=dict)
    _stuck: set[int] = field(default_factory=set)

    def see(self, held: frozenset[int], now_s: float) -> list[tuple[int, bool]]:
        """(level, is stuck now) for every button whose being stuck changed."""
        for level in held:
            self._since_s.setdefault(level, now_s)
        self._since_s = {level: since_s for level, since_s in self._since_s.items() if level in held}
        stuck = {level for level, since_s in self._since_s.items() if now_s - since_s >= self.stuck_after_s}
        changed = sorted(stuck ^ self._stuck)
        self._stuck = stuck
        return [(level, level in stuck) for level in changed]
