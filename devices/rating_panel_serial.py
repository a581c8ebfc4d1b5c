"""The rating panel with a processor of its own, on an RS-485 line that several panels share.

It keeps its presses until they are acknowledged (`docs/panel-serial-protocol.md`): a press survives a lost frame, a full
disk and a restart of the node, and counts once, by its identity (panel, boot nonce, sequence).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator

from config.settings import Id, RatingsSettings
from devices.debounce import Fault
from devices.panel import Light, wrong_number_of_buttons
from devices.panel_frames import Frame, FrameError, LightCode, Press, read_status
from devices.panel_session import RETRY_REFUSED_S, HeldButtons, PanelSession
from devices.rating_panel import RatingPanel, RatingPanelSettings
from devices.wires.serial_line import SerialLine
from devices.wires.shared import Wires
from firmware_py.core import contracts
from firmware_py.core.ports import DeviceContext

LIGHT_CODES: dict[Light, LightCode] = {
    "ready": LightCode.READY,
    "thanks": LightCode.THANKS,
    "unavailable": LightCode.UNAVAILABLE,
}


class SerialPanelSettings(RatingPanelSettings):
    """[[device]] kind = "rating_panel_serial"."""

    kind: Literal["rating_panel_serial"] = "rating_panel_serial"
    address: int = Field(ge=1, le=247, description="the panel's address on its line, set by its switches")
    line: Id = Field(default="rs485", description="the simulated line's name; a real line is named by its wire")
    baud: Literal[9600, 19200, 38400, 57600, 115200] = Field(default=19200, description="the line's speed, bit/s")
    buttons: int = Field(default=5, ge=3, le=5, description="how many buttons it has: as many as [ratings] has levels")
    poll_timeout_s: float = Field(default=0.05, ge=0.005, le=1, description="silence after the request, s")

    @field_validator("wire")
    @classmethod
    def _simulated_or_a_path(cls, wire: str) -> str:
        if wire != "simulated" and not wire.startswith("/dev/"):
            raise ValueError('the wire is "simulated" or a path such as "/dev/serial/by-id/usb-..."')
        return wire

    @property
    def line_name(self) -> str:
        """What the panels of one line have in common."""
        return self.line if self.simulated else self.wire

    def problems_with(self, ratings: RatingsSettings) -> Iterable[tuple[str, str]]:
        """Too few or too many buttons for the site's scale."""
        return wrong_number_of_buttons(self.buttons, ratings.levels)

    @classmethod
    def problems_together(cls, devices: Sequence[Self]) -> Iterable[tuple[str, str, str]]:
        """Panels of one line that contradict each other: (device id, key, text)."""
        addresses: dict[tuple[bool, str, int], str] = {}
        first_on: dict[tuple[bool, str], Self] = {}
        for device in devices:
            line = (device.simulated, device.line_name)
            other = addresses.setdefault((*line, device.address), device.id)
            if other != device.id:
                yield device.id, "address", f'address {device.address} is already that of "{other}" on this line'
            first = first_on.setdefault(line, device)
            for key in ("baud", "poll_timeout_s"):
                mine, theirs = getattr(device, key), getattr(first, key)
                if mine != theirs:
                    text = f'{key} = {mine} but "{first.id}" on the same line has {theirs}; a line has one'
                    yield device.id, key, text


