"""A rack under test with its workers running, and a journal that only remembers what it was told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from config.settings import DeviceSettings
from devices.kinds import kinds
from devices.rack import DeviceRack
from firmware_py.core.clock import SystemClock
from firmware_py.core.contracts import Accepted, Command, GiveRating, Outcome, Rejection, ReportButton, ReportDevice
from firmware_py.core.errors import JournalRefusing
from firmware_py.core.ports import DeviceContext, DeviceStatus, SimulatedWire
from firmware_py.core.worker import Life

PATIENCE_S = 10.0
#: A contact's stillness where a simulated finger bounces in real time: on a busy machine it may stop in the middle of a bounce.
PATIENT_S = 0.15

GPIO: dict[str, Any] = {
    "kind": "rating_panel_gpio",
    "wire": "simulated",
    "counter": "1",
    "buttons": {"1": 17, "2": 27, "3": 22},
    "ready_led": 5,
    "thanks_led": 6,
    "unavailable_led": 12,
    "detect_pin": 13,
}
SERIAL: dict[str, Any] = {
    "kind": "rating_panel_serial",
    "wire": "simulated",
    "counter": "2",
    "address": 7,
    "buttons": 3,
}


def settings(base: dict[str, Any], **keys: Any) -> DeviceSettings:
    """Settings of the base's kind, with some keys changed."""
    merged = {"id": "panel", **base, **keys}
    return kinds()[merged["kind"]].Settings.model_validate(merged)


def eventually(what: Callable[[], Any], text: str) -> Any:
    """Wait for a condition; the deadline is long because it only matters when the test fails."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not (value := what()):
        assert time.monotonic() < deadline_s, f"never happened: {text}"
        time.sleep(0.002)
    return value


class RecordingJournal:
    """Takes commands as the journal does. Keys are decided once; it can refuse, reject, or wait to be released."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.kept: dict[tuple[str, str | None], Command] = {}
        self.refusing = False
        self.rejection: Rejection | None = None
        self.lock = threading.Lock()
        self.held: list[Future[Outcome]] | None = None

    def __call__(self, command: Command) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        with self.lock:
            self.commands.append(command)
            refusing, rejection, held = self.refusing, self.rejection, self.held
            if not refusing and rejection is None and held is None:
                self.kept[command.source, command.key or f"#{len(self.commands)}"] = command
            if held is not None:
                held.append(future)
                return future
        if refusing:
            future.set_exception(JournalRefusing("the disk is full"))
        elif rejection is not None and isinstance(command, GiveRating):
            future.set_result(rejection)
        else:
            future.set_result(Accepted({}))
        return future

    def of(self, kind: type[Command]) -> list[Any]:
        with self.lock:
            return [command for command in self.commands if isinstance(command, kind)]

    @property
    def ratings(self) -> list[GiveRating]:
        return self.of(GiveRating)

    @property
    def availability(self) -> list[tuple[str, bool]]:
        return [(one.device, one.available) for one in self.of(ReportDevice)]

    @property
    def faults(self) -> list[tuple[int, str | None]]:
        return [(one.button, one.fault) for one in self.of(ReportButton)]


class SkippingClock(SystemClock):
    """The host's clock, which a test can move on: nobody waits here for a button to be stuck."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped_s = 0.0

    def uptime_s(self) -> float:
        return super().uptime_s() + self.skipped_s


class Rig:
    """A rack with running workers."""

    def __init__(self, devices: Sequence[DeviceSettings], *, simulation: bool) -> None:
        self.clock = SkippingClock()
        self.journal = RecordingJournal()
        self.rack = DeviceRack(devices, DeviceContext(self.clock, self.journal, simulation), kinds())
        self._threads: list[tuple[Any, Life, threading.Thread]] = []
        self.errors: list[BaseException] = []

    def start(self) -> None:
        self.rack.open()
        for worker in self.rack.workers():
            life = Life()
            thread = threading.Thread(target=self._run, args=(worker, life), name=worker.name)
            self._threads.append((worker, life, thread))
            thread.start()

    def stop(self) -> None:
        for worker, life, _ in self._threads:
            life.stopping.set()
            worker.wake()
        for worker, _, thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), f"{worker.name} did not stop"
        self.rack.close()
        assert self.errors == []

    def skip(self, seconds: float) -> None:
        """Let the time pass at once; the workers look."""
        self.clock.skipped_s += seconds
        for worker, _, _ in self._threads:
            worker.wake()

    def status(self, device: str = "panel") -> DeviceStatus:
        return next(status for status in self.rack.statuses() if status.id == device)

    def far_end(self, device: str = "panel") -> SimulatedWire:
        wire = self.rack.simulated(device)
        assert wire is not None
        return wire

    def lit(self, device: str = "panel") -> list[str]:
        return [name for name, on in self.far_end(device).snapshot()["lights"].items() if on]

    def available(self, device: str = "panel") -> None:
        eventually(lambda: self.status(device).available, f"{device} available")

    def unavailable(self, device: str = "panel") -> str:
        eventually(lambda: not self.status(device).available, f"{device} unavailable")
        return self.status(device).reason

    def shows(self, light: str, device: str = "panel") -> None:
        eventually(lambda: self.lit(device) == [light], f"{device} shows {light}, not {self.lit(device)}")

    def _run(self, worker: Any, life: Life) -> None:
        try:
            worker.run(life)
        except BaseException as error:
            self.errors.append(error)
            raise


@contextmanager
def running(*devices: DeviceSettings, simulation: bool = True) -> Iterator[Rig]:
    rig = Rig(devices, simulation=simulation)
    rig.start()
    try:
        yield rig
    finally:
        rig.stop()
