"""GPIO pins of a Raspberry Pi, by gpiozero with a pin factory that is always passed explicitly.

Hard-won rules of the library that this module keeps:

- Its events run on lgpio's one notification thread, and one exception there silences every button of the node. Our
  callback puts the edge into a bounded queue and does nothing else; a worker takes it from there.
- Its default factory falls back from driver to driver, with a warning. There is no default here and no fallback.
- `Button` starts a polling thread per button for "held" events, and swallows an edge that repeats the state it believes
  in: after one lost edge it would swallow the next press. The bare `InputDevice` and its pin do neither.
- The kernel keeps sixteen edges per pin; a bouncing contact can lose the last. Every second the pins are read as well.
- Closing an input leaves lgpio's edge detection half alive, and the next input on that pin then never sees an edge:
  detection is switched off before closing.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from firmware_py.core.clock import Clock
from firmware_py.core.errors import WireError
from firmware_py.core.worker import Life, Worker

QUEUE_EDGES = 4096
LONGEST_WAIT_S = 1.0
LOOK_EVERY_S = 1.0
CHECK_THE_WIRING = "Hãy kiểm tra dây của thiết bị; nếu vẫn lỗi, hãy khởi động lại bộ điều khiển."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chip:
    """An opened pin factory, and the exceptions by which its driver says that hardware failed."""

    factory: Any
    errors: tuple[type[Exception], ...]


class EdgeListener(Protocol):
    """Who is told what its pins did, always on the wire's worker thread."""

    def edge(self, channel: int, uptime_s: float, *, pressed: bool) -> None:
        """An input changed at `uptime_s`."""
        ...

    def settle(self, uptime_s: float) -> float | None:
        """Do what is due by now; when to be called next if no edge comes (uptime), None if never."""
        ...


class Edge(NamedTuple):
    """What the callback puts into the queue."""

    listener: EdgeListener
    channel: int
    pressed: bool
    uptime_s: float


class GpioInput:
    """A contact between a pin and ground, with the Pi's own pull-up: closed is pressed."""

    def __init__(self, device: Any, chip: Chip, pin: int, moved: Callable[[bool], None]) -> None:
        self._device = device
        self._chip = chip
        self._pin = pin
        self._moved = moved
        device.pin.bounce = None
        device.pin.edges = "both"
        device.pin.when_changed = self._when_changed  # kept as a weak reference: the wire holds on to this object

    @property
    def pressed(self) -> bool:
        """Whether the contact is closed now.

        Raises:
            WireError: the pin cannot be read.
        """
        try:
            return bool(self._device.is_active)
        except self._chip.errors as error:
            raise WireError(f"Không đọc được chân GPIO {self._pin}. {CHECK_THE_WIRING}") from error

    def close(self) -> None:
        """Free the pin; idempotent. What fails now is found by whoever opens it next."""
        with contextlib.suppress(*self._chip.errors):
            if not self._device.closed:
                self._device.pin.when_changed = None
                self._device.close()

    def _when_changed(self, ticks: float, state: float) -> None:
        del ticks  # the driver's clock; ours is asked when the edge is put into the queue
        self._moved(not state)


class GpioOutput:
    """A pin that drives a light; off when opened."""

    def __init__(self, device: Any, chip: Chip, pin: int) -> None:
        self._device = device
        self._chip = chip
        self._pin = pin

    def set(self, *, on: bool) -> None:
        """Switch it.

        Raises:
            WireError: the pin cannot be driven.
        """
        try:
            self._device.value = on
        except self._chip.errors as error:
            raise WireError(f"Không điều khiển được chân GPIO {self._pin}. {CHECK_THE_WIRING}") from error

    def close(self) -> None:
        """Switch it off and free the pin; idempotent. What fails now is found by whoever opens it next."""
        if self._device.closed:
            return
        with contextlib.suppress(*self._chip.errors):
            self._device.off()
        # A light that cannot be switched off must still give its pin back.
        with contextlib.suppress(*self._chip.errors):
            self._device.close()


