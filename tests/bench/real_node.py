"""A node as a process of its own, started and asked as the hall's machines do it: exec and HTTP."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

DEADLINE_S = 60.0
LOOK_EVERY_S = 0.005
EVENT_STREAM = "/api/v1/events"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class NodeProcess:
    """`nucuoi run` in `data`, with the simulated centre; ended by SIGTERM. `program`: what Python runs in place of `nucuoi`."""

    def __init__(self, data: Path, program: Sequence[str] = ("-m", "firmware_py")) -> None:
        self.port = free_port()
        self.city_port = free_port()
        self.began_s = time.perf_counter()
        self.began_uptime_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        command = [sys.executable, *program, "run", "--data", str(data)]
        command += ["--port", str(self.port), "--receiver-port", str(self.city_port)]
        self.log = data.with_suffix(".log")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self._connections: dict[int, http.client.HTTPConnection] = {}

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._connections.values():
            connection.close()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def first_press_s(self) -> float:
        """Seconds from exec until a press over HTTP was kept."""
        while True:
            try:
                self.press()
            except OSError:
                self._wait_a_little("the first press")
            else:
                return time.perf_counter() - self.began_s

    def press(self, counter: str = "1", level: int = 5) -> None:
        """One rating by HTTP; a RuntimeError if it was not kept."""
        body = json.dumps({"counter": counter, "level": level})
        headers = {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
        status, answer = self.ask("POST", "/api/v1/ratings", body=body, headers=headers)
        if status != 201:
            raise RuntimeError(f"a press was answered {status}: {answer!r}")

    def press_s(self) -> float:
        """Seconds of one rating by HTTP, until its answer after COMMIT."""
        began = time.perf_counter()
        self.press()
        return time.perf_counter() - began

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: str | None = None,
        headers: dict[str, str] | None = None,
        city: bool = False,
    ) -> tuple[int, bytes]:
        """One request to the node, or to its embedded city, over a connection that is kept."""
        port = self.city_port if city else self.port
        connection = self._connections.get(port)
        if connection is None:
            connection = self._connections[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            self._connections.pop(port, None)
            raise

    def get_s(self, path: str, *, city: bool = False) -> float:
        """Seconds of one GET that is answered 200."""
        began = time.perf_counter()
        status, answer = self.ask("GET", path, city=city)
        lasted_s = time.perf_counter() - began
        if status != 200:
            raise RuntimeError(f"{path} was answered {status}: {answer[:200]!r}")
        return lasted_s

    def stream_s(self, *, last_id: str | None, events: int) -> tuple[float, str]:
        """Seconds from connecting to the live stream until that many events came, and the last one's id."""
        resume = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        request = f"GET {EVENT_STREAM} HTTP/1.1\r\nHost: localhost\r\n{resume}\r\n".encode()
        asked_s = time.perf_counter()
        while True:
            began = time.perf_counter()
            text = self._stream(request, events)
            lasted_s = time.perf_counter() - began
            if text.startswith("HTTP/1.1 200 "):
                ids = [line[4:] for line in text.splitlines() if line.startswith("id: ")]
                return lasted_s, ids[-1]
            if not text.startswith("HTTP/1.1 503 "):
                raise RuntimeError(f"the stream was answered {text[:300]!r}")
            self._wait_a_little("a free place for a listener", since_s=asked_s)  # those that left are noticed soon

    def _stream(self, request: bytes, events: int) -> str:
        """The stream's text up to that many events; a refusal's up to its headers."""
        text = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S) as connection:
            connection.sendall(request)
            while text.count(b"\ndata: ") < events:
                part = connection.recv(65536)
                if not part:
                    raise RuntimeError(f"the stream ended: {text[-300:]!r}")
                text += part
                if b"\r\n\r\n" in text and not text.startswith(b"HTTP/1.1 200 "):
                    break
        return text.decode()

    def first_scrape_s(self) -> float:
        """Seconds until /metrics has all that was counted in the past."""
        began = time.perf_counter()
        while b"nucuoi_totals_complete 1.0" not in self.ask("GET", "/metrics")[1]:
            self._wait_a_little("the totals", since_s=began)
        return time.perf_counter() - began

    def newest_cursor(self) -> str:
        """Where a puller stands that has everything, after pulling all of it."""
        cursor, more = "", True
        while more:
            page = self._json(f"/api/v1/buckets?limit=1000&after={cursor}")
            cursor, more = page["next"], page["more"]
        return str(cursor)

    def city_n(self) -> int:
        """How many ratings the city's scoreboard has of this node, all time."""
        status, answer = self.ask("GET", "/v1/scoreboard?simulated=true", city=True)
        if status != 200:
            raise RuntimeError(f"the scoreboard was answered {status}: {answer[:200]!r}")
        return int(json.loads(answer)["sites"][0]["ratings"]["n"])

    def wait_all_accepted(self) -> float:
        """Seconds until the city has everything that the node has."""
        began = time.perf_counter()
        while True:
            figures = self._json("/api/v1/outbox")
            if figures["pending"] == 0 and figures["last_accepted_at"] is not None:
                return time.perf_counter() - began
            self._wait_a_little("the city", since_s=began, deadline_s=300)

    def _json(self, path: str) -> Any:
        status, answer = self.ask("GET", path)
        if status != 200:
            raise RuntimeError(f"{path} was answered {status}: {answer[:200]!r}")
        return json.loads(answer)

    def _wait_a_little(self, what: str, *, since_s: float | None = None, deadline_s: float = DEADLINE_S) -> None:
        waited_s = time.perf_counter() - (self.began_s if since_s is None else since_s)
        if self._process.poll() is not None or waited_s > deadline_s:
            raise RuntimeError(
                f"{what} did not come in {waited_s:.0f} s; the node's words: {self.log.read_text()[-2000:]}"
            )
        time.sleep(LOOK_EVERY_S)

    def processor_s(self) -> float:
        """Seconds of a processor that the node took until now, in steps of a clock tick (10 ms)."""
        return processor_s(self.pid)

    def memory_bytes(self) -> dict[str, int]:
        """Resident and proportional set size."""
        return memory_bytes(self.pid)


def processor_s(pid: int) -> float:
    """Seconds of a processor that a process took until now, in steps of a clock tick (10 ms)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_bytes(pid: int) -> dict[str, int]:
    """`rss` and `pss` of a process: what it holds, and its share of it where pages are shared."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    figures = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
    return {"rss": figures["Rss"], "pss": figures["Pss"]}


def bare_interpreter_bytes() -> dict[str, int]:
    """The memory of a Python that waits and has imported nothing."""
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ)) as idle:
        assert idle.stdout is not None
        idle.stdout.readline()
        figures = memory_bytes(idle.pid)
        idle.communicate(b"\n")
    return figures
