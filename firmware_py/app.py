"""The composition root: one function reads as the start order, another as its reverse.

Order matters for the hall: the journal first (without it nobody may be thanked), then the devices, then the path to the city,
and Flask last, since importing it takes longer than everything before it.
"""

from __future__ import annotations

import logging
import secrets
import socket
import threading
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from config.opening import OpeningHours
from config.rules import EMBEDDED_CITY
from config.settings import Settings
from devices.kinds import kinds
from devices.rack import DeviceRack
from firmware_py.core import watchdog
from firmware_py.core.clock import Clock, SystemClock
from firmware_py.core.contracts import RATING_GIVEN, StartNode, StopNode
from firmware_py.core.errors import JournalError
from firmware_py.core.events import Event
from firmware_py.core.health import Check, CheckResult, Status, run_check
from firmware_py.core.journal.writer import Journal, WriterWorker
from firmware_py.core.ports import DeviceContext, Feature, OutboxFigures
from firmware_py.core.reactors import Reactor, ReactorWorker
from firmware_py.core.trust import TrustWorker
from firmware_py.core.worker import Worker
from firmware_py.embedded_city import EmbeddedCity
from firmware_py.features.ratings.feature import Ratings
from firmware_py.features.timekeeping import Timekeeping
from firmware_py.folder import FolderLock
from firmware_py.supervisor import Supervisor
from firmware_py.ticker import Ticker
from sync import outbox
from sync.agent import SyncAgent
from sync.city_client import CityClient
from sync.faulty_path import FaultyPath

if TYPE_CHECKING:
    from local_api.server import HttpServer

log = logging.getLogger(__name__)
THANKS_EXPIRY_S = 2.0  # later than this after the press nobody stands there any more
LONGEST_THANKS_S = 60.0  # each panel's own `thanks_s` is shorter
WRITER_STOP_S = 10.0
LOOK_EVERY_S = 0.5
PROBE_EVERY_S = 5.0


def node_features(settings: Settings, calendar: OpeningHours) -> list[Feature]:
    """All features in the order in which they decide and apply: the clock places a boot before its ratings are placed."""
    counters = frozenset(counter.id for counter in settings.counters)
    return [Timekeeping(calendar), Ratings(settings.ratings, counters, calendar)]