class SerialRatingPanel(RatingPanel):
    """One panel on a shared line: a station of it. The line's worker calls; thanks and answers come from any thread."""

    kind: ClassVar[str] = "rating_panel_serial"
    Settings = SerialPanelSettings

    def __init__(self, settings: SerialPanelSettings, context: DeviceContext, wires: Wires) -> None:
        super().__init__(settings, context, wires, retry_s=2 * RETRY_REFUSED_S)
        self._settings = settings
        self._session = PanelSession()
        self._held = HeldButtons(settings.stuck_after_s)
        self._is_open = False
        self._rejected = 0
        self._last_rejection = ""
        if settings.simulated:
            from devices.simulation.serial_panel import (  # noqa: PLC0415 - a real node has no simulation in memory
                SerialPanelFarEnd,
                SimulatedSerialLine,
            )

            line = wires.share(
                SimulatedSerialLine,
                settings.line,
                lambda: SimulatedSerialLine(settings.line, context.clock, settings.baud, settings.poll_timeout_s),
            )
            self._far_end = SerialPanelFarEnd(line.bus, settings.address, settings.buttons, context.clock)
            self._line: SerialLine = line
        else:
            self._line = wires.share(SerialLine, settings.wire, lambda: _real_line(settings, context))

    @property
    def address(self) -> int:
        """Its address on the line."""
        return self._settings.address

    @property
    def next_poll_s(self) -> float:
        """When it wants to be asked (uptime)."""
        return self._session.next_poll_s

    @property
    def is_open(self) -> bool:
        """Whether it is on the line; from then on the line's own worker opens and reopens the port."""
        return self._is_open

    def open(self) -> None:
        """Get onto the line. Never raises for hardware: the panel is available as soon as it answers."""
        if not self._is_open:
            self._is_open = True
            self._line.attach(self)

    def close(self) -> None:
        """Leave the line; idempotent."""
        if self._is_open:
            self._is_open = False
            self._line.detach(self)

    def figures(self) -> dict[str, float | int | str | None]:
        """Presses that the journal decided, refusals (each try), the panel's restarts, and the line's damaged frames."""
        with self._lock:
            return {
                "presses": self._presses,
                "presses_refused": self._refused,
                "presses_rejected": self._rejected,
                "last_rejection": self._last_rejection or None,
                "restarts": self._session.restarts,
                "line_exchanges": self._line.exchanges,
                "line_frames_damaged": self._line.damaged,
                "line_frames_of_strangers": self._line.strangers,
            }

    def request(self, now_s: float) -> Frame:
        """POLL: the light, and the newest press that the journal has decided."""
        with self._lock:
            # A panel that has just come back is shown as ready by the question whose answer makes it available.
            shown = self._light.shows(now_s, available=True)
            return self._session.poll(LIGHT_CODES[shown]).frame(self.address)

    def answered(self, frame: Frame, now_s: float) -> bool:
        """STATUS: submit its head press if that is new, and see which buttons are held."""
        try:
            status = read_status(frame)
        except FrameError:
            return False
        with self._lock:
            press = self._session.heard(status, now_s)
            faults = self._held.see(status.held, now_s)
        if not self.available:
            self.set_available()
        for level, is_stuck in faults:
            self.set_fault(level, Fault.STUCK.value if is_stuck else None)
        if press is not None:
            self._submit(press)
        return True

    def missed(self, now_s: float) -> None:
        """It did not answer; after a few times it is unavailable."""
        with self._lock:
            became_silent = self._session.missed(now_s)
        if became_silent:
            self.set_unavailable(
                f"Bảng nút không trả lời trên đường RS-485. Hãy kiểm tra dây RS-485, nguồn của bảng "
                f"và địa chỉ {self.address}."
            )

    def line_lost(self, reason: str) -> None:
        """The line failed, and this panel with it."""
        with self._lock:
            self._session.line_lost()
        self.set_unavailable(reason)

    def _submit(self, press: Press) -> None:
        future = self._give(press.level, press.age_ms / 1000, key=f"{self.id}/{press.nonce:08x}/{press.sequence}")
        future.add_done_callback(lambda future: self._answered_by_journal(press, future))

    def _answered_by_journal(self, press: Press, future: Future[contracts.Outcome]) -> None:
        """Acknowledge what was decided, and only that. The thanks come by a reactor."""
        now_s = self.context.clock.uptime_s()
        with self._lock:
            if future.exception() is not None:
                self._refuse(now_s)
                self._session.refused(press, now_s)
            else:
                self._presses += 1
                outcome = future.result()
                if isinstance(outcome, contracts.Rejection):
                    # No later retry can change a rule's answer, and an unacknowledged head blocks all after it.
                    self._rejected += 1
                    self._last_rejection = outcome.code
                self._session.decided(press, now_s)
        self._wake()

    def _light_changed(self, now_s: float) -> None:
        self._session.hurry(now_s)

    def _wake(self) -> None:
        self._line.wake()


def _real_line(settings: SerialPanelSettings, context: DeviceContext) -> SerialLine:
    return SerialLine(
        settings.wire,
        context.clock,
        lambda: settings.wire,
        baud=settings.baud,
        answer_timeout_s=settings.poll_timeout_s,
    )
