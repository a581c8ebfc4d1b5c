"""A serial rating panel's firmware as a state machine: bytes in, bytes out. It knows nothing of the node.

It is the reference for `docs/panel-serial-protocol.md`, the far end of every simulated serial panel, and the witness in
crash tests: `acknowledged` says which presses the panel was told are kept, of late.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from devices.debounce import Change, Contact
from devices.panel_frames import (
    LARGEST_AGE_MS,
    POLL,
    FrameError,
    FrameParser,
    LightCode,
    PanelStatus,
    Press,
    read_poll,
)

FIFO_PRESSES = 8
#: How many acknowledged presses are remembered for a witness; a real panel forgets each at once.
ACKNOWLEDGED_REMEMBERED = 256
DEBOUNCE_S = 0.02
#: Without a poll for this long the panel itself shows "not available": the node may be dead.
NODE_SILENT_S = 3.0


@dataclass(frozen=True, slots=True)
class KeptPress:
    """A press in the panel's memory."""

    nonce: int
    sequence: int
    level: int
    at_s: float


class PanelFirmware:
    """One panel. Not thread-safe: see `PtyBus.lock`. `clock` gives seconds, `nonce_source` 32 random bits per boot."""

    def __init__(self, address: int, levels: int, nonce_source: Callable[[], int], clock: Callable[[], float]) -> None:
        self.address = address
        self.levels = levels
        self.acknowledged: deque[KeptPress] = deque(maxlen=ACKNOWLEDGED_REMEMBERED)
        self.dropped_presses = 0  # with a full memory a press is lost, and the panel's light says so
        self._nonce_source = nonce_source
        self._clock = clock
        self._closed: set[int] = set()  # contacts: they outlive the power
        self._powered = False
        self.power(on=True)

    @property
    def powered(self) -> bool:
        """Whether it runs."""
        return self._powered

    @property
    def nonce(self) -> int:
        """The identity of the boot."""
        return self._nonce

    @property
    def pending(self) -> tuple[KeptPress, ...]:
        """Presses that nobody has acknowledged, the oldest first."""
        return tuple(self._fifo)

    @property
    def closed(self) -> frozenset[int]:
        """The levels whose contacts are closed by a finger."""
        return frozenset(self._closed)

    @property
    def light(self) -> LightCode:
        """What it shows: what the node said last, unless the node has been silent or the memory is full."""
        if not self._powered:
            return LightCode.OFF
        if self._clock() - self._polled_s > NODE_SILENT_S or len(self._fifo) == FIFO_PRESSES:
            return LightCode.UNAVAILABLE
        return self._told

    def power(self, *, on: bool) -> None:
        """Cut or give power. A boot has a new nonce, counts from 1 and remembers no press."""
        if on == self._powered:
            return
        self._powered = on
        self._nonce = (self._nonce_source() & 0xFFFF_FFFF) or 1
        self._sequence = 0
        self._fifo: deque[KeptPress] = deque()
        self._told = LightCode.UNAVAILABLE
        self._polled_s = self._clock()
        self._parser = FrameParser()
        # Down at boot: nobody pressed it as far as this boot knows; it must be released first.
        self._contacts = {
            level: Contact(DEBOUNCE_S, pressed=level in self._closed) for level in range(1, self.levels + 1)
        }

    def contact(self, level: int, *, closed: bool) -> None:
        """A contact closed or opened, bounces and all."""
        (self._closed.add if closed else self._closed.discard)(level)
        if self._powered:
            self._believe(level, self._contacts[level].edge(self._clock(), pressed=closed))

    def press(self, level: int) -> KeptPress | None:
        """A finger's clean press, debounced already; its identity, or None if the panel cannot keep it."""
        if not self._powered or len(self._fifo) == FIFO_PRESSES:
            self.dropped_presses += 1
            return None
        self._sequence += 1
        kept = KeptPress(self._nonce, self._sequence, level, self._clock())
        self._fifo.append(kept)
        return kept

    def receive(self, data: bytes) -> bytes:
        """Bytes from the line; the answer, if they end a poll of this panel."""
        if not self._powered:
            return b""
        answer = b""
        for frame, _ in self._parser.feed(data):
            if frame.address != self.address or frame.type != POLL:
                continue
            try:
                poll = read_poll(frame)
            except FrameError:
                continue
            self._told = poll.light
            self._polled_s = self._clock()
            if poll.acked_nonce == self._nonce:
                while self._fifo and self._fifo[0].sequence <= poll.acked_sequence:
                    self.acknowledged.append(self._fifo.popleft())
            answer = self.status().frame(self.address).encode()
        return answer

    def status(self) -> PanelStatus:
        """What it answers to a poll now."""
        now_s = self._clock()
        for level, contact in self._contacts.items():
            self._believe(level, contact.settle(now_s))
        head = None
        if self._fifo:
            first = self._fifo[0]
            age_ms = min(int((now_s - first.at_s) * 1000), LARGEST_AGE_MS)
            head = Press(first.nonce, first.sequence, first.level, age_ms)
        held = frozenset(level for level, contact in self._contacts.items() if contact.pressed)
        return PanelStatus(self._nonce, held, len(self._fifo), head)

    def _believe(self, level: int, change: Change | None) -> None:
        if change is None or not change.pressed:
            return
        kept = self.press(level)
        if kept is not None:
            self._fifo[-1] = KeptPress(kept.nonce, kept.sequence, level, change.at_s)
