"""A simulated line for the production `SerialLine`, and one panel's far end on it: fingers, eyes, plug, and a listener."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from devices.panel_frames import Frame, FrameParser, LightCode
from devices.simulation.panel_firmware import PanelFirmware
from devices.simulation.pty_bus import Direction, PtyBus
from devices.wires.serial_line import SerialLine
from firmware_py.core.clock import Clock
from firmware_py.core.errors import WireError
from firmware_py.core.worker import Worker

BOUNCE_S = 0.001
FRAMES_KEPT = 20


class SimulatedSerialLine(SerialLine):
    """The production line on a pseudo-terminal, with the bus at its other end."""

    def __init__(self, name: str, clock: Clock, baud: int, answer_timeout_s: float) -> None:
        self.bus = PtyBus(name=name)
        super().__init__(name, clock, lambda: self.bus.path, baud=baud, answer_timeout_s=answer_timeout_s)

    def workers(self) -> Sequence[Worker]:
        """The line's own thread, and one for the panels."""
        return (self, self.bus)

    def close(self) -> None:
        """Close the port and take the bus down; idempotent."""
        super().close()
        self.bus.close()


class SerialPanelFarEnd:
    """What a hand, a plug and a listener on the line do and see at one simulated panel."""

    def __init__(self, bus: PtyBus, address: int, levels: int, clock: Clock) -> None:
        self.panel = PanelFirmware(address, levels, lambda: secrets.randbits(32), clock.uptime_s)
        self._bus = bus
        self._clock = clock
        self._fingers = {level: threading.Lock() for level in range(1, levels + 1)}
        self._parsers: dict[Direction, FrameParser] = {"to_panel": FrameParser(), "to_node": FrameParser()}
        self._frames: deque[dict[str, Any]] = deque(maxlen=FRAMES_KEPT)
        self._newest: dict[Direction, dict[str, Any]] = {}
        bus.add(self.panel)
        bus.listeners.append(self._listen)

    def press(self, button: int, *, bounces: int = 0, hold_s: float = 0.1) -> None:
        """Press a button for `hold_s`, with contact bounces a millisecond apart at each edge; returns when released.

        Raises:
            WireError: there is no such button, or the panel is unplugged.
        """
        if button not in self._fingers:
            raise WireError(f"Bảng không có nút {button}; có các nút {', '.join(map(str, self._fingers))}")
        if not self.panel.powered:
            raise WireError("Bảng nút đang bị rút dây; hãy cắm lại trước khi bấm")
        with self._fingers[button]:
            self._move(button, bounces, closed=True)
            time.sleep(hold_s)
            self._move(button, bounces, closed=False)

    def unplug(self) -> None:
        """Take the panel off the bus and off its power."""
        with self._bus.lock:
            self.panel.power(on=False)

    def plug(self) -> None:
        """Put it back: it boots anew."""
        with self._bus.lock:
            self.panel.power(on=True)

    def snapshot(self) -> Mapping[str, Any]:
        """Lights, buttons and the newest frames; equal frames in a row are one entry with how often (`times`)."""
        with self._bus.lock:
            shown = self.panel.light
            return {
                "plugged": self.panel.powered,
                "lights": {
                    code.name.lower(): shown is code
                    for code in (LightCode.READY, LightCode.THANKS, LightCode.UNAVAILABLE)
                },
                "buttons": {str(level): level in self.panel.closed for level in self._fingers},
                "frames": [dict(entry) for entry in self._frames],
            }

    def _move(self, button: int, bounces: int, *, closed: bool) -> None:
        for is_closed in (closed, *(state for _ in range(bounces) for state in (not closed, closed))):
            with self._bus.lock:
                self.panel.contact(button, closed=is_closed)
            if bounces:
                time.sleep(BOUNCE_S)

    def _listen(self, direction: Direction, data: bytes) -> None:
        for frame, line in self._parsers[direction].feed(data):
            if frame.address == self.panel.address:
                self._keep(direction, frame, line.decode().rstrip())

    def _keep(self, direction: Direction, frame: Frame, text: str) -> None:
        del frame
        newest = self._newest.get(direction)
        if newest is not None and newest["text"] == text:
            newest["times"] += 1
            newest["uptime_s"] = round(self._clock.uptime_s(), 3)
            return
        entry = {"uptime_s": round(self._clock.uptime_s(), 3), "direction": direction, "text": text, "times": 1}
        self._newest[direction] = entry
        self._frames.append(entry)
