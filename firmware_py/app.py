"""The composition root: one function reads as the start order, another as its reverse.

Order matters for the hall: the journal first (without it nobody may be thanked), then the devices, then the path to the city,
and Flask last, since importing it takes longer than everything before it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from config.opening import OpeningHours
from config.secrets import Secrets
from config.settings import Settings
from devices.kinds import kinds
from devices.rack import DeviceRack
from firmware_py.city_link import CityLink
from firmware_py.core import watchdog
from firmware_py.core.clock import Clock, SystemClock
from firmware_py.core.contracts import RATING_GIVEN, StartNode, StopNode
from firmware_py.core.errors import JournalError
from firmware_py.core.events import Event
from firmware_py.core.health import Check, CheckResult, Status, run_check
from firmware_py.core.journal.writer import Journal, WriterWorker
from firmware_py.core.ports import BucketPage, CityFaults, DeviceContext, Feature, OutboxFigures
from firmware_py.core.reactors import Reactor, ReactorWorker
from firmware_py.core.trust import TrustWorker
from firmware_py.core.worker import Worker
from firmware_py.features.ratings.feature import Ratings
from firmware_py.features.timekeeping import Timekeeping
from firmware_py.folder import FolderLock
from firmware_py.supervisor import Supervisor
from firmware_py.ticker import Ticker
from firmware_py.watch import Watch
from sync import outbox
from sync.pull import read_page

if TYPE_CHECKING:
    from local_api.server import HttpServer

log = logging.getLogger(__name__)
THANKS_EXPIRY_S = 2.0  # later than this after the press nobody stands there any more
LONGEST_THANKS_S = 60.0  # each panel's own `thanks_s` is shorter
WRITER_DEADLINE_S = 10.0
LOOK_EVERY_S = 0.5


def node_features(settings: Settings, calendar: OpeningHours) -> list[Feature]:
    """All features in the order in which they decide and apply: the clock places a boot before its ratings are placed."""
    counters = frozenset(counter.id for counter in settings.counters)
    return [Timekeeping(calendar), Ratings(settings.ratings, counters, calendar)]


class NodeApp:
    """A running node (`ports.NodePort`)."""

    def __init__(self, settings: Settings, data_dir: Path, *, receiver_port: int, secrets: Secrets) -> None:
        self.settings = settings
        self.pull_token = secrets.pull_token
        self.version = version("nucuoi")
        self._data_dir = data_dir
        self._simulation = settings.site.mode == "simulation"
        self._stopping = threading.Event()
        self._why_stopping: str | None = None
        self._lock = FolderLock(data_dir)
        self._clock = SystemClock()
        self.calendar = OpeningHours(settings.site)
        self.journal = Journal(data_dir, self._clock, node_features(settings, self.calendar))
        self.supervisor = Supervisor(self._clock.uptime_s, self._fatal)
        self._trust = TrustWorker(self._clock, self.journal, settings.clock.trust, simulated=self._simulation)
        self.devices = DeviceRack(
            settings.devices, DeviceContext(self._clock, self.journal.submit, simulation=self._simulation), kinds()
        )
        self._city = CityLink(
            settings, data_dir, self.supervisor, self._clock, receiver_port=receiver_port, token=secrets.city_token
        )
        self._http: HttpServer | None = None

    @property
    def clock(self) -> Clock:
        """The node's clock."""
        return self._clock

    @property
    def city_url(self) -> str:
        """Where the scoreboard can be read."""
        return self._city.scoreboard_url

    @property
    def city_faults(self) -> CityFaults | None:
        """The simulated troubles of the path to the embedded city."""
        return self._city.faults

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
        self.journal.submit(StartNode(source="node", version=self.version, simulated=self._simulation)).result(
            WRITER_DEADLINE_S
        )
        self._trust.look()
        self._open_devices()
        self._city.start(self.journal, self._trust)
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

    def buckets(self, after: str, limit: int) -> BucketPage:
        """What changed after a puller's place."""
        return read_page(self.journal, after, limit)

    def health(self) -> Sequence[CheckResult]:
        """All checks, each within its deadline."""
        checks = [
            Check("journal", self._check_journal),
            Check("clock", self._trust.check),
            Check("workers", self.supervisor.check),
            Check("sync", self._city.check),
        ]
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
        watch = Watch(self.supervisor, self.journal, self.devices, self._clock, self.calendar)
        while not self._stopping.wait(LOOK_EVERY_S):
            restart_for = watch.look()
            if restart_for is not None:
                self._fatal(restart_for)
        log.info("stopping: %s", self._why_stopping)
        return self.journal.broken is None and not self.supervisor.hung()

    def stop(self) -> None:
        """The start in reverse. What was handed in is committed before the journal closes. Idempotent."""
        watchdog.notify("STOPPING=1")
        self.devices.set_accepting(accepting=False)
        last = [name for name in self.supervisor.states() if name == "journal" or name.startswith("reactor-")]
        self.supervisor.stop([name for name in self.supervisor.states() if name not in last])
        self.devices.close()
        self._city.close()
        try:
            self.journal.submit(StopNode(source="node", simulated=self._simulation)).result(WRITER_DEADLINE_S)
        except (JournalError, TimeoutError) as error:
            log.warning("the stop could not be recorded: %s", error)
        self.supervisor.stop(
            last, WRITER_DEADLINE_S
        )  # told to stop before the journal closes: its end is no failure then
        self.journal.close()  # where the writer never came to run
        self.journal.close_readers()
        self._lock.release()
