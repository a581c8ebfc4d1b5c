"""The real `nucuoi run` as a process, and the questions that a test asks it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from support.workers import until

START_DEADLINE_S = 30.0
STOP_DEADLINE_S = 30.0
SITE = "mo-phong"  # of config/default.toml


class NodeEnded(AssertionError):
    """The node ended before it was ready."""


class Node:
    """One `nucuoi run` on free ports. `log` is what it wrote to stderr."""

    def __init__(self, folder: Path, *options: str, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._log_file = folder.parent / f"{folder.name}.log"
        command = [sys.executable, "-m", "firmware_py", "run", "--data", str(folder)]
        if "--port" not in options:
            command += ["--port", "0"]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("NUCUOI_", "STATE_"))}
        with self._log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**inherited, **(environment or {})},
                start_new_session=True,
            )
        self.url = ""

    @property
    def log(self) -> str:
        return self._log_file.read_text()

    def wait_ready(self) -> None:
        """Its first line on stdout says where it is."""
        assert self.process.stdout is not None
        give_up = threading.Timer(START_DEADLINE_S, self.process.kill)
        give_up.start()
        try:
            line = self.process.stdout.readline()
        finally:
            give_up.cancel()
        if not line.startswith("ready http://"):
            self.process.wait(STOP_DEADLINE_S)
            raise NodeEnded(f"exit {self.process.returncode}, said {line!r}; its log:\n{self.log}")
        self.url = line.split()[1]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """One request to the local API: status and JSON."""
        return ask(self.url, method, path, body, **headers)

    def rate(self, level: int, counter: str = "1", key: str | None = None) -> tuple[int, Any]:
        """A press over HTTP."""
        key = key or uuid.uuid4().hex
        return self.ask("POST", "/api/v1/ratings", {"counter": counter, "level": level}, **{"Idempotency-Key": key})

    def press(self, device: str, level: int) -> None:
        """A finger on a simulated panel."""
        status, answer = self.ask("POST", f"/api/v1/simulate/devices/{device}/press", {"button": level, "hold_s": 0.08})
        assert status == 200, answer

    def city(self, state: str) -> None:
        """Break or mend the path to the embedded city."""
        status, answer = self.ask("POST", "/api/v1/simulate/city", {"state": state})
        assert status == 200, answer

    def outbox(self) -> Any:
        status, answer = self.ask("GET", "/api/v1/outbox")
        assert status == 200, answer
        return answer

    def check(self, name: str) -> dict[str, Any]:
        """One of the health page's checks."""
        _, answer = self.ask("GET", "/api/v1/health")
        return next(check for check in answer["checks"] if check["name"] == name)

    def all_sent(self) -> None:
        """Wait until the city has accepted everything."""
        until(lambda: self.outbox()["pending"] == 0, "the outbox is empty")

    def children(self) -> list[int]:
        """The processes that it started itself."""
        pid = self.process.pid
        found: list[int] = []
        for task in Path(f"/proc/{pid}/task").iterdir():
            try:
                found += map(int, (task / "children").read_text().split())
            except (FileNotFoundError, ProcessLookupError):
                continue  # this thread ended while we looked
        return found

    def kill(self) -> None:
        """As the kernel, or a power switch, would: only this process, without a word."""
        self.process.kill()
        self.process.wait(STOP_DEADLINE_S)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_DEADLINE_S)

    def end(self) -> None:
        """Whatever happened: it is gone afterwards."""
        if self.process.poll() is None:
            self.kill()
        if self.process.stdout is not None:
            self.process.stdout.close()


@contextmanager
def running_node(folder: Path, *options: str, environment: Mapping[str, str] | None = None) -> Iterator[Node]:
    """A node that takes presses, until the block ends."""
    node = Node(folder, *options, environment=environment)
    try:
        node.wait_ready()
        yield node
    finally:
        node.end()


def ask(url: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """One request: status and JSON."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        sent = None if body is None else json.dumps(body).encode()
        connection.request(method, path, sent, ({"Content-Type": "application/json"} if sent else {}) | headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def scoreboard(city_url: str) -> dict[str, Any]:
    """What the city counts for the simulated site; empty before it heard of it."""
    status, answer = ask(city_url, "GET", f"/v1/scoreboard?site={SITE}&simulated=true")
    assert status == 200, answer
    return dict(answer["sites"][0]["ratings"]) if answer["sites"] else {}


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie that nobody reaps has)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return status.rpartition(")")[2].split()[0] in ("Z", "X")
