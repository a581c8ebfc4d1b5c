"""Waitress, in the form that the worker needs: two listeners, one loop, problems for errors, a stop that ends."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ErrorTask

from firmware_py.core.ports import NodePort
from firmware_py.core.problem import CONTENT_TYPE, problem_body
from local_api.app import create_app
from local_api.listeners import Listeners

#: Beyond this waitress itself answers 413, before a body fills memory; Flask's own limit is lower.
MAX_RECEIVED_BYTES = 256 * 1024
MAX_HEADER_BYTES = 32 * 1024
#: What waits for one client that does not read; then its own thread waits. Waitress would keep 16 MB for each of 48.
MAX_UNREAD_BYTES = 256 * 1024


class _ProblemTask(ErrorTask):  # type: ignore[misc] # waitress brings no types
    """What waitress refuses by itself (broken HTTP, too large) as a problem, like every other error."""

    def execute(self) -> None:
        error = self.request.error
        body = problem_body(
            error.code,
            error.reason.lower().replace(" ", "_"),
            "The request was not understood or is too large.",
            title=error.reason,
        )
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", CONTENT_TYPE))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):  # type: ignore[misc]
    error_task_class = _ProblemTask


class Listening:
    """Both listeners of a node; `step` must be called all the time by one thread."""

    def __init__(
        self, node: NodePort, hall: socket.socket, local: socket.socket, *, threads: int, local_threads: int
    ) -> None:
        self._streams = Listeners()
        app = create_app(node, self._streams)
        self._map: dict[int, Any] = {}
        self._servers = [
            self._server(app, hall, threads),
            self._server(app, local, local_threads),
        ]

    def step(self, timeout_s: float) -> None:
        """Accept, read and write what there is, waiting at most `timeout_s`."""
        wasyncore.loop(timeout=timeout_s, use_poll=True, map=self._map, count=1)

    def poke(self) -> None:
        """End the waiting of `step` now. Callable from any thread."""
        with contextlib.suppress(OSError):  # closed at the same moment: then nobody waits
            self._servers[0].pull_trigger()

    @property
    def busy(self) -> bool:
        """Whether a request is being answered, or its answer not yet sent."""
        return any(
            channel.requests or channel.total_outbufs_len
            for server in self._servers
            for channel in list(server.active_channels.values())
        )

    def stop_accepting(self) -> None:
        """No new connections, and every live stream ends."""
        self._streams.close()
        for server in self._servers:
            server.accepting = False

    def close(self) -> None:
        """Close all sockets and end the threads; a thread that hangs is left to die with the process."""
        self.stop_accepting()
        # A thread whose client does not read waits for it, and would wait for ever.
        for server in self._servers:
            for channel in list(server.active_channels.values()):
                if channel.total_outbufs_len:
                    channel.handle_close()
        # Threads first: one that still works would wake the loop by writing to a pipe, whose number may be another file's then.
        for server in self._servers:
            server.task_dispatcher.shutdown(timeout=0.5)
        wasyncore.close_all(self._map, ignore_all=True)

    def _server(self, app: Any, listener: socket.socket, threads: int) -> BaseWSGIServer:
        server = create_server(
            app,
            map=self._map,
            sockets=[listener],
            threads=threads,
            ident=None,
            max_request_body_size=MAX_RECEIVED_BYTES,
            max_request_header_size=MAX_HEADER_BYTES,
            outbuf_high_watermark=MAX_UNREAD_BYTES,
            channel_request_lookahead=1,  # so that a stream sees at once that its client went away
            clear_untrusted_proxy_headers=False,  # the guard looks at them
        )
        server.channel_class = _Channel
        return server