class GpioWire:
    """One GPIO chip with its worker: edges go to their listeners in order, and each listener when its time is due."""

    deadline_s = 10.0

    def __init__(self, name: str, clock: Clock, open_chip: Callable[[], Chip]) -> None:
        self.name = f"wire-{name}"
        self._clock = clock
        self._open_chip = open_chip
        self._chip: Chip | None = None
        self._lock = threading.RLock()  # opening and closing; edges need none
        self._queue: queue.Queue[Edge | None] = queue.Queue(QUEUE_EDGES)
        self._inputs: dict[tuple[EdgeListener, int], GpioInput] = {}
        self._edges_lost = threading.Event()
        self._next_look_s = 0.0
        self.lost_edges = 0
        self.resyncs = 0

    def open(self) -> None:
        """Open the chip; no effect when it is open.

        Raises:
            DeviceUnavailable: no library, no permission or no such hardware, with what to do.
        """
        with self._lock:
            if self._chip is None:
                self._chip = self._open_chip()

    def input(self, pin: int, listener: EdgeListener, channel: int) -> GpioInput:
        """A button's pin: from now on the listener is told of its edges as `channel`.

        Raises:
            WireError: the pin is taken, does not exist, or the driver failed.
        """
        import gpiozero  # noqa: PLC0415 - a quarter of a second on a desktop; only nodes with pins pay it

        chip = self._opened()
        with self._lock, _pin_errors(chip, pin):
            device = gpiozero.InputDevice(pin, pull_up=True, pin_factory=chip.factory)
            moved = functools.partial(self._put, listener, channel)
            found = self._inputs[listener, channel] = GpioInput(device, chip, pin, moved)
            return found

    def output(self, pin: int) -> GpioOutput:
        """A light's pin.

        Raises:
            WireError: the pin is taken, does not exist, or the driver failed.
        """
        import gpiozero  # noqa: PLC0415 - see input()

        chip = self._opened()
        with self._lock, _pin_errors(chip, pin):
            device = gpiozero.LED(pin, initial_value=False, pin_factory=chip.factory)
            return GpioOutput(device, chip, pin)

    def forget(self, listener: EdgeListener) -> None:
        """Close all inputs of a listener; it hears of no more edges."""
        with self._lock:
            for key in [key for key in self._inputs if key[0] is listener]:
                self._inputs.pop(key).close()

    def workers(self) -> Sequence[Worker]:
        """One thread for the whole chip."""
        return (self,)

    def close(self) -> None:
        """Close what devices left open, then the chip; idempotent."""
        with self._lock:
            chip, self._chip = self._chip, None
            for found in self._inputs.values():
                found.close()
            self._inputs.clear()
            if chip is None:
                return
            try:
                chip.factory.close()
            except chip.errors as error:
                # gpiozero keeps pins process-wide: a half-closed factory would hand dead pins to the next one.
                log.warning("closing %s: %r", self.name, error)
                chip.factory.pins.clear()
                with contextlib.suppress(*chip.errors):
                    chip.factory.close()  # without pins it closes the chip's own handle

    def run(self, life: Life) -> None:
        """Take edges from the queue to their listeners until told to stop."""
        due_s: float | None = None
        while not life.stopping.is_set():
            life.beat()
            due_s = self.step(LONGEST_WAIT_S if due_s is None else due_s - self._clock.uptime_s())

    def wake(self) -> None:
        """End a wait early; a full queue means that it does not wait."""
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)

    def step(self, timeout_s: float) -> float | None:
        """Wait for an edge, hand over all that are there, then settle; when the next thing is due (uptime)."""
        waiting = self._take(min(max(timeout_s, 0.0), LONGEST_WAIT_S))
        lost = self._edges_lost.is_set()
        self._edges_lost.clear()
        now_s = self._clock.uptime_s()  # before the last look into the queue: what is stamped earlier is settled first
        waiting += self._drain()
        for edge in waiting:
            if edge is not None and (edge.listener, edge.channel) in self._inputs:
                edge.listener.edge(edge.channel, edge.uptime_s, pressed=edge.pressed)
        if lost or now_s >= self._next_look_s:
            self._look(lost=lost)
        with self._lock:
            listeners = list(dict.fromkeys(listener for listener, _ in self._inputs))
        deadlines = [listener.settle(now_s) for listener in listeners]
        return min((at for at in deadlines if at is not None), default=None)

    def _take(self, timeout_s: float) -> list[Edge | None]:
        try:
            return [self._queue.get(timeout=timeout_s) if timeout_s > 0 else self._queue.get_nowait()]
        except queue.Empty:
            return []

    def _drain(self) -> list[Edge | None]:
        found: list[Edge | None] = []
        with contextlib.suppress(queue.Empty):
            for _ in range(QUEUE_EDGES):  # a screaming pin must not keep the others from being settled
                found.append(self._queue.get_nowait())  # noqa: PERF401 - what was taken before Empty is kept
        return found

    def _look(self, *, lost: bool) -> None:
        """Read the pins: what is down now is known although its edge was lost. A known state changes nothing."""
        self._next_look_s = self._clock.uptime_s() + LOOK_EVERY_S
        if lost:
            self.resyncs += 1
            log.warning("%s: %d edges lost so far: a contact is chattering; pins read anew", self.name, self.lost_edges)
        with self._lock:
            inputs = list(self._inputs.items())
        for (listener, channel), found in inputs:
            try:
                pressed = found.pressed
            except WireError as error:
                log.warning("%s: %s (%r)", self.name, error, error.__cause__)
            else:
                listener.edge(channel, self._clock.uptime_s(), pressed=pressed)

    def _put(self, listener: EdgeListener, channel: int, pressed: bool) -> None:
        try:
            self._queue.put_nowait(Edge(listener, channel, pressed, self._clock.uptime_s()))
        except Exception:  # noqa: BLE001 - the driver's one thread must survive: an exception silences every button
            self.lost_edges += 1
            self._edges_lost.set()

    def _opened(self) -> Chip:
        if self._chip is None:
            raise WireError("Chưa mở được GPIO của máy này")
        return self._chip


@contextlib.contextmanager
def _pin_errors(chip: Chip, pin: int) -> Any:
    try:
        yield
    except chip.errors as error:
        text = f"Không dùng được chân GPIO {pin}. Hãy xem chân này có bị thiết bị khác dùng không."
        raise WireError(text) from error
