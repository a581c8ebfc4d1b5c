"""A node in memory, behind the same port as the real one: what the local API's tests talk to.

It is a fake of our own port (firmware_py.core.ports.NodePort), so the API's tests need neither disk nor hardware and can
make the journal refuse, hang or hold two million events.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from pydantic import SecretStr

from config.settings import Settings
from firmware_py.core.bus import Bus
from firmware_py.core.clock import Clock, SystemClock
from firmware_py.core.contracts import Accepted, Command, GiveRating, Outcome, Rejection
from firmware_py.core.errors import JournalRefusing, WireError
from firmware_py.core.events import Event
from firmware_py.core.health import CheckResult, Status
from firmware_py.core.ports import BucketPage, DeviceStatus, OutboxFigures, SeriesTotal


def settings(mode: str = "simulation", **api: Any) -> Settings:
    """A small site; production where the test says so."""
    return Settings.model_validate(
        {
            "site": {
                "id": "phuong-thu",
                "name": "Trung tâm thử",
                "mode": mode,
                "opening": [{"days": ["mon"], "spans": ["07:30-11:30"]}],
            },
            "city": {"url": "embedded" if mode == "simulation" else "https://city.example"},
            "clock": {"trust": ["host"] if mode == "simulation" else ["network"]},
            "api": {"port": 0, **api},
            "counter": [{"id": "1", "name": "Quầy 1 - Hộ tịch"}],
        }
    )


def event(seq: int, kind: str = "node.tick", data: Mapping[str, Any] | None = None) -> Event:
    """An event as the journal would have committed it."""
    return Event(
        seq=seq,
        id=f"id-{seq}",
        type=kind,
        source="test",
        time="2026-11-23T01:02:03.456Z",
        boot_id="b",
        uptime_s=1.0,
        clock_trusted=True,
        epoch="e" * 8,
        simulated=True,
        purpose="normal",
        data=data or {},
        hash="h",
    )


class FakeJournal:
    """Keeps events in a list; `fails` and `hangs` are how a test breaks it."""

    def __init__(self, head: int = 0, keep: int = 4096) -> None:
        self.id = "j0urnal"
        self.epoch = "e" * 8
        self.bus = Bus(head, keep)
        self.stored: list[Event] = []
        self.commands: list[Command] = []
        self.answers: dict[str, tuple[Command, Accepted]] = {}
        self.fails: Exception | None = None
        self.hangs = False
        self.disk_reads = 0
        self.sums: list[SeriesTotal] | None = []
        self._waiting: list[Future[Outcome]] = []
        self._lock = threading.Lock()

    def submit(self, command: Command) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        if self.hangs:
            self._waiting.append(future)
            return future
        if self.fails is not None:
            future.set_exception(self.fails)
            return future
        with self._lock:
            future.set_result(self._decide(command))
        return future

    def release(self) -> None:
        """End the hanging: what waited, and what is still to come, is refused."""
        self.hangs, self.fails = False, JournalRefusing("đã thả")
        for future in self._waiting:
            future.set_exception(self.fails)

    def _decide(self, command: Command) -> Outcome:
        assert isinstance(command, GiveRating)
        assert command.key is not None
        if command.key in self.answers:
            first, answer = self.answers[command.key]
            if first != command:
                return Rejection("key_reused", "Khóa này đã dùng cho một lượt khác.")
            return Accepted(answer.result, duplicate=True)
        if command.counter != "1":
            return Rejection("unknown_counter", "Không có quầy này.")
        if not 1 <= command.level <= 5:
            return Rejection("unknown_level", "Thang đo không có mức này.")
        self.commands.append(command)
        given = event(self.bus.head + 1, "rating.given", {"counter": "1", "level": command.level, "outcome": "counted"})
        self.publish(given)
        answer = Accepted({"id": given.id, "outcome": "counted", "reason": None, "level": command.level}, (given,))
        self.answers[command.key] = (command, answer)
        return answer

    def publish(self, *events: Event) -> None:
        self.stored.extend(events)
        self.bus.publish(events)

    def events_after(self, seq: int, limit: int) -> list[Event]:
        self.disk_reads += 1
        return [one for one in self.stored if one.seq > seq][:limit]

    def chain_head(self) -> str:
        return "h"

    def totals(self, within_s: float) -> Sequence[SeriesTotal] | None:
        return self.sums

    def snapshot(self) -> Any:
        raise NotImplementedError

    def run(self, job: Callable[..., Any]) -> Future[Any]:
        raise NotImplementedError

    def reader(self) -> FakeReader:
        return FakeReader()


class FakeReader:
    """A journal without a single bucket."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return []

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        return None


