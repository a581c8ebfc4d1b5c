"""The supervisor: the only place that starts threads, and the judge of whether the node still lives.

A worker that raises is run again after a full-jitter backoff; after repeated failures it is shown as failed, tried ever
more rarely, and the others go on. A worker without a beat within its deadline is hung and named. Required workers are
those without which no press can be taken: only they count for the watchdog.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from firmware_py.core.health import CheckResult, Status
from firmware_py.core.worker import Life, Worker

log = logging.getLogger(__name__)
FAILED_AFTER = 5  # failures in a row
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 60.0
LIVED_WELL_S = 60.0  # a run this long forgives the failures before it


def full_jitter_s(failures: int) -> float:
    """How long to wait after so many failures in a row: anything up to a bound that doubles, and has a cap."""
    return random.uniform(0, min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(failures, 10)))


class WorkerState(Enum):
    """How a worker is."""

    RUNNING = "running"
    BACKOFF = "backoff"
    FAILED = "failed"
    HUNG = "hung"
    STOPPED = "stopped"


_IN_WORDS = {
    WorkerState.BACKOFF: "đang thử lại",
    WorkerState.FAILED: "bị lỗi nhiều lần",
    WorkerState.HUNG: "bị treo",
    WorkerState.STOPPED: "đã dừng",
}


@dataclass(slots=True)
class _Slot:
    worker: Worker
    required: bool
    restart: bool
    life: Life = field(default_factory=Life)
    thread: threading.Thread | None = None
    state: WorkerState = WorkerState.STOPPED
    failures: int = 0
    error: str = ""
    beats_seen: int = -1
    beat_at_s: float = 0.0


class Supervisor:
    """Runs workers; `uptime_s` is the clock for beats, `backoff_s` the wait after so many failures in a row."""

    def __init__(
        self,
        uptime_s: Callable[[], float],
        on_fatal: Callable[[str], None],
        backoff_s: Callable[[int], float] = full_jitter_s,
    ) -> None:
        self._uptime_s = uptime_s
        self._on_fatal = on_fatal
        self._backoff_s = backoff_s
        self._slots: list[_Slot] = []
        self._starting = threading.Lock()
        self._stopping = False

    def start(self, worker: Worker, *, required: bool = False, restart: bool = True) -> None:
        """Give a worker its thread. `restart=False`: its end before the stop is fatal for the process."""
        slot = _Slot(worker, required, restart, beat_at_s=self._uptime_s())
        with self._starting:
            if self._stopping:
                return  # somebody was late: nothing begins while the node stops
            self._slots.append(slot)
        slot.thread = threading.Thread(target=self._live, args=(slot,), name=worker.name, daemon=True)
        slot.state = WorkerState.RUNNING
        slot.thread.start()

    def _live(self, slot: _Slot) -> None:
        while not slot.life.stopping.is_set():
            started_s = self._uptime_s()
            slot.state = WorkerState.RUNNING
            try:
                slot.worker.run(slot.life)
                if slot.restart and not slot.life.stopping.is_set():
                    raise RuntimeError("the worker returned before it was told to stop")  # noqa: TRY301
            except Exception as error:
                slot.error = repr(error)
                if self._uptime_s() - started_s > LIVED_WELL_S:
                    slot.failures = 0
                slot.failures += 1
                if slot.failures == 1 and not slot.life.stopping.is_set():
                    log.exception("worker %s failed", slot.worker.name)
            if not slot.restart or slot.life.stopping.is_set():
                break
            self._back_off(slot)
        slot.state = WorkerState.STOPPED
        if not slot.restart and not slot.life.stopping.is_set():
            self._on_fatal(f"{slot.worker.name}: {slot.error or 'ended'}")

    def _back_off(self, slot: _Slot) -> None:
        if slot.failures >= FAILED_AFTER:
            if slot.state is not WorkerState.FAILED and slot.failures == FAILED_AFTER:
                log.error("worker %s failed %d times, last: %s", slot.worker.name, slot.failures, slot.error)
            slot.state = WorkerState.FAILED
        else:
            slot.state = WorkerState.BACKOFF
        slot.life.wait(self._backoff_s(slot.failures))
        slot.life.beat()  # the wait may have been longer than the deadline: it is no sign of hanging

    def look(self) -> None:
        """Notice beats; to be called every second or so."""
        now_s = self._uptime_s()
        for slot in self._slots:
            if slot.life.beats != slot.beats_seen:
                slot.beats_seen, slot.beat_at_s = slot.life.beats, now_s
                if slot.state is WorkerState.HUNG:
                    log.warning("worker %s moves again", slot.worker.name)
                    slot.state = WorkerState.RUNNING
            elif slot.state is WorkerState.RUNNING and now_s - slot.beat_at_s > slot.worker.deadline_s:
                log.error("worker %s has not moved for %.0f s", slot.worker.name, now_s - slot.beat_at_s)
                slot.state = WorkerState.HUNG

    def alive(self) -> bool:
        """Whether every required worker runs: what the systemd watchdog is fed by."""
        return all(slot.state is WorkerState.RUNNING for slot in self._slots if slot.required)

    def hung(self) -> list[str]:
        """The names of the workers that do not move: a thread cannot be ended from outside, only its process can."""
        return [slot.worker.name for slot in self._slots if slot.state is WorkerState.HUNG]

    def states(self) -> dict[str, WorkerState]:
        """Each worker's state by its name."""
        return {slot.worker.name: slot.state for slot in self._slots}

    def check(self) -> CheckResult:
        """A required worker that does not run is a FAIL, another one in trouble a WARN."""
        bad = [slot for slot in self._slots if slot.state is not WorkerState.RUNNING]
        if not bad:
            return CheckResult("workers", Status.PASS, f"{len(self._slots)} bộ phận đang chạy")
        status = Status.FAIL if any(slot.required for slot in bad) else Status.WARN
        text = "; ".join(f"{slot.worker.name} {_IN_WORDS[slot.state]}" for slot in bad)
        errors = {slot.worker.name: slot.error for slot in bad if slot.error}
        return CheckResult("workers", status, f"Bộ phận không chạy: {text}", {**errors})

    def stop(self, names: Sequence[str] | None = None, join_s: float = 10.0) -> list[str]:
        """Set all stop flags first, then join each; returns the names of those that did not end in time."""
        with self._starting:
            self._stopping = True
        slots = [slot for slot in self._slots if names is None or slot.worker.name in names]
        for slot in slots:
            slot.life.stopping.set()
        for slot in slots:
            try:
                slot.worker.wake()
            except Exception:
                log.exception("worker %s could not be woken; the others are stopped all the same", slot.worker.name)
        late: list[str] = []
        for slot in reversed(slots):
            if slot.thread is not None and slot.thread is not threading.current_thread():
                slot.thread.join(join_s)
                if slot.thread.is_alive():
                    late.append(slot.worker.name)
        if late:
            log.warning("did not stop in %.0f s: %s", join_s, ", ".join(late))
        return late
