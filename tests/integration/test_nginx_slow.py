"""Slow clients, live streams and their limits through the real nginx: what dawdles waits in nginx, never in the node."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from support.nginxes import NAME, PROGRAM, Nginx, hall, running_nginx
from support.nodes import Node

from local_api.listeners import MAX_LISTENERS
from local_api.server import THREADS

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="needs nginx: apt-get install nginx")

DEADLINE_S = 30.0
STREAMS, STREAMS_OF_ONE = 28, 8  # of nucuoi/stream.conf


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Nginx]]:
    with hall(tmp_path_factory.mktemp("hall")) as both:
        yield both


@pytest.fixture(scope="module")
def node(centre: tuple[Node, Nginx]) -> Node:
    return centre[0]


@pytest.fixture(scope="module")
def nginx(centre: tuple[Node, Nginx]) -> Nginx:
    return centre[1]


@contextmanager
def connected(nginx: Nginx, source: str = "127.0.0.1", receive_bytes: int | None = None) -> Iterator[ssl.SSLSocket]:
    """A TLS connection for HTTP/1.1 from an address of this computer."""
    trust = ssl.create_default_context(cafile=str(nginx.certificate))
    with socket.socket() as bare:
        if receive_bytes is not None:
            bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        bare.bind((source, 0))
        bare.settimeout(DEADLINE_S)
        bare.connect(("127.0.0.1", nginx.port))
        with trust.wrap_socket(bare, server_hostname=NAME) as connection:
            yield connection


def head(connection: ssl.SSLSocket) -> bytes:
    """An answer's bytes up to the end of its headers, and what came with them."""
    text = b""
    while b"\r\n\r\n" not in text:
        piece = connection.recv(65536)
        assert piece, text
        text += piece
    return text


