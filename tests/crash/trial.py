"""One trial: a node that is killed again and again, people who go on pressing, and the reckoning in the end."""

from __future__ import annotations

import http.client
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from city import City
from compare import compare, read_journal
from kiosks import Kiosk, post
from node import READY_S, STOP_S, Centre, Node
from panels import Panels
from plan import Cycle, plan
from power import Disk
from presses import Ledger
from processes import ProcessTrouble
from report import Report

PANELS = {3: "1", 7: "2"}
KIOSK_COUNTERS = tuple(str(number) for number in range(3, 19))
KIOSKS = 3
FIRST_START_S = 1.5  # how long a start is thought to take before one was seen
NEXT_WRITE_S = 5.0
MOST_TRIES = 100
ON_ITS_WAY_S = 0.05  # an acknowledgement that has left the node is here long before
LAST_ANSWERS_S = 60.0
SENT_S = 60.0
REASKED = 50
LEAST_OUTSTANDING_RATIO = 0.3
NEVER = "9999"


@dataclass(frozen=True, slots=True)
class Cut:
    """One kill: when (by the civil clock that the node has too), and what was written and never acknowledged by it."""

    at: str
    outstanding: frozenset[str]


@dataclass(frozen=True, slots=True)
class Settings:
    """What to try. `shim` turns the power-loss model on; `synchronous` relaxes the node's, to show that the model bites."""

    name: str
    seed: int
    cycles: int
    shim: Path | None = None
    synchronous: str | None = None


