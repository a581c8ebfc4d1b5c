"""A serial line (RS-485) shared by several stations: one thread owns the port and asks each station in turn.

Unplugged adapters, garbage, halves of frames and silent stations are normal life here: nothing of it raises, each is
told to the station it concerns, and the line goes on with the next.
"""

from __future__ import annotations

import contextlib
import logging
import select
import termios
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from devices.panel_frames import Frame, FrameParser
from firmware_py.core.clock import Clock
from firmware_py.core.worker import Life, Worker

if TYPE_CHECKING:
    import serial

LONGEST_WAIT_S = 1.0
REOPEN_FIRST_S = 0.25
REOPEN_LONGEST_S = 5.0
BITS_PER_BYTE = 10  # 8N1: a start bit, eight, a stop bit
LARGEST_ANSWER_BYTES = 64

#: What pyserial and the kernel raise when a port fails; SerialException is an OSError, termios has its own.
PORT_ERRORS = (OSError, termios.error)

log = logging.getLogger(__name__)


class Station(Protocol):
    """One address on a line. All calls come from the line's worker."""

    @property
    def address(self) -> int:
        """1..247."""
        ...

    @property
    def next_poll_s(self) -> float:
        """The uptime at which it wants to be asked."""
        ...

    def request(self, now_s: float) -> Frame:
        """The question to ask now."""
        ...

    def answered(self, frame: Frame, now_s: float) -> bool:
        """Its address answered; False if that was no answer to the question."""
        ...

    def missed(self, now_s: float) -> None:
        """It did not answer in time."""
        ...

    def line_lost(self, reason: str) -> None:
        """The line failed; why and what to do, in Vietnamese."""
        ...


