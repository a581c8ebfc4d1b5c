"""What every kind of hardware is to the rest of the node. A new kind is one new file: `docs/adding-a-device.md`."""

from __future__ import annotations

import inspect
import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from config.settings import DeviceSettings
from devices.report import Report
from devices.wires.shared import Wires
from firmware_py.core.clock import iso
from firmware_py.core.contracts import ReportButton, ReportDevice
from firmware_py.core.errors import NuCuoiError
from firmware_py.core.health import CheckResult, Status
from firmware_py.core.ports import DeviceContext, DeviceStatus, SimulatedWire

NOT_OPENED = "Chưa khởi động"

log = logging.getLogger(__name__)


class Device(ABC):
    """A piece of hardware with a meaning. Its wire is the bus; simulating replaces the bus and nothing here.

    A concrete subclass declares `kind` and `Settings` and is thereby registered. The constructor takes its wire from
    `wires` and touches no hardware; `open` does, and may be called again after it failed.
    """

    kind: ClassVar[str]
    Settings: ClassVar[type[DeviceSettings]]
    _registered: ClassVar[dict[str, type[Device]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if inspect.isabstract(cls) or "kind" not in cls.__dict__:
            return
        other = Device._registered.get(cls.kind)
        if other is not None and other.__module__ != cls.__module__:
            raise TypeError(f"device kind {cls.kind!r} is declared in {other.__module__} and in {cls.__module__}")
        if not issubclass(cls.Settings, DeviceSettings) or not cls.Settings.model_config.get("frozen"):
            raise TypeError(f"{cls.__name__}.Settings must be a frozen subclass of DeviceSettings")
        Device._registered[cls.kind] = cls

    @staticmethod
    def registered() -> Mapping[str, type[Device]]:
        """The kinds whose modules were imported; `devices.kinds` imports them all."""
        return MappingProxyType(Device._registered)

    def __init__(self, settings: DeviceSettings, context: DeviceContext, wires: Wires) -> None:
        if not isinstance(settings, self.Settings):
            raise TypeError(
                f"{type(self).__name__} needs {self.Settings.__qualname__}, not {type(settings).__qualname__}"
            )
        self.wires = wires
        self.context = context
        self._base = settings
        self._state_lock = threading.RLock()  # also while telling: the journal hears in the order of what happened
        self._available = False
        self._reason = NOT_OPENED
        self._since = iso(context.clock.now().utc)
        self._faults: dict[int, str] = {}
        self._availability = Report[bool](context.submit)
        self._buttons: dict[int, Report[str]] = {}

    @property
    def id(self) -> str:
        """As in the site file."""
        return self._base.id

    @property
    def available(self) -> bool:
        """Whether it works now."""
        return self._available

    @property
    def simulated(self) -> bool:
        """Whether what it reports is marked simulated: the site is a simulation, or this bus is."""
        return self.context.simulation or self._base.simulated

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether `open` has done its work and nothing undid it; the rack opens again what is not."""

    @abstractmethod
    def open(self) -> None:
        """Take hold of the hardware; no effect when open.

        Raises:
            DeviceUnavailable: it cannot work, with why and what to do in Vietnamese.
            WireError: its bus cannot, likewise.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the hardware; idempotent."""

    @abstractmethod
    def simulated_wire(self) -> SimulatedWire | None:
        """The far end of a simulated bus; None for a real one."""

    def thank(self, until_uptime_s: float) -> bool:
        """Light the thanks until then; False where there is no light or the device is unavailable."""
        del until_uptime_s
        return False

    def set_accepting(self, *, accepting: bool) -> None:
        """Whether a press would be kept. Devices without a light need not care."""
        del accepting

    def light(self) -> str | None:
        """What it shows, or None without a light."""
        return None

    def figures(self) -> dict[str, float | int | str | None]:
        """Numbers worth seeing in its self test."""
        return {}

    def self_test(self) -> CheckResult:
        """FAIL when unavailable (with the reason), WARN with a cut-off button, else PASS."""
        status = self.status()
        name = f"device {self.id}"
        if not status.available:
            return CheckResult(name, Status.FAIL, status.reason, self.figures())
        if self._faults:
            words = {"stuck": "bị kẹt", "chattering": "bị rung liên tục"}
            broken = "; ".join(f"nút {n} {words[fault]}" for n, fault in sorted(self._faults.items()))
            text = f"Tạm ngắt: {broken}. Các nút khác vẫn dùng được. Hãy kiểm tra nút và dây của nút."
            return CheckResult(name, Status.WARN, text, self.figures())
        return CheckResult(name, Status.PASS, "Hoạt động bình thường", self.figures())

    def status(self) -> DeviceStatus:
        """How it is now."""
        shown = self.light()
        with self._state_lock:
            return DeviceStatus(
                id=self.id,
                kind=self.kind,
                counter=self._base.counter,
                wire=self._base.wire,
                simulated=self.simulated,
                available=self._available,
                reason=self._reason,
                light=shown,
                faults=tuple(f"button {button} {fault}" for button, fault in sorted(self._faults.items())),
                since=self._since,
            )

    def set_available(self) -> None:
        """It works; reported on change."""
        self._set_availability(available=True, reason="")

    def set_unavailable(self, reason: str) -> None:
        """It does not work, and why and what to do (Vietnamese); reported on change."""
        self._set_availability(available=False, reason=reason)

    def failed(self, error: NuCuoiError) -> None:
        """It does not work: people are told the error's words, the log once also what is behind them."""
        reason = str(error)
        if reason != self._reason:
            log.warning("%s: %s (%r)", self.id, reason, error.__cause__)
        self.set_unavailable(reason)

    def set_fault(self, button: int, fault: str | None) -> None:
        """A button was cut off ("stuck", "chattering") or works again (None); reported on change."""
        with self._state_lock:
            if fault is None:
                self._faults.pop(button, None)
            else:
                self._faults[button] = fault
            report = self._buttons.setdefault(button, Report[str](self.context.submit, known=""))
            command = ReportButton(source=self.id, simulated=self.simulated, device=self.id, button=button, fault=fault)
            report.tell(fault or "", command)

    def clear_faults(self) -> None:
        """All buttons are met anew: none is cut off any more."""
        for button in list(self._faults):
            self.set_fault(button, None)

    def retry_reports(self) -> None:
        """Tell the journal again what it could not take."""
        with self._state_lock:
            reports = list(self._buttons.values())
        self._availability.retry()
        for report in reports:
            report.retry()

    def _set_availability(self, *, available: bool, reason: str) -> None:
        with self._state_lock:
            if available != self._available:
                self._since = iso(self.context.clock.now().utc)
            self._available = available
            self._reason = reason
            command = ReportDevice(
                source=self.id,
                simulated=self.simulated,
                device=self.id,
                counter=self._base.counter,
                available=available,
                reason=reason,
            )
            self._availability.tell(available, command)
