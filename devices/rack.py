"""All devices of a node together: built from the site file, opened each for itself, tried again when one fails."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from config.settings import DeviceSettings
from devices.device import Device
from devices.wires.shared import Wires
from firmware_py.core.errors import NuCuoiError
from firmware_py.core.health import Check, CheckResult, run_check
from firmware_py.core.ports import DeviceContext, DeviceStatus, SimulatedWire
from firmware_py.core.worker import Life, Worker

RETRY_S = 5.0

log = logging.getLogger(__name__)


class DeviceRack:
    """The `DevicePort` of a node. One device that fails never stops another."""

    def __init__(
        self, settings: Sequence[DeviceSettings], context: DeviceContext, kinds: Mapping[str, type[Device]]
    ) -> None:
        self._wires = Wires()
        self._devices = {one.id: kinds[one.kind](one, context, self._wires) for one in settings}
        self._retry = _RetryWorker(self)

    def open(self) -> None:
        """Open every device that can be; the others are UNAVAILABLE with their reason."""
        for device in self._devices.values():
            self._open(device)

    def retry(self) -> None:
        """Open again what is not open, and tell the journal what it could not take."""
        for device in self._devices.values():
            if not device.is_open:
                self._open(device)
            device.retry_reports()

    def close(self) -> None:
        """Release all hardware, in reverse order; idempotent."""
        for device in reversed(self._devices.values()):
            device.close()
        self._wires.close()

    def statuses(self) -> Sequence[DeviceStatus]:
        """Every configured device, in the site file's order."""
        return [device.status() for device in self._devices.values()]

    def simulated(self, device_id: str) -> SimulatedWire | None:
        """The far end of a device's simulated wire; None for an unknown device or a real wire."""
        device = self._devices.get(device_id)
        return None if device is None else device.simulated_wire()

    def thank(self, device_id: str, until_uptime_s: float) -> bool:
        """Light a device's thanks until then; False if unknown, without light or unavailable."""
        device = self._devices.get(device_id)
        return device is not None and device.thank(until_uptime_s)

    def set_accepting(self, *, accepting: bool) -> None:
        """Whether the journal takes events, for every panel's light."""
        for device in self._devices.values():
            device.set_accepting(accepting=accepting)

    def self_tests(self) -> Sequence[CheckResult]:
        """Each device's own test; one that raises or hangs is a FAIL with its text, and costs the others nothing."""
        return [run_check(Check(f"device {device.id}", device.self_test)) for device in self._devices.values()]

    def workers(self) -> Sequence[Worker]:
        """The wires' threads, and the one that tries again."""
        return [*self._wires.workers(), self._retry]

    def _open(self, device: Device) -> None:
        try:
            device.open()
        except NuCuoiError as error:
            device.failed(error)
        except Exception:  # a fault in one kind's code must not take the other counters' panels away
            log.exception("opening device %s", device.id)
            device.set_unavailable("Lỗi chương trình khi mở thiết bị. Hãy báo người phụ trách kỹ thuật.")


class _RetryWorker:
    """Every few seconds, what failed is tried again."""

    name = "devices-retry"
    deadline_s = 60.0

    def __init__(self, rack: DeviceRack) -> None:
        self._rack = rack

    def run(self, life: Life) -> None:
        """Try again until told to stop."""
        while not life.wait(RETRY_S):
            self._rack.retry()

    def wake(self) -> None:
        """Nothing to do: it waits for `life.stopping` itself."""
