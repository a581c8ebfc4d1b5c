"""Devices as the app and the API see them, and what devices are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from firmware_py.core.clock import Clock
from firmware_py.core.health import CheckResult
from firmware_py.core.ports.journal import Submit
from firmware_py.core.worker import Worker


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """How a device is, for pages and machines. `since` is the node's time (ISO) of the last change."""

    id: str
    kind: str
    counter: str | None
    wire: str
    simulated: bool
    available: bool
    reason: str  # empty when available; else why, and what to do
    light: str | None  # "ready" | "thanks" | "unavailable"; None for devices without lights
    faults: tuple[str, ...] = ()  # e.g. "button 3 stuck"
    since: str | None = None


class SimulatedWire(Protocol):
    """The far end of a simulated bus, as one device on it: what a hand, a plug or a multimeter would do and see.

    It exists only where the site file says `wire = "simulated"`. All code above the wire is production code.
    """

    def press(self, button: int, *, bounces: int = 0, hold_s: float = 0.1) -> None:
        """Press `button` (a level) for `hold_s` with `bounces` contact bounces at each edge; returns when released.

        Raises:
            WireError: there is no such button, or the device is unplugged.
        """
        ...

    def unplug(self) -> None:
        """Pull the plug: the device is gone until `plug`."""
        ...

    def plug(self) -> None:
        """Put the plug back; a device with a processor boots anew."""
        ...

    def snapshot(self) -> Mapping[str, Any]:
        """What could be seen there now: `{"plugged", "lights": {name: bool}, "buttons": {level: pressed}, "frames": [...]}`."""
        ...


class DevicePort(Protocol):
    """All devices of a node, as the app and the API see them."""

    def statuses(self) -> Sequence[DeviceStatus]:
        """Every configured device, in the site file's order."""
        ...

    def simulated(self, device_id: str) -> SimulatedWire | None:
        """The far end of a device's simulated wire; None for an unknown device or a real wire."""
        ...

    def thank(self, device_id: str, until_uptime_s: float) -> bool:
        """Light a device's thanks until then; False where the device has no light or is unavailable."""
        ...

    def set_accepting(self, *, accepting: bool) -> None:
        """Whether the journal takes events; while it does not, panels show "not available"."""
        ...

    def self_tests(self) -> Sequence[CheckResult]:
        """Each device's own test; a device that is unavailable is a FAIL with its reason."""
        ...

    def workers(self) -> Sequence[Worker]:
        """The threads that devices and wires need; the supervisor runs them."""
        ...

    def open(self) -> None:
        """Open every device that can be; the others are UNAVAILABLE with their reason. Never raises for hardware."""
        ...

    def close(self) -> None:
        """Release all hardware; idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class DeviceContext:
    """What the devices of a node are given to work with."""

    clock: Clock
    submit: Submit
    simulation: bool  # the site's mode: every event from it is marked simulated
