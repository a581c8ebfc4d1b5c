"""What 200 slow clients cost the others: the rating page and a press through the real nginx, with them and without, in turns.

And, to know what nginx is worth, the same clients at waitress itself.
"""

from __future__ import annotations

import http.client
import itertools
import json
import ssl
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from figures import Figure, percentile, value_at_most
from real_node import NodeProcess
from support.nginxes import PROGRAM, running_nginx

CLIENTS = 200
PAGES = ("/rate/1", "/")  # the first that there is
LARGE = "/static/look/charts/uPlot.iife.min.js"  # what slow readers read
EVERY_S = 0.05
SOURCES = [f"127.0.0.{number}" for number in range(11, 19)]  # of quick clients: none asks more often than it may
GIVE_UP_S = 2.0
DIRECT_ASKS = 10
HERE = Path(__file__).parent
AIM = value_at_most(200)


@dataclass
class Quick:
    """Clients with kept connections who want a page and give a press; what they wait for longer than GIVE_UP_S counts as that."""

    port: int
    certificate: Path | None
    page: str = ""
    pages: list[float] = field(default_factory=list)
    presses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._connections = {source: self._connection(source) for source in SOURCES}

    def _connection(self, source: str) -> http.client.HTTPConnection:
        if self.certificate is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=GIVE_UP_S, source_address=(source, 0))
        trust = ssl.create_default_context(cafile=str(self.certificate))
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=GIVE_UP_S, source_address=(source, 0), context=trust
        )

    def find_page(self) -> None:
        self.page = next(path for path in PAGES if self._ask(SOURCES[0], "GET", path)[0] != 404)

    def ask(self, times: int) -> None:
        """So many pages and presses, EVERY_S apart, each from the next source."""
        for _, source in zip(range(times), itertools.cycle(SOURCES), strict=False):
            next_s = time.monotonic() + EVERY_S
            status, lasted_s = self._ask(source, "GET", self.page)
            self.pages.append(lasted_s)
            if status not in {200, 302, 0}:
                raise RuntimeError(f"{self.page} was answered {status}")
            status, lasted_s = self._ask(source, "POST", "/api/v1/ratings", json.dumps({"counter": "2", "level": 5}))
            self.presses.append(lasted_s)
            if status not in {201, 0}:
                raise RuntimeError(f"a press was answered {status}")
            time.sleep(max(0.0, next_s - time.monotonic()))

    def _ask(self, source: str, method: str, path: str, body: str | None = None) -> tuple[int, float]:
        """Status (0: no answer came) and seconds."""
        connection = self._connections[source]
        headers = {"Host": "localhost"}
        if body is not None:
            headers |= {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
        began = time.perf_counter()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return 0, GIVE_UP_S
        return answer.status, time.perf_counter() - began

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()


def slow_figures(rounds: int, asks: int, tell: Callable[[str], None]) -> list[Figure]:
    """`rounds` of so many pages and presses, with slow clients and without, in turns."""
    if not PROGRAM.exists():
        raise RuntimeError("needs nginx: apt-get install nginx")
    with tempfile.TemporaryDirectory() as name, NodeProcess(Path(name) / "node") as node:
        node.first_press_s()
        with running_nginx(Path(name) / "nginx", node.port) as nginx:
            beside, alone = Quick(nginx.port, nginx.certificate), Quick(nginx.port, nginx.certificate)
            for quick in (beside, alone):
                quick.find_page()
                quick.ask(10)
                quick.pages.clear()
                quick.presses.clear()
            for _ in range(rounds):
                alone.ask(asks)
                with slow_clients(nginx.port, str(nginx.certificate), tell):
                    beside.ask(asks)
            for quick in (beside, alone):
                quick.close()
            tell(f"{rounds} times {asks} pages ({beside.page}) and presses, and as many beside {CLIENTS} slow clients")
        direct = Quick(node.port, None, beside.page)
        with slow_clients(node.port, "", tell):
            direct.ask(DIRECT_ASKS)
        direct.close()
        tell(f"{DIRECT_ASKS} of each at waitress itself")
    return [*_figures("page", beside.pages, alone.pages, direct.pages),
            *_figures("press", beside.presses, alone.presses, direct.presses)]  # fmt: skip


def _figures(what: str, beside: list[float], alone: list[float], direct: list[float]) -> list[Figure]:
    name, floor = f"{what} beside {CLIENTS} slow clients", "nobody else"

    def row(label: str, taken: list[float], share: float, aim: bool) -> Figure:
        return Figure(
            label, percentile(taken, share) * 1000, percentile(alone, share) * 1000, floor, "ms", AIM if aim else None
        )

    return [
        row(f"{name}, p50", beside, 0.5, aim=False),
        row(f"{name}, p95", beside, 0.95, aim=True),
        row(f"the same without nginx, {what}, p50", direct, 0.5, aim=False),
    ]


@contextmanager
def slow_clients(port: int, certificate: str, tell: Callable[[str], None]) -> Iterator[None]:
    """All of them are there until the block ends."""
    command = [sys.executable, str(HERE / "slow_clients.py"), str(port), str(CLIENTS), LARGE, certificate]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            if process.stdout.readline() != "ready\n":
                raise RuntimeError("the slow clients did not come")
            yield
        finally:
            last, _ = process.communicate("\n")
        tell(f"slow clients: {last.strip()}")
