"""Serial panels on a pseudo-terminal: they run on while the node dies, as real panels do, and keep what it did not thank for."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping

from presses import Ledger, Press

from devices.panel_frames import STATUS, FrameError, FrameParser, read_status
from devices.simulation.panel_firmware import PanelFirmware
from devices.simulation.pty_bus import Direction, PtyBus

LEVELS = 5
STEP_S = 0.2
MEAN_PAUSE_S = 0.08


class Panels:
    """Panels on one line, a thread that is the line, and one that is the people in front of them.

    `panels` says which address stands at which counter; the node knows the panel at address 7 as the device `panel-7`.
    """

    def __init__(self, panels: Mapping[int, str], ledger: Ledger, rng: random.Random) -> None:
        self._ledger = ledger
        self._rng = rng
        self._counters = dict(panels)
        self._firmware = {
            address: PanelFirmware(address, LEVELS, lambda: rng.getrandbits(32), time.monotonic) for address in panels
        }
        self._parser = FrameParser()
        self._heard_bytes = 0
        self._bus = PtyBus(self._firmware.values(), "crash")
        self._bus.listeners.append(self._listen)
        self._resting = threading.Event()
        self._gone = threading.Event()
        self._line = threading.Thread(target=self._be_line, name="line", daemon=True)
        self._people = threading.Thread(target=self._be_people, name="people", daemon=True)

    @property
    def path(self) -> str:
        """The serial port that the node opens."""
        return self._bus.path

    @property
    def dropped(self) -> int:
        """Presses that a panel could not keep, and said so by its light: they never were."""
        return sum(firmware.dropped_presses for firmware in self._firmware.values())

    def start(self) -> None:
        """Power."""
        self._line.start()
        self._people.start()

    def rest(self) -> None:
        """No new presses from now on; the panels go on telling those that are not acknowledged."""
        self._resting.set()
        if self._people.is_alive():
            self._people.join()

    def close(self) -> None:
        """Take the line down; idempotent."""
        self.rest()
        self._gone.set()
        self._bus.wake()
        if self._line.is_alive():
            self._line.join()
        self._bus.close()

    def drain(self) -> None:
        """The node is dead: let the panels hear what it had still put on the line."""
        while True:
            before = self._heard_bytes
            self._step(0)
            if self._heard_bytes == before:
                return

    def _be_line(self) -> None:
        while not self._gone.is_set():
            self._step(STEP_S)

    def _step(self, timeout_s: float) -> None:
        self._bus.step(timeout_s)
        with self._bus.lock:
            for address, firmware in self._firmware.items():
                while firmware.acknowledged:
                    kept = firmware.acknowledged.popleft()
                    self._ledger.acknowledged(key_of(address, kept.nonce, kept.sequence))

    def _be_people(self) -> None:
        addresses = sorted(self._firmware)
        while not self._resting.wait(self._rng.expovariate(1 / MEAN_PAUSE_S)):
            address, level = self._rng.choice(addresses), self._rng.randint(1, LEVELS)
            with self._bus.lock:
                kept = self._firmware[address].press(level)
                if kept is not None:
                    key = key_of(address, kept.nonce, kept.sequence)
                    self._ledger.add(Press(key, "wire", self._counters[address], level))

    def _listen(self, direction: Direction, data: bytes) -> None:
        """An ear on the line: a press is written when a panel has told it."""
        if direction == "to_panel":
            self._heard_bytes += len(data)
            return
        for frame, _ in self._parser.feed(data):
            try:
                head = read_status(frame).head if frame.type == STATUS else None
            except FrameError:
                continue
            if head is not None:
                self._ledger.written(key_of(frame.address, head.nonce, head.sequence))


def device_id(address: int) -> str:
    """The device's id in the site file."""
    return f"panel-{address}"


def key_of(address: int, nonce: int, sequence: int) -> str:
    """The key under which the node keeps a panel's press."""
    return f"{device_id(address)}/{nonce:08x}/{sequence}"
