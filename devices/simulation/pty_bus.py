"""An RS-485 line with panels on it, as a pseudo-terminal: the node's own pyserial opens its other side."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import tty
from collections.abc import Callable, Iterable
from typing import Literal

from devices.simulation.panel_firmware import PanelFirmware
from firmware_py.core.worker import Life

Direction = Literal["to_panel", "to_node"]
Noise = Callable[[Direction, bytes], bytes]
CHUNK_BYTES = 4096
UNPLUGGED_PATH = "/dev/nucuoi-unplugged"


class PtyBus:
    """Panels on a line. Somebody must keep stepping it: `step`, or `run` as a worker.

    Other threads touch the panels only while holding `lock`. `noise` may change what goes over the line in either
    direction: drop it, break it, say it twice.
    """

    deadline_s = 10.0

    def __init__(self, panels: Iterable[PanelFirmware] = (), name: str = "pty", noise: Noise | None = None) -> None:
        self.name = f"simulated-{name}"
        self.lock = threading.RLock()
        self.noise = noise
        self.listeners: list[Callable[[Direction, bytes], None]] = []
        self._panels = list(panels)
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._ends: tuple[int, int] | None = None  # our side and the node's, while the adapter is plugged
        self._closed = False
        self.plug_adapter()

    @property
    def path(self) -> str:
        """The device path for the node's side now; one that does not exist while the adapter is unplugged."""
        with self.lock:
            return UNPLUGGED_PATH if self._ends is None else os.ttyname(self._ends[1])

    def add(self, panel: PanelFirmware) -> None:
        """Connect another panel."""
        with self.lock:
            self._panels.append(panel)

    def plug_adapter(self) -> None:
        """Put the USB adapter back: a new device, perhaps under another path."""
        with self.lock:
            if self._ends is None and not self._closed:
                self._ends = os.openpty()
                tty.setraw(self._ends[1])
                os.set_blocking(self._ends[0], False)
        self.wake()

    def unplug_adapter(self) -> None:
        """Pull the USB adapter: the node's open port fails at its next use."""
        with self.lock:
            for descriptor in self._ends or ():
                os.close(descriptor)
            self._ends = None
        self.wake()

    def inject(self, data: bytes) -> None:
        """Put bytes on the line towards the node that no panel sent."""
        with self.lock:
            self._write(data)

    def step(self, timeout_s: float) -> None:
        """Wait for bytes from the node at most `timeout_s`, let the panels hear them, send their answers."""
        with self.lock:
            if self._closed:
                return
            watched = [self._wake_read, *(self._ends or ())[:1]]
        try:
            ready, _, _ = select.select(watched, [], [], timeout_s)
        except (OSError, ValueError):
            return  # the adapter was pulled while waiting
        with self.lock:
            if not self._closed and self._wake_read in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_read, CHUNK_BYTES)
            if self._ends is not None and self._ends[0] in ready:
                with contextlib.suppress(OSError):  # pulled and put back meanwhile
                    self._hear(os.read(self._ends[0], CHUNK_BYTES))

    def run(self, life: Life) -> None:
        """As a worker: step until told to stop."""
        while not life.stopping.is_set():
            life.beat()
            if self._closed:
                life.wait(1.0)
            else:
                self.step(1.0)

    def wake(self) -> None:
        """End a wait early."""
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b"!")

    def close(self) -> None:
        """Take the line down; idempotent."""
        with self.lock:
            if self._closed:
                return
            self._closed = True
            self.unplug_adapter()
            os.close(self._wake_read)
            os.close(self._wake_write)

    def _hear(self, data: bytes) -> None:
        data = self.noise("to_panel", data) if self.noise else data
        self._tell("to_panel", data)
        for panel in self._panels:
            answer = panel.receive(data)
            if answer:
                self._answer(panel, answer)

    def _answer(self, speaker: PanelFirmware, answer: bytes) -> None:
        answer = self.noise("to_node", answer) if self.noise else answer
        self._write(answer)
        for other in self._panels:
            if other is not speaker:
                other.receive(answer)  # a bus: everybody hears it

    def _write(self, data: bytes) -> None:
        self._tell("to_node", data)
        if self._ends is not None:
            with contextlib.suppress(BlockingIOError):  # nobody reads: on a real line the bytes are gone too
                os.write(self._ends[0], data)

    def _tell(self, direction: Direction, data: bytes) -> None:
        for listener in self.listeners:
            listener(direction, data)