class SerialLine:
    """One port with its worker. `find_port` is asked at each opening: an adapter may come back elsewhere."""

    deadline_s = 30.0

    def __init__(
        self, name: str, clock: Clock, find_port: Callable[[], str], *, baud: int, answer_timeout_s: float
    ) -> None:
        self.name = f"wire-{name}"
        self._clock = clock
        self._find_port = find_port
        self._baud = baud
        self._answer_timeout_s = answer_timeout_s
        self._stations: tuple[Station, ...] = ()
        self._port: serial.Serial | None = None
        self._port_lock = threading.RLock()  # opening, closing and every exchange
        self._wanted = threading.Event()
        self._reopen_s = REOPEN_FIRST_S
        self._next_open_s = 0.0
        self._lost_because = ""
        self._parser = FrameParser()
        self.exchanges = 0
        self.strangers = 0  # intact frames of an address that was not asked

    @property
    def damaged(self) -> int:
        """Frames that arrived broken."""
        return self._parser.damaged

    @property
    def is_open(self) -> bool:
        """Whether the port is open."""
        return self._port is not None

    def attach(self, station: Station) -> None:
        """From now on it is asked in its turn."""
        with self._port_lock:
            if station not in self._stations:
                self._stations = (*self._stations, station)
            if self._port is None:
                self._try_open()
        self.wake()

    def detach(self, station: Station) -> None:
        """It is asked no more; the last one closes the port."""
        with self._port_lock:
            self._stations = tuple(other for other in self._stations if other is not station)
            if not self._stations:
                self._close_port()

    def workers(self) -> Sequence[Worker]:
        """One thread for the line."""
        return (self,)

    def close(self) -> None:
        """Close the port; idempotent."""
        with self._port_lock:
            self._stations = ()
            self._close_port()

    def run(self, life: Life) -> None:
        """Ask the stations until told to stop."""
        while not life.stopping.is_set():
            life.beat()
            self.step()

    def wake(self) -> None:
        """End a wait early."""
        self._wanted.set()

    def step(self) -> None:
        """Wait until something is due (at most a second), then do one thing: open the port, or ask one station."""
        self._wanted.clear()
        stations = self._stations
        now_s = self._clock.uptime_s()
        if not stations:
            self._wanted.wait(LONGEST_WAIT_S)
            return
        station = min(stations, key=lambda one: one.next_poll_s)
        due_s = station.next_poll_s if self.is_open else self._next_open_s
        if due_s > now_s:
            self._wanted.wait(min(due_s - now_s, LONGEST_WAIT_S))
            return
        with self._port_lock:
            if self._port is None:
                self._try_open()
            elif station in self._stations:
                self._ask(self._port, station)

    def _ask(self, port: serial.Serial, station: Station) -> None:
        request = station.request(self._clock.uptime_s()).encode()
        on_the_line_s = (len(request) + LARGEST_ANSWER_BYTES) * BITS_PER_BYTE / self._baud
        deadline_s = self._clock.uptime_s() + on_the_line_s + self._answer_timeout_s
        self.exchanges += 1
        try:
            port.write(request)
            while (left_s := deadline_s - self._clock.uptime_s()) > 0:
                if self._is_answered(station, _read(port, left_s)):
                    self._reopen_s = REOPEN_FIRST_S
                    return
        except PORT_ERRORS as error:
            self._lose("Mất kết nối với bộ chuyển đổi RS-485. Hãy kiểm tra và cắm lại cáp USB của nó.", error)
            return
        station.missed(self._clock.uptime_s())

    def _is_answered(self, station: Station, data: bytes) -> bool:
        answered = False
        for frame, _ in self._parser.feed(data):
            if frame.address == station.address and not answered:
                answered = station.answered(frame, self._clock.uptime_s())
            else:
                self.strangers += 1  # too late, or two stations with one address
        return answered

    def _try_open(self) -> None:
        import serial  # noqa: PLC0415 - only nodes with a serial wire pay for it

        path = self._find_port()
        try:
            port = serial.Serial(path, self._baud, exclusive=True, timeout=0, write_timeout=LONGEST_WAIT_S)
            port.reset_input_buffer()
        except PORT_ERRORS as error:
            self._lose(_why_not(path, error), error)
            return
        log.info("%s: opened %s", self.name, path)
        self._port = port
        self._lost_because = ""
        self._parser = FrameParser(self._parser.damaged, self._parser.noise_bytes)

    def _lose(self, reason: str, error: Exception) -> None:
        if reason != self._lost_because:  # not again at each attempt
            log.warning("%s: %s (%r)", self.name, reason, error)
            self._lost_because = reason
        self._close_port()
        self._next_open_s = self._clock.uptime_s() + self._reopen_s
        self._reopen_s = min(self._reopen_s * 2, REOPEN_LONGEST_S)
        for station in self._stations:
            station.line_lost(reason)

    def _close_port(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            with contextlib.suppress(*PORT_ERRORS):
                port.close()


def _read(port: serial.Serial, timeout_s: float) -> bytes:
    """What has arrived, as soon as anything has; nothing after `timeout_s`.

    `Serial.timeout` is left alone: setting it configures the port anew each time.
    """
    arrival = select.poll()
    arrival.register(port.fileno(), select.POLLIN)
    if not arrival.poll(timeout_s * 1000):
        return b""
    return port.read(max(1, port.in_waiting))


def _why_not(path: str, error: Exception) -> str:
    code = getattr(error, "errno", None) or (error.args[0] if error.args else None)
    match code:
        case 2 | 6 | 19:
            todo = "không có thiết bị này. Hãy kiểm tra bộ chuyển đổi RS-485 và cáp USB."
        case 13:
            todo = "không có quyền. Hãy thêm người dùng của chương trình vào nhóm dialout."
        case 11 | 16:
            todo = "chương trình khác đang dùng cổng này. Hãy tắt chương trình đó."
        case _:
            todo = "cổng này không dùng được. Hãy kiểm tra đường dẫn của cổng nối tiếp trong tệp cấu hình."
    return f"Không mở được {path}: {todo}"
