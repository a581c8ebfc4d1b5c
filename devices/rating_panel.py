"""What every rating panel is, whatever its wire: buttons of one counter, one light, and presses for the journal.

A kind of panel adds its wire: how a press comes, and how the light gets there.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from concurrent.futures import Future

from pydantic import Field

from config.settings import DeviceSettings, Id
from devices.device import Device
from devices.panel import Light, PanelLight
from devices.wires.shared import Wires
from firmware_py.core.contracts import GiveRating, Outcome
from firmware_py.core.ports import DeviceContext, SimulatedWire


class RatingPanelSettings(DeviceSettings):
    """What the site file says of a panel of any kind."""

    counter: Id = Field(description="the counter whose service is rated")
    # Not sooner: a fault that followed the press at once would tell the live stream's readers which button it was.
    stuck_after_s: float = Field(default=30, ge=10, le=3600, description="held longer than this is stuck, s")
    thanks_s: float = Field(default=2, ge=0.1, le=30, description="how long the thanks are lit, s")


class RatingPanel(Device):
    """A panel. Its wire's worker calls it; thanks, answers of the journal and status come from any thread."""

    def __init__(
        self, settings: RatingPanelSettings, context: DeviceContext, wires: Wires, *, retry_s: float = 2.0
    ) -> None:
        """`retry_s`: how long a refused press shows "not available"."""
        super().__init__(settings, context, wires)
        self._counter = settings.counter
        self._lock = threading.RLock()
        self._light = PanelLight(thanks_s=settings.thanks_s, retry_s=retry_s)
        self._presses = 0
        self._refused = 0
        self._far_end: SimulatedWire | None = None  # set by a kind whose wire is simulated

    def simulated_wire(self) -> SimulatedWire | None:
        """The simulated panel's far end."""
        return self._far_end

    def light(self) -> Light:
        """What the node wants it to show now."""
        with self._lock:
            return self._light.shows(self.context.clock.uptime_s(), available=self.available)

    def thank(self, until_uptime_s: float) -> bool:
        """Light the thanks, at most `thanks_s` long; False if the panel is unavailable or the time is over."""
        now_s = self.context.clock.uptime_s()
        with self._lock:
            if not (self.available and self._light.accepting and self._light.thank(until_uptime_s, now_s)):
                return False
            self._light_changed(now_s)
        self._wake()
        return self.available  # showing it may have found that the hardware is gone

    def set_accepting(self, *, accepting: bool) -> None:
        """While the journal takes nothing the panel shows "not available"."""
        with self._lock:
            self._light.accepting = accepting
            self._light_changed(self.context.clock.uptime_s())
        self._wake()

    def _give(self, level: int, pressed_ago_s: float, key: str | None = None) -> Future[Outcome]:
        """Tell the journal of a press. Never while holding the lock: its answer may come at once, and takes the lock."""
        command = GiveRating(
            source=self.id,
            key=key,
            simulated=self.simulated,
            counter=self._counter,
            level=level,
            pressed_ago_s=pressed_ago_s,
        )
        return self.context.submit(command)

    def _refuse(self, now_s: float) -> None:
        """A press was not kept: it must not look kept. Called with the lock held."""
        self._refused += 1
        self._light.refuse(now_s)

    @abstractmethod
    def _light_changed(self, now_s: float) -> None:
        """Show it, or see to it that it is shown soon. Called with the lock held; never raises for hardware."""

    @abstractmethod
    def _wake(self) -> None:
        """Something for the wire's worker to do. Called without the lock."""
