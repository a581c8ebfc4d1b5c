"""The HTTP worker: real ports, the local socket, and a stop that ends."""

from __future__ import annotations

import contextlib
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from api_client import Served, serving, until
from fake_node import FakeNode, event, settings

from firmware_py.core.contracts import DEVICE_UNAVAILABLE
from firmware_py.core.worker import Life
from local_api import local_socket, socket_client
from local_api.listening import MAX_UNREAD_BYTES
from local_api.local_socket import NodeAlreadyRunsError
from local_api.server import CannotListenError, HttpServer
from local_api.socket_client import NodeNotRunningError


def test_port_zero_gives_a_real_port_which_a_restart_keeps(tmp_path: Path) -> None:
    server = HttpServer(FakeNode(), tmp_path)
    server.bind()
    port = server.port
    assert port > 0
    for _ in range(2):
        life = Life()
        thread = threading.Thread(target=server.run, args=(life,))
        thread.start()
        assert server.wait_listening(10)
        assert server.port == port
        life.stopping.set()
        thread.join(10)
        assert not server.wait_listening(0)


def test_a_taken_port_is_a_clear_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotListenError, match=f"port {port}: Address already in use.*--port"):
            HttpServer(FakeNode(settings(port=port)), tmp_path).bind()


def test_an_address_that_is_not_ours_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CannotListenError, match=r"192\.0\.2\.1"):
        HttpServer(FakeNode(settings(host="192.0.2.1")), tmp_path).bind()


def test_it_beats_while_it_serves(tmp_path: Path) -> None:
    with serving(FakeNode(), tmp_path) as served:
        before = served.life.beats
        end = time.monotonic() + 5
        while served.life.beats < before + 2:
            assert time.monotonic() < end
            served.get("/livez")


def test_it_stops_within_two_seconds_with_open_streams_and_a_held_button(tmp_path: Path) -> None:
    node = FakeNode()
    node.devices.wire.let_go.clear()
    with contextlib.ExitStack() as context:
        with serving(node, tmp_path) as served:
            for _ in range(8):
                context.enter_context(served.listen()).event()
            threading.Thread(target=_press, args=(served,), daemon=True).start()
            assert node.devices.wire.holding.acquire(timeout=5)
            began = time.monotonic()
        assert time.monotonic() - began < 2.0
    node.devices.wire.let_go.set()


def test_open_streams_are_ended_properly_and_leave_no_thread_behind(tmp_path: Path) -> None:
    with contextlib.ExitStack() as context:
        with serving(FakeNode(), tmp_path) as served:
            streams = [context.enter_context(_stream(served.server.port)) for _ in range(8)]
            for stream in streams:
                assert stream.recv(12) == b"HTTP/1.1 200"
        for stream in streams:
            assert _rest(stream).endswith(b"0\r\n\r\n")  # the end of a chunked answer, not a cut
        assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("waitress")]


def test_a_client_that_does_not_read_costs_little_memory_and_no_thread_once_it_stops(tmp_path: Path) -> None:
    node = FakeNode()
    node.journal.publish(*(event(seq, DEVICE_UNAVAILABLE, {"reason": "x" * 1000}) for seq in range(1, 9901)))  # 11 MB
    with serving(node, tmp_path) as served, _stream(served.server.port, after=f"{node.journal.id}:0"):
        listening = served.server._serving
        assert listening is not None
        held: list[int] = []

        def stands_still() -> bool:
            """Something is held, and no more came for half a second: the stream's thread waits, or has nothing more."""
            held.append(sum(each.total_outbufs_len for each in list(listening._servers[0].active_channels.values())))
            time.sleep(0.01)
            return held[-1] > 0 and len(held) > 50 and len(set(held[-50:])) == 1

        until(stands_still, "the stream's thread waits")
        assert 0 < max(held) < MAX_UNREAD_BYTES + 512 * 1024  # and the page of events that was too much
        began = time.monotonic()
        served.life.stopping.set()
        until(lambda: served.server._serving is None, "it stops")
        assert time.monotonic() - began < 2.0
    until(lambda: not [each for each in threading.enumerate() if each.name.startswith("waitress")], "its thread ends")


def _stream(port: int, after: str = "") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    resume = f"?last_event_id={after}" if after else ""
    connection.sendall(f"GET /api/v1/events{resume} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return connection


def _rest(connection: socket.socket) -> bytes:
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def _press(served: Served) -> None:
    with contextlib.suppress(OSError):
        served.ask("POST", "/api/v1/simulate/devices/panel-1/press", {"button": 1, "hold_s": 30})


def test_the_local_socket_is_for_its_owner_only_and_goes_with_the_node(tmp_path: Path) -> None:
    with serving(FakeNode(), tmp_path):
        mode = (tmp_path / "node.sock").stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        status, outbox = socket_client.get(tmp_path, "/api/v1/outbox")
        assert (status, outbox["pending"]) == (200, 0)
        assert socket_client.get(tmp_path, "/nope")[0] == 404
    assert not (tmp_path / "node.sock").exists()


def test_a_data_folder_deeper_than_a_socket_path_may_be(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["x" * 40] * 5)
    deep.mkdir(parents=True)
    with serving(FakeNode(), deep):
        assert socket_client.get(deep, "/livez")[0] == 200


def test_what_a_killed_node_left_behind_is_replaced(tmp_path: Path) -> None:
    left = local_socket.bind(tmp_path)
    left.close()
    assert (tmp_path / "node.sock").exists()
    with serving(FakeNode(), tmp_path):
        assert socket_client.get(tmp_path, "/livez")[0] == 200


def test_a_living_nodes_socket_is_not_taken_away(tmp_path: Path) -> None:
    with serving(FakeNode(), tmp_path):
        with pytest.raises(NodeAlreadyRunsError, match="stop it first"):
            local_socket.bind(tmp_path)
        assert socket_client.get(tmp_path, "/livez")[0] == 200


def test_no_node_in_the_folder_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NodeNotRunningError, match="nucuoi run --data"):
        socket_client.get(tmp_path, "/livez")
    with pytest.raises(NodeNotRunningError, match="nucuoi run --data"):
        socket_client.get(tmp_path / "missing", "/livez")


def test_somebody_elses_socket_is_an_error_that_says_so(tmp_path: Path) -> None:
    code = """
import os, pathlib, sys
from local_api import socket_client
if os.getuid() == 0:
    os.seteuid(65534)  # root may do everything: ask as nobody
socket_client.get(pathlib.Path(sys.argv[1]), "/livez")
"""
    with serving(FakeNode(), tmp_path):
        (tmp_path / "node.sock").chmod(0)
        command = [sys.executable, "-c", code, str(tmp_path)]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "belongs to another user: run this command as the node's user" in found.stderr


def test_the_local_socket_answers_while_every_other_thread_is_busy(tmp_path: Path) -> None:
    node = FakeNode()
    with serving(node, tmp_path) as served:
        node.journal.hangs = True
        callers = [threading.Thread(target=_rate, args=(served, n), daemon=True) for n in range(48)]
        for caller in callers:
            caller.start()
        assert socket_client.get(tmp_path, "/livez")[0] == 200
        node.journal.release()
        for caller in callers:
            caller.join(10)


def _rate(served: Served, number: int) -> None:
    served.rate({"counter": "1", "level": 3}, key=f"k-{number}")


@pytest.mark.parametrize("module", ["local_api.server", "local_api.socket_client"])
def test_flask_is_not_imported_before_the_server_runs(module: str) -> None:
    code = f"import sys, {module}; print({{'flask', 'waitress', 'flask_babel'}} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
