"""The rating panel whose buttons and lights hang on GPIO pins of the Raspberry Pi.

Each button closes its pin to ground (the Pi's own pull-up resistor); each light is on its own pin. An optional detect
pin runs to ground through the plug: open means that the panel was unplugged.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from config.settings import RatingsSettings
from devices.debounce import ButtonRules, Faulted, Outcome, Pressed
from devices.panel import Light, wrong_number_of_buttons
from devices.panel_pins import DETECT_CHANNEL, PanelPins
from devices.rating_panel import RatingPanel, RatingPanelSettings
from devices.wires.gpio import Chip, GpioWire
from devices.wires.shared import Wires
from firmware_py.core import contracts
from firmware_py.core.errors import WireError
from firmware_py.core.ports import DeviceContext

Pin = Annotated[int, Field(ge=2, le=27)]  # BCM numbers; 0 and 1 belong to the board's own memory chip
Level = Annotated[int, Field(ge=1, le=5)]
UNPLUGGED = "Bảng nút bị rút dây: hãy kiểm tra và cắm lại đầu nối của bảng."


class GpioPanelSettings(RatingPanelSettings):
    """[[device]] kind = "rating_panel_gpio"."""

    kind: Literal["rating_panel_gpio"] = "rating_panel_gpio"
    wire: Literal["simulated", "gpio"]
    buttons: dict[Level, Pin] = Field(description='level -> BCM pin, e.g. {"1" = 17, "2" = 27, "3" = 22}')
    ready_led: Pin = Field(description="BCM pin of the light that says: press")
    thanks_led: Pin = Field(description="BCM pin of the light that says: thank you, your rating is kept")
    unavailable_led: Pin | None = Field(default=None, description="BCM pin of the light that says: not available")
    detect_pin: Pin | None = Field(default=None, description="BCM pin grounded through the plug: open = unplugged")
    debounce_s: float = Field(default=0.02, ge=0.001, le=0.2, description="a contact is believed when still for, s")
    chatter_edges: int = Field(default=200, ge=20, le=10_000, description="more edges than this in the window...")
    chatter_window_s: float = Field(default=2, ge=0.5, le=60, description="...cut the button off; the window, s")

    @field_validator("buttons")
    @classmethod
    def _levels_without_gaps(cls, buttons: dict[int, int]) -> dict[int, int]:
        if sorted(buttons) not in ([1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 5]):
            raise ValueError('a panel has 3 to 5 buttons, one for each level from "1" on')
        return dict(sorted(buttons.items()))

    @model_validator(mode="after")
    def _pins_differ(self) -> Self:
        seen: dict[int, str] = {}
        for name, pin in self.pins():
            if pin in seen:
                raise ValueError(f"{name} and {seen[pin]} are both on pin {pin}; each needs its own")
            seen[pin] = name
        return self

    def pins(self) -> Iterator[tuple[str, int]]:
        """Every pin it uses, with the key that names it."""
        yield from ((f'buttons."{level}"', pin) for level, pin in self.buttons.items())
        yield from ((f"{light}_led", pin) for light, pin in self.lamps().items())
        if self.detect_pin is not None:
            yield "detect_pin", self.detect_pin

    def lamps(self) -> dict[Light, int]:
        """The pin of each light that the panel has."""
        lamps: dict[Light, int] = {"ready": self.ready_led, "thanks": self.thanks_led}
        if self.unavailable_led is not None:
            lamps["unavailable"] = self.unavailable_led
        return lamps

    def problems_with(self, ratings: RatingsSettings) -> Iterable[tuple[str, str]]:
        """Too few or too many buttons for the site's scale."""
        return wrong_number_of_buttons(len(self.buttons), ratings.levels)

    @classmethod
    def problems_together(cls, devices: Sequence[Self]) -> Iterable[tuple[str, str, str]]:
        """Pins used by two panels of one wire: (device id, key, text)."""
        seen: dict[tuple[str, int], tuple[str, str]] = {}
        for device in devices:
            for name, pin in device.pins():
                first = seen.setdefault((device.wire, pin), (device.id, name))
                if first[0] != device.id:
                    text = f'pin {pin} is already {first[1]} of "{first[0]}"; each device needs its own pins'
                    yield device.id, name.split(".")[0], text