def press_bytes(body: bytes) -> bytes:
    return (
        f"POST /api/v1/ratings HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: application/json\r\n"
        f"Idempotency-Key: slow-{id(body)}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


@pytest.mark.parametrize("secure", [True, False])
def test_who_never_ends_his_headers_is_cut_off_however_busily_he_sends(tmp_path: Path, secure: bool) -> None:
    with (
        hall(tmp_path, {"client_header_timeout 10s;": "client_header_timeout 1s;"}) as (_, nginx),
        ExitStack() as stack,
    ):
        if secure:
            connection: socket.socket = stack.enter_context(connected(nginx))
        else:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", nginx.http_port), DEADLINE_S))
        connection.sendall(f"GET /livez HTTP/1.1\r\nHost: {NAME}\r\nX: ".encode())
        sent = 0
        with contextlib.suppress(OSError):
            while not select.select([connection], [], [], 0.05)[0] and sent < DEADLINE_S / 0.05:
                connection.sendall(b"x")  # never silent
                sent += 1
        assert sent < DEADLINE_S / 0.05, "it could send for ever"
        with contextlib.suppress(OSError):
            assert connection.recv(1000) == b""


def test_who_sends_his_press_slowly_keeps_no_thread_of_the_node(node: Node, nginx: Nginx) -> None:
    """More slow senders than the node has threads, and one quick one."""
    bodies = [json.dumps({"counter": "2", "level": 4, "ticket": None}).encode() for _ in range(THREADS + 4)]
    with ExitStack() as stack:
        senders = [stack.enter_context(connected(nginx, f"127.0.0.{3 + n % 4}")) for n in range(len(bodies))]
        for number, (sender, body) in enumerate(zip(senders, bodies, strict=True)):
            sender.sendall(press_bytes(body).replace(b"slow-", b"slow-%d-" % number)[:-10])
        assert nginx.ask("/livez").status == 200
        assert node.rate(5)[0] == 201
        for sender, body in zip(senders, bodies, strict=True):
            sender.sendall(body[-10:])
            assert head(sender).startswith(b"HTTP/1.1 201 ")


@contextmanager
def stub(tmp_path: Path) -> Iterator[tuple[socket.socket, Nginx]]:
    """nginx before a node that is nothing but a listening socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(DEADLINE_S)
        with running_nginx(tmp_path / "nginx", listener.getsockname()[1]) as nginx:
            yield listener, nginx


def test_the_node_hears_of_a_request_when_it_is_there_as_a_whole(tmp_path: Path) -> None:
    body = b'{"counter": "1", "level": 5}'
    with stub(tmp_path) as (listener, nginx), connected(nginx) as slow, connected(nginx) as quick:
        slow.sendall(press_bytes(body).removesuffix(body).replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        assert head(slow).startswith(b"HTTP/1.1 100 ")  # so nginx has the headers, and waits for the body
        slow.sendall(body[:-1])
        quick.sendall(press_bytes(b"quick"))
        with listener.accept()[0] as first:
            assert b"quick" in first.recv(65536)
        assert not select.select([listener], [], [], 0)[0]
        slow.sendall(body[-1:])
        with listener.accept()[0] as second:
            text = second.recv(65536)
    assert text.endswith(body)
    assert b"\r\nX-Forwarded-For: 127.0.0.1\r\n" in text


def test_the_node_is_rid_of_an_answer_though_its_client_does_not_read(tmp_path: Path) -> None:
    size = 8 << 20  # more than the sockets between could hold, as much as the file may
    with stub(tmp_path) as (listener, nginx), connected(nginx, receive_bytes=4096) as slow:
        slow.sendall(f"GET /export HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        with listener.accept()[0] as upstream:
            upstream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            upstream.settimeout(DEADLINE_S)
            assert b"GET /export" in upstream.recv(65536)
            upstream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
        received = head(slow)
        while len(received) < size:
            received += slow.recv(1 << 20)
        assert received.endswith(b"x")


def test_an_event_comes_through_when_it_is_committed(node: Node, nginx: Nginx) -> None:
    command = nginx.command("/api/v1/events", "-N", "--http2", source="127.0.0.9")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listening:
        give_up = threading.Timer(DEADLINE_S, listening.kill)
        give_up.start()
        try:
            assert _next_event(listening) == "hello"
            for level in (1, 5, 1):
                assert node.rate(level, counter="3")[0] == 201
                assert _next_event(listening) == "rating.given"  # and nothing comes behind that could push it
        finally:
            give_up.cancel()
            listening.kill()


def _next_event(listening: subprocess.Popen[str]) -> str:
    assert listening.stdout is not None
    for line in listening.stdout:
        if line.startswith("event: ") and "state" not in line:
            return line.removeprefix("event: ").strip()
    raise AssertionError("the stream ended, or nothing came in time")


def test_listeners_get_less_than_the_nodes_places_and_one_address_less_than_all(tmp_path: Path) -> None:
    with hall(tmp_path) as (node, nginx), ExitStack() as stack:

        def listen(source: str) -> bytes:
            connection = stack.enter_context(connected(nginx, source))
            connection.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
            return head(connection)

        sources = [f"127.0.0.{20 + n // STREAMS_OF_ONE}" for n in range(STREAMS)]
        assert {listen(source)[:12] for source in sources} == {b"HTTP/1.1 200"}
        for source in (sources[0], "127.0.0.99"):  # one has his share, the other comes too late
            refused = listen(source)
            assert refused.startswith(b"HTTP/1.1 503 ")
            assert b"application/problem+json" in refused
            assert b'"too_many_listeners"' in refused
            assert b"Retry-After: 5" in refused
        assert STREAMS < MAX_LISTENERS
        assert node.ask("GET", "/livez")[0] == 200
        with socket.create_connection(("127.0.0.1", int(node.url.rpartition(":")[2])), DEADLINE_S) as own:
            own.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert own.recv(12) == b"HTTP/1.1 200"  # the node's own computer still finds a place
