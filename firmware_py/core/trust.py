"""Whose word makes the clock believed, and the worker that listens for it.

`network`: the kernel says that a time service disciplines the clock (adjtimex). `hardware`: the kernel set the clock from a
battery clock at boot. `city`: an authenticated answer of the city's server carried its time. `host`: the computer's own clock,
believed unseen; the site file's checks allow that in simulation only.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock

from firmware_py.core.clock import SystemClock
from firmware_py.core.contracts import TrustClock
from firmware_py.core.health import CheckResult, Status
from firmware_py.core.ports import JournalPort
from firmware_py.core.worker import Life

log = logging.getLogger(__name__)
RTC_FOLDER = Path("/sys/class/rtc")
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
ADJTIMEX_BUFFER_BYTES = 512  # larger than struct timex of any 64-bit Linux
POLL_S = 2.0


def network_time_synchronised() -> bool:
    """Whether the kernel counts the clock as disciplined by a time service (adjtimex(2), read only)."""
    buffer = ctypes.create_string_buffer(ADJTIMEX_BUFFER_BYTES)  # modes = 0: change nothing
    state = int(ctypes.CDLL(None).adjtimex(buffer))
    return 0 <= state != TIME_ERROR


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
    """Listens for the first source that makes the clock believed; then says so to the journal, once."""

    name = "clock-trust"
    deadline_s = 30.0

    def __init__(self, clock: SystemClock, journal: JournalPort, sources: Sequence[str], *, simulated: bool) -> None:
        self._clock = clock
        self._journal = journal
        self._sources = sources
        self._simulated = simulated
        self._lock = Lock()

    def look(self) -> bool:
        """Ask the local sources once; True when the clock is trusted."""
        if "host" in self._sources:
            self._trust("host", 0.0)
        elif "network" in self._sources and network_time_synchronised():
            self._trust("network", 0.0)
        elif "hardware" in self._sources and set_from_hardware_clock():
            self._trust("hardware", 0.0)
        return self._clock.now().trusted

    def city_says(self, utc: datetime) -> None:
        """The city's time, from an authenticated answer; taken only while nobody else was believed."""
        if "city" in self._sources and not self._clock.now().trusted:
            self._trust("city", (utc - self._clock.now().utc).total_seconds())

    def _trust(self, origin: str, offset_s: float) -> None:
        with self._lock:
            if self._clock.now().trusted:
                return
            self._clock.trust(offset_s)
        log.info("the clock is trusted: %s (offset %.1f s)", origin, offset_s)
        self._journal.submit(TrustClock(source="clock", origin=origin, simulated=self._simulated))

    def run(self, life: Life) -> None:
        """Ask every two seconds until trusted; then there is nothing left to do but to live."""
        while not life.wait(POLL_S):
            if not self._clock.now().trusted:
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
            "Chưa biết giờ đúng: lượt đánh giá vẫn được giữ và sẽ được tính khi có giờ mạng.",
        )
