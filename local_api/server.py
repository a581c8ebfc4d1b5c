"""The HTTP server's worker: waitress on [api] host and port, and on the local socket of the data folder.

Flask and waitress are imported when the worker runs: a node opens its devices first. One loop serves both listeners, and
the worker beats in that loop, so a beat means that connections are really accepted.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from firmware_py.core.errors import NuCuoiError
from firmware_py.core.ports import NodePort
from firmware_py.core.worker import Life
from local_api import local_socket

if TYPE_CHECKING:
    from local_api.listening import Listening

THREADS = 48
LOCAL_THREADS = 2  # of their own, so that the command line is answered however busy the hall is
LOOP_S = 0.25
STOP_S = 1.2
_log = logging.getLogger(__name__)


class CannotListenError(NuCuoiError, OSError):
    """The configured address or port cannot be had; the text says which and what to do."""


class HttpServer:
    """The local API as a worker. `bind` may be called early to learn `port` (0 in the settings: any free one)."""

    name = "http"
    deadline_s = 10.0

    def __init__(self, node: NodePort, data_dir: Path) -> None:
        self._node = node
        self._data_dir = data_dir
        self._host = node.settings.api.host
        self._port = node.settings.api.port
        self._bound: socket.socket | None = None
        self._listening = threading.Event()
        self._serving: Listening | None = None

    @property
    def host(self) -> str:
        """The configured address."""
        return self._host

    @property
    def port(self) -> int:
        """The real port once bound; until then the configured one."""
        return self._port

    @property
    def url(self) -> str:
        """How a browser on this computer reaches the node."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 - compared
        return f"http://[{host}]:{self._port}" if ":" in host else f"http://{host}:{self._port}"

    def bind(self) -> None:
        """Take the port; idempotent. Connections wait in the backlog until `run` serves them.

        Raises:
            CannotListenError: the port is taken, or the address is not this computer's.
        """
        if self._bound is not None:
            return
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            bound = socket.socket(family, kind, protocol)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                bound.bind(address)
            except OSError:
                bound.close()
                raise
        except OSError as error:
            raise CannotListenError(
                f"cannot listen on {self._host} port {self._port}: {error.strerror or error}. "
                "Stop the other program, or choose another [api] host or port (--host, --port)"
            ) from error
        self._bound = bound
        self._port = int(bound.getsockname()[1])  # kept when the worker is run again

    def wait_listening(self, timeout_s: float) -> bool:
        """Wait until requests are served, at most `timeout_s`; False if they are not."""
        return self._listening.wait(timeout_s)

    def run(self, life: Life) -> None:
        """Serve until `life.stopping`; open streams are ended, answers in work get `STOP_S` to finish.

        Raises:
            CannotListenError: see `bind`.
            NodeAlreadyRunsError: another node serves this data folder.
        """
        from local_api.listening import Listening  # noqa: PLC0415 - Flask is imported after the devices are open

        self.bind()
        assert self._bound is not None  # noqa: S101 - by bind
        hall, self._bound = self._bound, None
        try:
            local = local_socket.bind(self._data_dir)
        except OSError:
            hall.close()
            raise
        try:
            listening = Listening(self._node, hall, local, threads=THREADS, local_threads=LOCAL_THREADS)
            self._serve(listening, life)
        finally:
            self._listening.clear()
            local_socket.remove(self._data_dir)

    def wake(self) -> None:
        """Let the loop look now whether to stop; it does so every `LOOP_S` by itself."""
        if (serving := self._serving) is not None:
            serving.poke()

    def _serve(self, listening: Listening, life: Life) -> None:
        self._serving = listening
        try:
            self._listening.set()
            _log.info("http listens on %s", self.url)
            while not life.stopping.is_set():
                listening.step(LOOP_S)
                life.beat()
            listening.stop_accepting()
            deadline = time.monotonic() + STOP_S
            while listening.busy and time.monotonic() < deadline:
                listening.step(0.05)
                life.beat()
        finally:
            self._serving = None
            listening.close()
