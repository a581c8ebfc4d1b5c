"""COMMIT to client: an event on the live stream of 32 listeners, against a bare waitress that streams to as many.

The node has a morning behind it: what its bus remembers is full. Both servers run and hold their listeners all the time, and are given events in turns, one at a time. Server and listeners are
processes of their own; their clock is the machine's.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from figures import Figure, median, percentile, ratio_at_most
from real_node import DEADLINE_S, EVENT_STREAM, NodeProcess, free_port, processor_s

LISTENERS = 32  # as many as the node has places
EVERY_S = 0.05
MORNING = 4200  # presses before: more than the bus remembers
WARM_UP = 20
HERE = Path(__file__).parent
ID = re.compile(rb"id: [^\n]*:(\d+)\n")
AIM = ratio_at_most(2)


@dataclass(slots=True)
class Listener:
    """One open stream, and what it has not heard to the end."""

    connection: socket.socket
    rest: bytes = b""
    last: int = 0


@dataclass
class Hearing:
    """All listeners of one server; `heard` has what came when: (seq, nanoseconds)."""

    pid: int
    trigger: Callable[[], None]
    notes: Path
    listeners: list[Listener] = field(default_factory=list)
    heard: list[tuple[int, int]] = field(default_factory=list)
    asking: socket.socket | None = None  # the connection of the trigger, where it has answers
    worked_s: list[float] = field(default_factory=list)  # of a processor, for each event
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def listen(self, port: int, path: str) -> None:
        """Open all streams, and wait for the first words of each."""
        for _ in range(LISTENERS):
            connection = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            first = connection.recv(65536)
            if not first.startswith(b"HTTP/1.1 200 "):
                raise RuntimeError(f"the stream was answered {first[:300]!r}")
            connection.setblocking(False)
            listener = Listener(connection)
            self.listeners.append(listener)
            self.selector.register(connection, selectors.EVENT_READ, listener)
        if self.asking is not None:
            self.selector.register(self.asking, selectors.EVENT_READ, None)
        self.drain(time.monotonic() + 0.5)

    def give(self, events: int) -> list[float]:
        """So many events, EVERY_S apart; the seconds from being published to being heard, of each at each listener."""
        self.heard.clear()
        began_s = processor_s(self.pid)
        for _ in range(events):
            next_s = time.monotonic() + EVERY_S
            before = [listener.last for listener in self.listeners]
            self.trigger()
            deadline_s = next_s + DEADLINE_S
            while any(listener.last <= seen for listener, seen in zip(self.listeners, before, strict=True)):
                if time.monotonic() > deadline_s:
                    raise RuntimeError("an event did not reach every listener")
                self._hear(1.0)
            self.drain(next_s)
        self.worked_s.append((processor_s(self.pid) - began_s) / events)
        published = dict(_numbers(self.notes))
        lasted = [(at_ns - published[seq]) / 1e9 for seq, at_ns in self.heard]
        if len(lasted) < events * LISTENERS:
            raise RuntimeError(f"{len(lasted)} events were heard, {events} by {LISTENERS} were to be")
        return lasted

    def drain(self, until_s: float) -> None:
        """Hear whatever comes until then."""
        while (left_s := until_s - time.monotonic()) > 0:
            self._hear(left_s)

    def _hear(self, timeout_s: float) -> None:
        for key, _ in self.selector.select(timeout_s):
            part = key.fileobj.recv(65536)  # type: ignore[union-attr]
            at_ns = time.monotonic_ns()
            if not part:
                raise RuntimeError("a connection ended")
            if key.data is None:
                if part.startswith(b"HTTP/1.1 ") and not part.startswith(b"HTTP/1.1 201 "):
                    raise RuntimeError(f"a press was answered {part!r}")
                continue
            listener: Listener = key.data
            whole, end, listener.rest = (listener.rest + part).rpartition(b"\n\n")
            for seq in map(int, ID.findall(whole + end)):
                listener.last = seq
                self.heard.append((seq, at_ns))

    def close(self) -> None:
        self.selector.close()
        for listener in self.listeners:
            listener.connection.close()


def stream_figures(rounds: int, events: int, tell: Callable[[str], None]) -> list[Figure]:
    """`rounds` of so many events, in turns."""
    ours, bare, worked = list[float](), list[float](), list[list[float]]()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        product = stack.enter_context(_product(Path(name)))
        floor = stack.enter_context(_floor(Path(name)))
        for hearing in (product, floor):
            hearing.give(WARM_UP)
            hearing.worked_s.clear()
            worked.append(hearing.worked_s)
        for _ in range(rounds):
            ours += product.give(events)
            bare += floor.give(events)
    tell(f"{rounds} times {events} events to {LISTENERS} listeners, and as many of the floor")
    what, against = f"commit to client, {LISTENERS} listeners", "bare waitress stream"
    ours_ms, bare_ms = (median(times) * 1000 for times in worked)
    return [
        Figure(f"{what}, p50", percentile(ours, 0.5) * 1000, percentile(bare, 0.5) * 1000, against, "ms"),
        Figure(f"{what}, p99", percentile(ours, 0.99) * 1000, percentile(bare, 0.99) * 1000, against, "ms", AIM),
        Figure("press and its stream, processor time", ours_ms, bare_ms, against, "ms"),
    ]


@contextmanager
def _product(folder: Path) -> Iterator[Hearing]:
    """A node, its listeners, and presses over HTTP."""
    notes = folder / "node.times"
    with NodeProcess(folder / "node", [str(HERE / "timed_node.py"), str(notes)]) as node:
        node.first_press_s()
        for _ in range(MORNING):
            node.press()
        with socket.create_connection(("127.0.0.1", node.port), timeout=DEADLINE_S) as asking:
            hearing = Hearing(node.pid, lambda: asking.sendall(_press()), notes, asking=asking)
            try:
                hearing.listen(node.port, EVENT_STREAM)
                yield hearing
            finally:
                hearing.close()


@contextmanager
def _floor(folder: Path) -> Iterator[Hearing]:
    """The bare server, its listeners, and a line on its stdin for each event."""
    notes, port = folder / "bare.times", free_port()
    command = [sys.executable, str(HERE / "bare_stream.py"), str(port), str(notes)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        stdin = process.stdin

        def trigger() -> None:
            stdin.write(b"\n")
            stdin.flush()

        hearing = Hearing(process.pid, trigger, notes)
        try:
            _wait_for(port)
            hearing.listen(port, "/")
            yield hearing
        finally:
            hearing.close()
            stdin.close()


def _press() -> bytes:
    body = json.dumps({"counter": "1", "level": 5}).encode()
    return (
        f"POST /api/v1/ratings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Idempotency-Key: {uuid.uuid4().hex}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _numbers(notes: Path) -> Iterator[tuple[int, int]]:
    for line in notes.read_text(encoding="ascii").splitlines():
        seq, at_ns = line.split()
        yield int(seq), int(at_ns)


def _wait_for(port: int) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.01)
        else:
            return
