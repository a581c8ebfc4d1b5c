"""A simulated board of GPIO pins: contacts to ground and lamps, and a rating panel's plug, fingers and eyes on it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from devices.panel import Light
from devices.wires.gpio import Chip, GpioWire
from firmware_py.core.clock import Clock
from firmware_py.core.errors import WireError

BOUNCE_S = 0.001


class GpioBoard:
    """What is soldered to the mock pins. It outlives the node's use of them: a held button stays held."""

    def __init__(self) -> None:
        self._grounded: set[int] = set()
        self._lock = threading.Lock()
        self._chip: Chip | None = None

    def open(self) -> Chip:
        """Mock pins for a `GpioWire`, each as its contact stands."""
        from devices.wires.gpio_chips import open_board  # noqa: PLC0415 - imports gpiozero, a quarter of a second

        self._chip = open_board(lambda name: int(name.removeprefix("GPIO")) in self._grounded)
        return self._chip

    def ground(self, pin: int, *, closed: bool) -> None:
        """Close or open a contact between a pin and ground."""
        with self._lock:
            (self._grounded.add if closed else self._grounded.discard)(pin)
            found: Any = self._chip.factory.pin(pin) if self._chip else None
            if found is None or found.function != "input":
                return
            if closed:
                found.drive_low()
            elif found.pull == "up":
                found.drive_high()

    def is_lit(self, pin: int) -> bool:
        """Whether the lamp on a pin is lit."""
        found: Any = self._chip.factory.pin(pin) if self._chip else None
        return bool(found is not None and found.function == "output" and found.state)


class SimulatedGpioWire(GpioWire):
    """The production wire over a simulated board."""

    def __init__(self, clock: Clock) -> None:
        self.board = GpioBoard()
        super().__init__("gpio-simulated", clock, self.board.open)


class GpioPanelFarEnd:
    """A rating panel's far end on a board: fingers on its buttons, eyes on its lamps, a hand at its plug."""

    def __init__(
        self, board: GpioBoard, buttons: Mapping[int, int], lamps: Mapping[Light, int], detect_pin: int | None
    ) -> None:
        self._board = board
        self._buttons = dict(buttons)
        self._lamps = dict(lamps)
        self._detect_pin = detect_pin
        self._lock = threading.RLock()
        self._held: set[int] = set()
        self._fingers = {level: threading.Lock() for level in buttons}  # one finger at a time on each button
        self._plugged = False
        self.plug()

    def press(self, button: int, *, bounces: int = 0, hold_s: float = 0.1) -> None:
        """Press a button for `hold_s`, with contact bounces a millisecond apart at each edge; returns when released.

        Raises:
            WireError: there is no such button, or the panel is unplugged.
        """
        if button not in self._buttons:
            raise WireError(f"Bảng không có nút {button}; có các nút {', '.join(map(str, self._buttons))}")
        if not self._plugged:
            raise WireError("Bảng nút đang bị rút dây; hãy cắm lại trước khi bấm")
        with self._fingers[button]:
            self._move(button, bounces, down=True)
            time.sleep(hold_s)
            self._move(button, bounces, down=False)

    def unplug(self) -> None:
        """Pull the plug: every contact of the panel is open."""
        with self._lock:
            self._plugged = False
            self._connect()

    def plug(self) -> None:
        """Put the plug back; a button that is still held down is closed at once."""
        with self._lock:
            self._plugged = True
            self._connect()

    def snapshot(self) -> Mapping[str, Any]:
        """What is to be seen at the panel."""
        with self._lock:
            return {
                "plugged": self._plugged,
                "lights": {name: self._plugged and self._board.is_lit(pin) for name, pin in self._lamps.items()},
                "buttons": {str(level): level in self._held for level in self._buttons},
                "frames": [],
            }

    def _move(self, button: int, bounces: int, *, down: bool) -> None:
        for is_down in (down, *(state for _ in range(bounces) for state in (not down, down))):
            with self._lock:
                (self._held.add if is_down else self._held.discard)(button)
                self._connect_button(button)
            if bounces:
                time.sleep(BOUNCE_S)

    def _connect(self) -> None:
        if self._detect_pin is not None:
            self._board.ground(self._detect_pin, closed=self._plugged)
        for level in self._buttons:
            self._connect_button(level)

    def _connect_button(self, level: int) -> None:
        self._board.ground(self._buttons[level], closed=self._plugged and level in self._held)