class NodeApp:
    """A running node (`ports.NodePort`)."""

    def __init__(self, settings: Settings, data_dir: Path, *, receiver_port: int, city_token: str | None) -> None:
        self.settings = settings
        self.version = version("nucuoi")
        self._data_dir = data_dir
        self._token = city_token
        self._simulation = settings.site.mode == "simulation"
        self._stopping = threading.Event()
        self._why_stopping: str | None = None
        self._accepting = True
        self._probed_s = 0.0
        self._feed_s = watchdog.interval_s()
        self._fed_s = 0.0
        self._lock = FolderLock(data_dir)
        self._clock = SystemClock()
        self.calendar = OpeningHours(settings.site)
        self.journal = Journal(data_dir, self._clock, node_features(settings, self.calendar))
        self.supervisor = Supervisor(self._clock.uptime_s, self._fatal)
        self._trust = TrustWorker(self._clock, self.journal, settings.clock.trust, simulated=self._simulation)
        self.devices = DeviceRack(
            settings.devices, DeviceContext(self._clock, self.journal.submit, simulation=self._simulation), kinds()
        )
        self._embedded: EmbeddedCity | None = None
        self.city_faults: FaultyPath | None = None
        if settings.city.url == EMBEDDED_CITY:
            self._token = self._token or secrets.token_urlsafe(24)
            receiver_port = receiver_port or free_port()
            self._embedded = EmbeddedCity(
                data_dir,
                receiver_port,
                site=settings.site.id,
                node=settings.node.id,
                token=self._token,
                when_ready=self._start_agent,
            )
            self.city_faults = FaultyPath(self._embedded.url, self._clock.uptime_s)
        self._agent: SyncAgent | None = None
        self._http: HttpServer | None = None

    @property
    def clock(self) -> Clock:
        """The node's clock."""
        return self._clock

    @property
    def city_url(self) -> str:
        """Where the scoreboard can be read."""
        return self._embedded.url if self._embedded else self.settings.city.url

    @property
    def url(self) -> str:
        """Where the local API answers."""
        return self._http.url if self._http else ""

    def start(self) -> None:
        """Start everything, in this order. Missing hardware is a state, not an error.

        Raises:
            JournalError: the journal cannot be written.
            OSError: the port is taken.
        """
        self.supervisor.start(WriterWorker(self.journal), required=True, restart=False)
        self.journal.submit(StartNode(source="node", version=self.version, simulated=self._simulation)).result()
        self._trust.look()
        self._open_devices()
        self._start_sync()
        self._start(
            self._trust,
            Ticker(self._clock, self.journal, self.calendar, simulated=self._simulation),
        )
        self._start_http()

    def _open_devices(self) -> None:
        thanks = Reactor("thanks", frozenset({RATING_GIVEN}), THANKS_EXPIRY_S, self._thank)
        reactor = ReactorWorker(thanks, self.journal, self._clock, simulated=self._simulation)
        self.journal.before_commit(reactor.save_cursor)
        self._start(reactor)
        self.devices.set_accepting(accepting=True)
        self.devices.open()
        self._start(*self.devices.workers())

    def _thank(self, event: Event) -> None:
        self.devices.thank(event.source, self._clock.uptime_s() + LONGEST_THANKS_S)

    def _start_sync(self) -> None:
        if self._token is None:
            return  # presses are kept; the health page says what is missing
        city = self.settings.city
        client = CityClient(
            self.city_faults.url if self.city_faults else city.url,
            self._token,
            site=self.settings.site.id,
            node=self.settings.node.id,
            connect_timeout_s=city.connect_timeout_s,
            read_timeout_s=city.read_timeout_s,
            ca_file=city.ca_file,
        )
        self._agent = SyncAgent(
            self.journal,
            self._clock,
            client,
            send_every_s=city.send_every_s,
            retry_max_s=city.retry_max_s,
            on_city_time=self._trust.city_says,
        )
        if self._embedded is not None and self.city_faults is not None:
            self._start(self._embedded, self.city_faults)
        else:
            self._start_agent()

    def _start_agent(self) -> None:
        """Once; an embedded city says when there is somebody to send to."""
        if self._agent is not None and self._agent.name not in self.supervisor.states():
            self._start(self._agent)

    def _start_http(self) -> None:
        from local_api.server import HttpServer  # noqa: PLC0415 - after the devices: importing Flask takes its time

        self._http = HttpServer(self, self._data_dir)
        self._http.bind()
        self.supervisor.start(self._http, required=True)

    def _start(self, *workers: Worker) -> None:
        for worker in workers:
            self.supervisor.start(worker)

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until presses are taken over HTTP."""
        return self._http is not None and self._http.wait_listening(timeout_s) and self.ready() is None

    def ready(self) -> str | None:
        """None when presses are taken; else why not."""
        return self.journal.refusing

    def outbox(self) -> OutboxFigures:
        """What the city has not accepted yet."""
        return outbox.figures(self.journal.reader(), self._clock.now().utc)

    def health(self) -> Sequence[CheckResult]:
        """All checks, each within its deadline."""
        checks = [
            Check("journal", self._check_journal),
            Check("clock", self._trust.check),
            Check("workers", self.supervisor.check),
        ]
        checks.append(Check("sync", self._agent.check if self._agent else _no_city_token))
        return [*(run_check(check) for check in checks), *self.devices.self_tests()]

    def _check_journal(self) -> CheckResult:
        refusing = self.journal.refusing
        if refusing:
            return CheckResult("journal", Status.FAIL, f"Không nhận được lượt đánh giá: {refusing}")
        return CheckResult("journal", Status.PASS, "Nhật ký đang ghi", {"head_seq": self.journal.bus.head})

    def request_stop(self, why: str) -> None:
        """Ask the main thread to stop the node; from any thread or signal handler."""
        self._why_stopping = self._why_stopping or why
        self._stopping.set()

    def _fatal(self, why: str) -> None:
        log.critical("the node must restart: %s", why)
        self.request_stop(why)

    def run_until_stopped(self) -> bool:
        """Watch over the workers until a stop is asked for; True if it was a clean one."""
        while not self._stopping.wait(LOOK_EVERY_S):
            self.supervisor.look()
            self._tell_panels()
            self._feed_watchdog()
            self._end_if_hung()
        log.info("stopping: %s", self._why_stopping)
        return self.journal.broken is None and not self.supervisor.hung()

    def _tell_panels(self) -> None:
        """Panels show "not available" while the journal refuses, and the journal is asked whether it still does."""
        accepting = self.journal.refusing is None
        if accepting != self._accepting:
            self._accepting = accepting
            self.devices.set_accepting(accepting=accepting)
        now_s = self._clock.uptime_s()
        if not accepting and now_s - self._probed_s >= PROBE_EVERY_S:
            self._probed_s = now_s
            self.journal.probe()

    def _feed_watchdog(self) -> None:
        now_s = self._clock.uptime_s()
        if self._feed_s is not None and now_s - self._fed_s >= self._feed_s and self.supervisor.alive():
            watchdog.notify("WATCHDOG=1")
            self._fed_s = now_s

    def _end_if_hung(self) -> None:
        """A hung thread can only be ended with its process: outside opening hours, so that nobody waits for it."""
        hung = self.supervisor.hung()
        now = self._clock.now()
        if hung and now.trusted and not self.calendar.is_open(now.utc):
            self._fatal(f"hung: {', '.join(hung)}")

    def stop(self) -> None:
        """The start in reverse. What was handed in is committed before the journal closes. Idempotent."""
        watchdog.notify("STOPPING=1")
        self.devices.set_accepting(accepting=False)
        last = [name for name in self.supervisor.states() if name == "journal" or name.startswith("reactor-")]
        self.supervisor.stop([name for name in self.supervisor.states() if name not in last])
        self.devices.close()
        if self.city_faults is not None:
            self.city_faults.close()
        try:
            self.journal.submit(StopNode(source="node", simulated=self._simulation)).result(WRITER_STOP_S)
        except (JournalError, TimeoutError) as error:
            log.warning("the stop could not be recorded: %s", error)
        self.supervisor.stop(last, WRITER_STOP_S)  # told to stop before the journal closes: its end is no failure then
        self.journal.close()  # where the writer never came to run
        self.journal.close_readers()
        self._lock.release()


def _no_city_token() -> CheckResult:
    return CheckResult(
        "sync",
        Status.FAIL,
        "Chưa có mã kết nối máy chủ thành phố (city_token): dữ liệu được giữ lại, chưa gửi được.",
    )


def free_port() -> int:
    """A loopback port that nobody uses now: for a simulated city that may listen anywhere."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
