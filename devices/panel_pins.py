"""A GPIO panel's pins while they are held: what its buttons and its plug did, and what its lights show.

Not thread-safe: the panel that owns them holds its lock. Whatever raises a `WireError` here is the end of these pins.
"""

from __future__ import annotations

from collections.abc import Mapping

from devices.debounce import Button, ButtonRules, Contact
from devices.panel import Light
from devices.wires.gpio import EdgeListener, GpioInput, GpioOutput, GpioWire

DETECT_CHANNEL = 0  # the buttons' channels are their levels


class PanelPins:
    """Pins on a wire for one panel, which hears their edges."""

    def __init__(self, wire: GpioWire, panel: EdgeListener, rules: ButtonRules) -> None:
        self._wire = wire
        self._panel = panel
        self._rules = rules
        self._inputs: dict[int, GpioInput] = {}
        self._lamps: dict[Light, GpioOutput] = {}
        self._lit: Light | None = None
        self._plug: Contact | None = None
        self.buttons: dict[int, Button] = {}

    @property
    def plugged(self) -> bool:
        """Whether the panel is there, as far as can be known: without a detect pin it always is."""
        return self._plug is None or self._plug.pressed

    def take(self, lamps: Mapping[Light, int], buttons: Mapping[int, int], detect_pin: int | None) -> None:
        """Take the pins of the lights, of each level's button, and of the plug. If it raises, `release` the others.

        Raises:
            WireError: one of them is taken, does not exist, or cannot be read.
        """
        for name, pin in lamps.items():
            self._lamps[name] = self._wire.output(pin)
        for level, pin in buttons.items():
            self._inputs[level] = self._wire.input(pin, self._panel, level)
        if detect_pin is not None:
            detect = self._wire.input(detect_pin, self._panel, DETECT_CHANNEL)
            self._plug = Contact(self._rules.debounce_s, pressed=detect.pressed)

    def release(self) -> None:
        """Lights off, pins free; idempotent."""
        for lamp in self._lamps.values():
            lamp.close()
        self._wire.forget(self._panel)

    def meet_buttons(self, now_s: float) -> None:
        """Begin anew with every button as it is: what is down now was pressed by nobody we saw.

        Raises:
            WireError: one of them cannot be read.
        """
        self.buttons = {
            level: Button(self._rules, pressed=found.pressed, uptime_s=now_s) for level, found in self._inputs.items()
        }

    def plug_moved(self, uptime_s: float, *, pressed: bool) -> bool:
        """The detect contact changed; whether that shows that the panel was plugged or unplugged before."""
        return self._plug is not None and self._plug.edge(uptime_s, pressed=pressed) is not None

    def plug_settled(self, uptime_s: float) -> bool:
        """Whether it is certain by now that the panel was plugged or unplugged."""
        return self._plug is not None and self._plug.settle(uptime_s) is not None

    def deadlines_s(self) -> list[float | None]:
        """When each contact that counts now will have something to say (uptime)."""
        plug = [self._plug.deadline_s] if self._plug is not None else []
        return plug + [button.deadline_s for button in self.buttons.values() if self.plugged]

    def show(self, light: Light) -> None:
        """Light this one and no other.

        Raises:
            WireError: one of them cannot be driven.
        """
        if light == self._lit:
            return
        for name, lamp in self._lamps.items():
            lamp.set(on=name == light)
        self._lit = light