class Trial:
    """The parts of one trial in `folder`; a context manager that leaves no process behind."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._started_s = time.monotonic()
        self._cuts: list[Cut] = []
        self._start_s = FIRST_START_S
        self.ledger = Ledger()
        self._city = City(folder)
        self._panels = Panels(PANELS, self.ledger, self._rng("panels"))
        self._disk = Disk(folder / "data", folder / "disk", settings.shim) if settings.shim else None
        self._folder = folder
        self._port = free_port(self._rng("port"))
        self._kiosks = [
            Kiosk(f"kiosk-{number}", self._port, KIOSK_COUNTERS, self.ledger, self._rng(f"kiosk {number}"))
            for number in range(KIOSKS)
        ]
        self._torn = self._rng("torn")
        self._spin = self._rng("spin")
        self._replays = 0
        self._node: Node | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for kiosk in self._kiosks:
            kiosk.leave()
        self._panels.close()
        if self._node is not None:
            self._node.end()
        self._city.close()

    def run(self, progress: Callable[[int], None]) -> Report:
        """All cycles, the end, and the reckoning. `progress` is told the number of each cycle that is done.

        Raises:
            ProcessTrouble: the node or the city did what nobody asked for.
        """
        self._city.start()
        centre = Centre(self._city.url, self._panels.path, PANELS, KIOSK_COUNTERS)
        environment = {"NUCUOI_CITY_TOKEN": self._city.token, **(self._disk.environment() if self._disk else {})}
        self._node = Node(self._folder, centre, self._port, environment, synchronous=self._settings.synchronous)
        self._panels.start()
        for kiosk in self._kiosks:
            kiosk.start()
        for cycle in plan(self._rng("plan"), self._settings.cycles):
            self._live_and_die(self._node, cycle)
            progress(cycle.number)
        return self._reckon(self._node, self._finish(self._node))

    def _live_and_die(self, node: Node, cycle: Cycle) -> None:
        node.start()
        started_s = time.monotonic()
        if cycle.moment == "starting":
            time.sleep(cycle.run_s * self._start_s)
        else:
            node.wait_ready(READY_S)
            self._start_s = time.monotonic() - started_s
            time.sleep(cycle.run_s)
        if cycle.moment == "acknowledging":
            self._freeze_unacknowledged(node)
        elif cycle.moment == "acknowledged" and not self.ledger.wait_next_acknowledged(NEXT_WRITE_S):
            raise ProcessTrouble(f"nothing was acknowledged for {NEXT_WRITE_S:g} s\n{node.log_tail()}")
        outstanding = self.ledger.outstanding()
        node.kill()
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if not self.ledger.wait_sockets_quiet(NEXT_WRITE_S):
            raise ProcessTrouble("a page still waits for the answer of a node that is dead")
        self._panels.drain()
        self._cuts.append(Cut(at, frozenset(key for key in outstanding if not self.ledger.is_acknowledged(key))))
        self.ledger.forget_written()
        if self._disk is not None:
            self._disk.cut(self._torn if cycle.torn else None)
        self._check_kiosks()

    def _freeze_unacknowledged(self, node: Node) -> None:
        """Freeze the node some time between a press's writing and its acknowledgement.

        An acknowledgement that was on its way when the node froze still arrives: then this was too late, and another
        press is tried.
        """
        for _ in range(MOST_TRIES):
            key = self.ledger.wait_written(NEXT_WRITE_S)
            if key is None:
                raise ProcessTrouble(f"no press reached the node for {NEXT_WRITE_S:g} s\n{node.log_tail()}")
            time.sleep(self._spin.uniform(0, self.ledger.usual_answer_s))
            if self.ledger.is_acknowledged(key):
                continue
            node.freeze()
            if not self.ledger.wait_acknowledged(key, ON_ITS_WAY_S):
                return
            node.thaw()

    def _finish(self, node: Node) -> list[str]:
        """The last life: everyone is answered, the city has everything, a clean stop. What was wrong with it."""
        trouble: list[str] = []
        node.start()
        node.wait_ready(READY_S)
        self._panels.rest()
        for kiosk in self._kiosks:
            kiosk.rest()
        for kiosk in self._kiosks:
            kiosk.join(LAST_ANSWERS_S)  # it ends when its last press is answered
        self._check_kiosks()
        if not self.ledger.wait_all_acknowledged(LAST_ANSWERS_S):
            trouble.append(f"not every press was acknowledged {LAST_ANSWERS_S:g} s after the last kill")
        self._replays = self.ledger.replays
        if self._settings.synchronous is None:
            self._reask()
        trouble.extend(self.ledger.contradictions)
        if not node.wait_sent(SENT_S):
            trouble.append(f"the outbox is not empty after {SENT_S:g} s: {node.pending()} buckets")
        code = node.stop(STOP_S)
        if code != 0:
            trouble.append(f"a clean stop ended with {code}")
        if self._disk is not None:
            self._disk.cut()  # what was acknowledged must outlive a cut after the stop, too
        said = node.verify()
        if said is not None:
            trouble.append(f"nucuoi journal verify: {said}")
        return trouble

    def _reask(self) -> None:
        """Whoever asks again much later gets the same answer, and nothing is counted."""
        http_presses = [press for press in self.ledger.presses() if press.via == "http"]
        rng = self._rng("reask")
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=READY_S)
        try:
            for press in rng.sample(http_presses, min(REASKED, len(http_presses))):
                post(connection, self.ledger, press)
        finally:
            connection.close()

    def _reckon(self, node: Node, trouble: list[str]) -> Report:
        journal = read_journal(node.data / "journal.db")
        presses, city = self.ledger.presses(), self._city.figures()
        decided = journal.times()
        outstanding = sum(bool(cut.outstanding) for cut in self._cuts)
        if outstanding < LEAST_OUTSTANDING_RATIO * len(self._cuts):
            trouble.append(f"only {outstanding} of {len(self._cuts)} kills came between write and acknowledgement")
        return Report(
            name=self._settings.name,
            biting=self._settings.synchronous is not None,
            kills=len(self._cuts),
            kills_outstanding=outstanding,
            kills_durable=sum(any(decided.get(key, NEVER) <= cut.at for key in cut.outstanding) for cut in self._cuts),
            presses_http=sum(press.via == "http" for press in presses),
            presses_wire=sum(press.via == "wire" for press in presses),
            repeated=self._replays,
            city=city,
            verdict=compare(presses, self.ledger.answers(), journal, city),
            trouble=trouble,
            syncs=self._disk.syncs if self._disk else 0,
            seconds=time.monotonic() - self._started_s,
        )

    def _check_kiosks(self) -> None:
        for kiosk in self._kiosks:
            if kiosk.failure is not None:
                raise kiosk.failure

    def _rng(self, what: str) -> random.Random:
        return random.Random(f"{self._settings.seed} {self._settings.name} {what}")


def free_port(rng: random.Random) -> int:
    """A port that nobody has now, below those that the kernel gives out: a node that is down must find it free again."""
    while True:
        port = rng.randint(20000, 29999)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
