"""Serving a node over real sockets, and asking it: shared by the local API's tests."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fake_node import FakeNode

from firmware_py.core.worker import Life
from local_api.server import HttpServer

DEADLINE_S = 10.0


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
class Served:
    """A node that answers on a real port."""

    node: FakeNode
    server: HttpServer
    life: Life

    def ask(self, method: str, path: str, body: bytes | Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request on its own connection; a body that is no bytes is sent as JSON."""
        given = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            given.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=DEADLINE_S)
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.ask("GET", path, headers=headers)

    def rate(self, body: Any, key: str | None = "k-1", **headers: str) -> Answer:
        """Give a rating."""
        return self.ask(
            "POST", "/api/v1/ratings", body, ({"Idempotency-Key": key} if key is not None else {}) | headers
        )

    def raw(self, request: bytes) -> bytes:
        """What answers to these very bytes, until the connection ends."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=DEADLINE_S) as connection:
            connection.sendall(request)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            return answer

    @contextlib.contextmanager
    def listen(self, path: str = "/api/v1/events", headers: Mapping[str, str] | None = None) -> Iterator[Stream]:
        """An open stream."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=DEADLINE_S)
        try:
            connection.request("GET", path, headers=dict(headers or {}))
            with connection.getresponse() as answer:
                yield Stream(answer)
        finally:
            connection.close()


class Stream:
    """Reads server-sent events one by one."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.answer = answer
        self.status = answer.status
        self.comments = 0

    def block(self) -> dict[str, str]:
        """The next block of fields; comments are counted, and an empty dict means the end."""
        fields: dict[str, str] = {}
        while line := self.answer.readline():
            text = line.decode().rstrip("\n")
            if text.startswith(":"):
                self.comments += 1
            elif text:
                name, _, value = text.partition(": ")
                fields[name] = value
            elif fields:
                return fields
        return fields

    def event(self) -> tuple[str, str | None, Any]:
        """The next event: its type, its id and its data."""
        while block := self.block():
            if "event" in block:
                return block["event"], block.get("id"), json.loads(block["data"])
        raise AssertionError("the stream ended")


@contextlib.contextmanager
def serving(node: FakeNode, data_dir: Path) -> Iterator[Served]:
    """`node` behind the real server until the context ends."""
    server, life = HttpServer(node, data_dir), Life()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            server.run(life)
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            failures.append(error)

    thread = threading.Thread(target=run, name="http under test")
    thread.start()
    try:
        if not server.wait_listening(DEADLINE_S):
            raise failures[0] if failures else AssertionError("the server does not listen")
        yield Served(node, server, life)
    finally:
        life.stopping.set()
        server.wake()
        thread.join(DEADLINE_S)
        assert not thread.is_alive(), "the server does not stop"
        assert not failures, failures


def until(condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Wait until `condition` holds; an AssertionError naming `what` if it never does."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.005)
