"""Cities for tests: the real receiver on a real socket, and servers that answer whatever a test wants."""

from __future__ import annotations

import gzip
import http.client
import json
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from firmware_py.core.clock import Clock
from firmware_py.core.journal.writer import Journal
from firmware_py.core.worker import Life
from sync.agent import SyncAgent
from sync.city_client import CityClient
from sync.receiver.app import create_app
from sync.receiver.credentials import add_node
from sync.receiver.opening import open_engine
from sync.receiver.server import address, listen

DEADLINE_S = 20.0
SITE, NODE, TOKEN = "ward-1", "hub", "token-of-ward-1-hub"
EPOCH = "abcdef0123456789"


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class City:
    """A receiver that listens."""

    url: str
    engine: Engine
    token: str = TOKEN

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=DEADLINE_S)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def get(self, path: str, token: str | None = None) -> Answer:
        return self.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})

    def send(self, *buckets: Mapping[str, Any], token: str = TOKEN, node: str = NODE, **changes: Any) -> Answer:
        """POST a batch of these buckets."""
        document = batch(*buckets) | {"node": node} | changes
        headers = {"Authorization": f"Bearer {token}", "Content-Encoding": "gzip"}
        return self.request("POST", f"/v1/nodes/{node}/buckets", gzip.compress(json.dumps(document).encode()), headers)

    def outcomes(self, *buckets: Mapping[str, Any]) -> list[tuple[str, int | None, str | None]]:
        """What became of each bucket, in order."""
        answer = self.send(*buckets)
        assert answer.status == 200, answer.body
        results = answer.json["results"]
        assert [result["index"] for result in results] == list(range(len(buckets)))
        return [(result["outcome"], result["revision"], result["code"]) for result in results]

    def ratings(self, site: str = SITE, query: str = "") -> dict[str, Any]:
        """A site's ratings on the scoreboard."""
        answer = self.get(f"/v1/scoreboard?site={site}{query}")
        assert answer.status == 200, answer.body
        [line] = answer.json["sites"]
        return line["ratings"]


def bucket(count: int = 1, level: int = 5, revision: int = 1, **changes: Any) -> dict[str, Any]:
    """A well-formed bucket of ratings."""
    return {
        "epoch": EPOCH,
        "series": "ratings",
        "labels": {"counter": "1", "level": str(level)},
        "hour": "2026-11-20T01:00:00Z",
        "revision": revision,
        "definition": 1,
        "final": False,
        "partial": False,
        "simulated": False,
        "value": {"count": count},
    } | changes


def batch(*buckets: Mapping[str, Any]) -> dict[str, Any]:
    """A well-formed batch."""
    return {
        "schema": 1,
        "site": SITE,
        "node": NODE,
        "batch": f"batch-{random.getrandbits(64):016x}",
        "chain_head": "00ff00ff00ff",
        "buckets": list(buckets),
    }


@contextmanager
def running_city(
    place: Path | str,
    *,
    open_on_loopback: bool = True,
    now: Callable[[], datetime] | None = None,
    name: str = "city.db",
) -> Iterator[City]:
    """The real receiver, with one registered node, on a real port. `place`: a folder for SQLite's file, or an address."""
    engine = open_engine(place if isinstance(place, str) else f"sqlite:///{place / name}")
    add_node(engine, SITE, NODE, TOKEN)
    more = {} if now is None else {"now": now}
    server = listen(create_app(engine, open_on_loopback=open_on_loopback, **more), "127.0.0.1", 0)
    stopping = threading.Event()

    def run() -> None:
        while not stopping.is_set():
            server.asyncore.loop(timeout=0.5, map=server._map, count=1)

    thread = threading.Thread(target=run, name="receiver under test")
    thread.start()
    try:
        yield City(address(server), engine)
    finally:
        stopping.set()
        server.pull_trigger()
        thread.join(DEADLINE_S)
        server.task_dispatcher.shutdown()
        server.asyncore.close_all(server._map)
        engine.dispose()


@dataclass
class Request:
    """One request as a scripted city saw it."""

    head: bytes
    body: bytes

    @property
    def batch(self) -> Any:
        return json.loads(gzip.decompress(self.body))

    def accept_all(self) -> bytes:
        """The answer of a city that takes everything."""
        buckets = self.batch["buckets"]
        results = [
            {"index": index, "outcome": "accepted", "revision": item["revision"], "code": None}
            for index, item in enumerate(buckets)
        ]
        return http_answer(200, {"batch": self.batch["batch"], "store": "store-1", "results": results})


Script = Callable[[Request, socket.socket], bytes | None]


def http_answer(status: int, body: Any = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """An HTTP/1.1 answer as bytes; what is not bytes becomes JSON."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(text)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + text


@dataclass
class ScriptedCity:
    """A server that answers by a script: bytes to send, or None to close without a word."""

    url: str
    script: Script
    requests: list[Request] = field(default_factory=list)


@contextmanager
def scripted_city(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedCity]:
    """One connection at a time, one request each."""
    listener = socket.create_server(("127.0.0.1", 0))
    scheme = "https" if tls else "http"
    city = ScriptedCity(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", script)
    stopping = threading.Event()

    def run() -> None:
        while True:
            connection, _ = listener.accept()
            with connection, ExitStack() as stack:
                if stopping.is_set():
                    return
                connection.settimeout(DEADLINE_S)
                try:
                    spoken = stack.enter_context(tls.wrap_socket(connection, server_side=True)) if tls else connection
                    request = _read_request(spoken)
                    city.requests.append(request)
                    answer = city.script(request, spoken)
                    if answer is not None:
                        spoken.sendall(answer)
                except OSError:
                    continue

    thread = threading.Thread(target=run, name="scripted city")
    thread.start()
    try:
        yield city
    finally:
        stopping.set()
        socket.create_connection(listener.getsockname()).close()
        thread.join(DEADLINE_S)
        listener.close()


def _read_request(connection: socket.socket) -> Request:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += _more(connection)
    return Request(head, body)


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionResetError("the client left")
    return data


def client_of(url: str, *, read_timeout_s: float = 5.0, ca_file: str | None = None, token: str = TOKEN) -> CityClient:
    """A client of the test node."""
    return CityClient(
        url, token, site=SITE, node=NODE, connect_timeout_s=2.0, read_timeout_s=read_timeout_s, ca_file=ca_file
    )


@contextmanager
def running_agent(
    journal: Journal, clock: Clock, url: str, *, max_buckets: int = 500, **options: Any
) -> Iterator[SyncAgent]:
    """The real agent in a thread, looking every 20 ms."""
    settings: dict[str, Any] = {"send_every_s": 0.02, "retry_max_s": 0.05} | options
    agent = SyncAgent(journal, clock, client_of(url), randomness=random.Random(1), **settings)
    agent._max_buckets = max_buckets
    life = Life()
    died: list[BaseException] = []

    def run() -> None:
        try:
            agent.run(life)
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            died.append(error)

    thread = threading.Thread(target=run, name="agent under test")
    thread.start()
    try:
        yield agent
    finally:
        life.stopping.set()
        agent.wake()
        thread.join(DEADLINE_S)
        assert not thread.is_alive(), "the agent does not stop"
    assert not died, f"the agent died: {died[0]!r}"


def eventually(is_so: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Wait for a condition, as long as it takes and no longer than a deadline."""
    until = time.monotonic() + deadline_s
    while not is_so():
        assert time.monotonic() < until, f"not within {deadline_s} s: {what}"
        time.sleep(0.005)