class FakeWire:
    """The far end of a panel with five buttons; `let_go` keeps long presses held until a test releases them."""

    def __init__(self) -> None:
        self.plugged = True
        self.presses: list[tuple[int, int, float]] = []
        self.let_go = threading.Event()
        self.let_go.set()
        self.holding = threading.Semaphore(0)

    def press(self, button: int, *, bounces: int = 0, hold_s: float = 0.1) -> None:
        if not self.plugged:
            raise WireError("Bảng nút đang bị rút dây.")
        if button not in range(1, 6):
            raise WireError(f"Bảng này không có nút {button}.")
        if hold_s > 1:
            self.holding.release()
            self.let_go.wait(10)
        self.presses.append((button, bounces, hold_s))

    def unplug(self) -> None:
        self.plugged = False

    def plug(self) -> None:
        self.plugged = True

    def snapshot(self) -> Mapping[str, Any]:
        return {
            "plugged": self.plugged,
            "lights": {"ready": self.plugged, "thanks": False},
            "buttons": dict.fromkeys(range(1, 6), False),
            "frames": [
                {"uptime_s": 2.5, "direction": "to_panel", "text": ":0101", "times": 1},
                {"uptime_s": 2.6, "direction": "to_node", "text": ":8101", "times": 9},
            ],
        }


class FakeDevices:
    """One panel on a simulated wire, one on a real wire that is not there."""

    def __init__(self) -> None:
        self.wire = FakeWire()
        self.more: dict[str, FakeWire] = {}  # panels of which nothing but the wire matters

    def statuses(self) -> Sequence[DeviceStatus]:
        away = not self.wire.plugged
        return (
            DeviceStatus(
                "panel-1",
                "rating_panel_serial",
                "1",
                "simulated",
                simulated=True,
                available=not away,
                reason="Bảng nút bị rút dây, hãy cắm lại." if away else "",
                light="unavailable" if away else "ready",
                since="2026-11-23T01:00:00.000Z",
            ),
            DeviceStatus(
                "panel-2",
                "rating_panel_gpio",
                "1",
                "gpio",
                simulated=False,
                available=False,
                reason="Không có chân GPIO trên máy này.",
                light="unavailable",
            ),
        )

    def simulated(self, device_id: str) -> FakeWire | None:
        return self.wire if device_id == "panel-1" else self.more.get(device_id)

    def thank(self, device_id: str, until_uptime_s: float) -> bool:
        return False

    def set_accepting(self, *, accepting: bool) -> None: ...

    def self_tests(self) -> Sequence[CheckResult]:
        return ()

    def workers(self) -> Sequence[Any]:
        return ()

    def open(self) -> None: ...

    def close(self) -> None: ...


class FakeCity:
    """The line to the embedded city."""

    state = "up"

    def set(self, state: str) -> None:
        self.state = state


class FakeNode:
    """The whole port."""

    def __init__(self, given: Settings | None = None) -> None:
        self.settings = given or settings()
        self.version = "0.0-test"
        self.pull_token: SecretStr | None = None
        self.clock: Clock = SystemClock()
        self.journal = FakeJournal()
        self.devices = FakeDevices()
        self.city_faults: FakeCity | None = FakeCity() if self.settings.site.mode == "simulation" else None
        self.city_url = "http://127.0.0.1:9"  # the discard port: nobody there
        self.checks: list[CheckResult] = [CheckResult("journal", Status.PASS, "Ghi sổ bình thường", {"events": 3})]
        self.not_ready: str | None = None
        self.figures = OutboxFigures(pending=0, oldest_age_s=None, last_accepted_at=None, rejected=0)
        self.page = BucketPage([], "here", more=False)
        self.asked: list[tuple[str, int]] = []
        self.bucket_trouble: Exception | None = None

    def health(self) -> Sequence[CheckResult]:
        return self.checks

    def ready(self) -> str | None:
        return self.not_ready

    def outbox(self) -> OutboxFigures:
        return self.figures

    def buckets(self, after: str, limit: int) -> BucketPage:
        self.asked.append((after, limit))
        if self.bucket_trouble is not None:
            raise self.bucket_trouble
        return self.page
