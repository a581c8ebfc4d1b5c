"""Whose word makes the clock believed, and the worker that listens for it.

`network`: the kernel says that a time service disciplines the clock (adjtimex). `hardware`: the kernel set the clock from a
battery clock at boot. `city`: an authenticated answer of the city's server carried its time. `host`: the computer's own clock,
believed unseen; the site file's checks allow that in simulation only.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from firmware_py.core.clock import SystemClock, parse_iso
from firmware_py.core.contracts import Outcome, TrustClock
from firmware_py.core.health import CheckResult, Status
from firmware_py.core.ports import JournalPort
from firmware_py.core.worker import Life

log = logging.getLogger(__name__)
RTC_FOLDER = Path("/sys/class/rtc")
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
ADJTIMEX_BUFFER_BYTES = 512  # larger than struct timex of any 64-bit Linux
POLL_S = 2.0
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)  # this program is not older


def kernel_clock_state() -> int:
    """What adjtimex(2) returns when it changes nothing: 0 to 4 for a disciplined clock, 5 for one that is not, -1 refused."""
    buffer = ctypes.create_string_buffer(ADJTIMEX_BUFFER_BYTES)  # modes = 0: read only
    return int(ctypes.CDLL(None).adjtimex(buffer))


def network_time_synchronised(kernel: Callable[[], int] = kernel_clock_state) -> bool:
    """Whether the kernel counts the clock as disciplined by a time service."""
    return 0 <= kernel() < TIME_ERROR


def set_from_hardware_clock(folder: Path = RTC_FOLDER) -> bool:
    """Whether the kernel set the clock from a real-time clock at boot (`hctosys` in /sys/class/rtc)."""
    for flag in folder.glob("rtc*/hctosys"):
        try:
            if flag.read_text().strip() == "1":
                return True
        except OSError:
            continue
    return False


class TrustWorker:
    """Listens for the first source that makes the clock believed; then says so to the journal, until it is written."""

    name = "clock-trust"
    deadline_s = 30.0

    def __init__(self, clock: SystemClock, journal: JournalPort, sources: Sequence[str], *, simulated: bool) -> None:
        self._clock = clock
        self._journal = journal
        self._sources = sources
        self._simulated = simulated
        self._lock = Lock()
        self._origin = ""
        self._told: Future[Outcome] | None = None

    def look(self) -> bool:
        """Ask the local sources once; True when the clock is trusted."""
        if "host" in self._sources:
            self._trust("host")
        elif "network" in self._sources and network_time_synchronised():
            self._trust("network")
        elif "hardware" in self._sources and set_from_hardware_clock() and self._plausible():
            self._trust("hardware")
        return self._clock.now().trusted

    def _plausible(self) -> bool:
        """A battery clock without its battery is "set" too: it must be past this program, and past what the journal knows."""
        now = self._clock.now().utc
        row = self._journal.reader().row("SELECT time FROM event WHERE clock_trusted = 1 ORDER BY seq DESC LIMIT 1")
        known = parse_iso(row[0]) if row else EARLIEST
        return now >= max(known, EARLIEST)

    def city_says(self, utc: datetime) -> None:
        """The city's time, from an authenticated answer; taken only while nobody else was believed."""
        if "city" in self._sources and not self._clock.now().trusted:
            self._trust("city", utc)

    def _trust(self, origin: str, utc: datetime | None = None) -> None:
        with self._lock:
            if self._clock.now().trusted:
                return
            before = self._clock.now().utc
            self._clock.trust(utc)
            self._origin = origin
        log.info("the clock is trusted: %s (%+.1f s)", origin, (self._clock.now().utc - before).total_seconds())
        self._tell()

    def _tell(self) -> None:
        self._told = self._journal.submit(TrustClock(source="clock", origin=self._origin, simulated=self._simulated))

    def _tell_again(self) -> None:
        """A full disk may have refused it, and without it nothing that waits is ever placed."""
        if self._told is not None and self._told.done() and self._told.exception() is not None:
            self._tell()

    def run(self, life: Life) -> None:
        """Ask every two seconds until trusted, and until that is written."""
        while not life.wait(POLL_S):
            if self._clock.now().trusted:
                self._tell_again()
            else:
                self.look()

    def wake(self) -> None:
        """Waits end with the stop flag."""

    def check(self) -> CheckResult:
        """Untrusted is a WARN: presses are kept and counted later."""
        if self._clock.now().trusted:
            return CheckResult("clock", Status.PASS, "Đồng hồ đúng giờ")
        return CheckResult(
            "clock",
            Status.WARN,
            "Chưa biết giờ đúng: lượt đánh giá vẫn được giữ và sẽ được tính khi biết giờ đúng.",
        )