class GpioRatingPanel(RatingPanel):
    """Buttons and lights on pins. Edges come on the wire's worker; thanks and status from any thread."""

    kind: ClassVar[str] = "rating_panel_gpio"
    Settings = GpioPanelSettings

    def __init__(self, settings: GpioPanelSettings, context: DeviceContext, wires: Wires) -> None:
        super().__init__(settings, context, wires)
        self._settings = settings
        self._pins: PanelPins | None = None
        if settings.simulated:
            from devices.simulation.gpio_board import (  # noqa: PLC0415 - a real node has no simulation in memory
                GpioPanelFarEnd,
                SimulatedGpioWire,
            )

            board_wire = wires.share(SimulatedGpioWire, "simulated", lambda: SimulatedGpioWire(context.clock))
            self._far_end = GpioPanelFarEnd(board_wire.board, settings.buttons, settings.lamps(), settings.detect_pin)
            self._wire: GpioWire = board_wire
        else:
            self._wire = wires.share(GpioWire, settings.wire, lambda: _real_wire(context))

    @property
    def is_open(self) -> bool:
        """Whether the pins are held (an unplugged panel's are)."""
        return self._pins is not None

    def open(self) -> None:
        """Take the pins. See `Device.open`."""
        settings = self._settings
        rules = ButtonRules(
            settings.debounce_s, settings.stuck_after_s, settings.chatter_edges, settings.chatter_window_s
        )
        with self._lock:
            if self._pins is not None:
                return
            self._wire.open()
            pins = PanelPins(self._wire, self, rules)
            try:
                pins.take(settings.lamps(), settings.buttons, settings.detect_pin)
                self._learn_plug(pins)
            except Exception:
                pins.release()  # not open: the rack tries again
                raise
            self._pins = pins
        self._wake()

    def close(self) -> None:
        """Lights off, pins free; idempotent."""
        with self._lock:
            pins, self._pins = self._pins, None
            if pins is not None:
                pins.release()

    def figures(self) -> dict[str, float | int | str | None]:
        """Presses, refused presses, touches too short for a finger, edges lost on the whole wire."""
        with self._lock:
            buttons = self._pins.buttons.values() if self._pins else ()
            return {
                "presses": self._presses,
                "presses_refused": self._refused,
                "glitches": sum(button.glitches for button in buttons),
                "wire_edges_lost": self._wire.lost_edges,
            }

    def edge(self, channel: int, uptime_s: float, *, pressed: bool) -> None:
        """A contact of this panel moved (called by the wire's worker)."""
        outcomes: list[Outcome] = []
        with self._lock, self._giving_up_lost_pins():
            pins = self._pins
            if pins is None:
                return
            if channel == DETECT_CHANNEL:
                if pins.plug_moved(uptime_s, pressed=pressed):
                    self._learn_plug(pins)
            elif self.available:  # contacts of a loose plug are nobody's press
                outcomes = pins.buttons[channel].edge(uptime_s, pressed=pressed)
        self._act(channel, outcomes)

    def settle(self, uptime_s: float) -> float | None:
        """Believe what has been still long enough, and let the light change by itself; when to look again."""
        happened: list[tuple[int, list[Outcome]]] = []
        deadlines: list[float | None] = []
        with self._lock, self._giving_up_lost_pins():
            pins = self._pins
            if pins is None:
                return None
            if pins.plug_settled(uptime_s):
                self._learn_plug(pins)
            if self.available:
                happened = [(level, button.settle(uptime_s)) for level, button in pins.buttons.items()]
            pins.show(self._light.shows(uptime_s, available=self.available))
            deadlines = [*pins.deadlines_s(), self._light.deadline_s(uptime_s)]
        for level, outcomes in happened:
            self._act(level, outcomes)
        return min((at for at in deadlines if at is not None), default=None)

    def _act(self, level: int, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Pressed):
                self._presses += 1
                pressed_ago_s = max(0.0, self.context.clock.uptime_s() - outcome.at_s)
                self._give(level, pressed_ago_s).add_done_callback(self._answered)
            else:
                self.set_fault(level, outcome.fault.value if isinstance(outcome, Faulted) else None)

    def _answered(self, future: Future[contracts.Outcome]) -> None:
        """No thanks here: they come by a reactor, after COMMIT. But a press that was not kept must not look kept."""
        if future.exception() is None and isinstance(future.result(), contracts.Accepted):
            return
        with self._lock:
            now_s = self.context.clock.uptime_s()
            self._refuse(now_s)
            self._light_changed(now_s)
        self._wake()

    def _learn_plug(self, pins: PanelPins) -> None:
        """Plugged or unplugged: what works is proved first and claimed then.

        Raises:
            WireError: a button cannot be read or a light cannot be driven.
        """
        now_s = self.context.clock.uptime_s()
        if pins.plugged:
            pins.meet_buttons(now_s)
        pins.show(self._light.shows(now_s, available=pins.plugged))
        if pins.plugged:
            self.clear_faults()
            self.set_available()
        else:
            self.set_unavailable(UNPLUGGED)

    def _light_changed(self, now_s: float) -> None:
        with self._giving_up_lost_pins():
            if self._pins is not None:
                self._pins.show(self._light.shows(now_s, available=self.available))

    def _wake(self) -> None:
        self._wire.wake()

    @contextlib.contextmanager
    def _giving_up_lost_pins(self) -> Iterator[None]:
        """A pin that fails closes the panel until the rack opens it again; the chip's other panels hear nothing of it."""
        try:
            yield
        except WireError as error:
            self.close()
            self.failed(error)


def _real_wire(context: DeviceContext) -> GpioWire:
    def open_chip() -> Chip:
        from devices.wires.gpio_chips import open_lgpio  # noqa: PLC0415 - imports gpiozero

        return open_lgpio()

    return GpioWire("gpio", context.clock, open_chip)
