"""Running the receiver as a process of its own: `nucuoi receiver`, and the embedded city of a simulation."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any

from flask import Flask
from sqlalchemy import Engine
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ErrorTask

from config.addresses import is_loopback
from firmware_py.core.problem import CONTENT_TYPE, problem_body
from sync.protocol import MAX_BODY_BYTES
from sync.receiver.app import create_app
from sync.receiver.credentials import (
    NODES_VARIABLE,
    READERS_VARIABLE,
    add_node,
    add_reader,
    has_readers,
    nodes_from_variable,
    readers_from_variable,
)
from sync.receiver.database import CONNECTIONS
from sync.receiver.opening import open_engine

logger = logging.getLogger(__name__)
THREADS = CONNECTIONS
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
GRACE_S = 3.0
STDIN = 0


def serve(
    database_url: str,
    host: str,
    port: int,
    *,
    environ: Mapping[str, str],
    open_scoreboard: bool = False,
    exit_with_parent: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT; prints `ready http://HOST:PORT` on stdout once it listens.

    Nodes given in `NUCUOI_RECEIVER_NODES` ("site/node=token,...") and readers given in `NUCUOI_RECEIVER_READERS`
    ("name=token,...") are registered first. `open_scoreboard`: this machine reads it without a credential until a reader is
    registered. It must be asked for, since behind a reverse proxy the whole world looks like this machine.
    `exit_with_parent`: the embedded city of a simulation, whose scoreboard is open in the same way; stdin is a pipe held by
    the parent, and when it ends, however the parent died, this process ends.

    Raises:
        ValueError: one of the two variables cannot be read, or `open_scoreboard` with an address that others reach.
        DatabaseUnusable: see its text.
        OSError: the port cannot be had.
    """
    if open_scoreboard and not is_loopback(host):
        raise ValueError(
            f"--open-scoreboard is for a loopback address only, not for {host}: give readers in {READERS_VARIABLE}"
        )
    is_open = open_scoreboard or exit_with_parent
    engine = open_engine(database_url)
    try:
        register_nodes(engine, environ.get(NODES_VARIABLE, ""))
        register_readers(engine, environ.get(READERS_VARIABLE, ""))
        server = listen(create_app(engine, open_on_loopback=is_open), host, port)
        for number in STOP_SIGNALS:
            signal.signal(number, _stop)
        if exit_with_parent:
            threading.Thread(target=_end_with_stdin, name="parent-watch", daemon=True).start()
        _say_who_reads(engine, is_open=is_open)
        _tell(f"ready {address(server)}")
        try:
            server.run()
        finally:
            server.close()
    finally:
        engine.dispose()


def _tell(line: str) -> None:
    """A line on stdout. Whoever started this may have been killed meanwhile: that is no error of ours."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        logger.info("nobody reads what is said on stdout")
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # what is still to be flushed at the end must not fail again
        os.close(nowhere)


def listen(app: Flask, host: str, port: int) -> BaseWSGIServer:
    """A waitress server that listens but does not run yet; port 0 takes a free one."""
    server: BaseWSGIServer = create_server(
        app,
        host=host,
        port=port,
        threads=THREADS,
        ident="nucuoi-city",
        # Read a little more than is taken, so that "too large" reaches the sender before its connection is closed.
        max_request_body_size=4 * MAX_BODY_BYTES,
        channel_timeout=60,
        clear_untrusted_proxy_headers=False,  # the app looks whether a request was forwarded
    )
    server.channel_class = _Channel
    return server


def address(server: BaseWSGIServer) -> str:
    """Where it listens, as an address that a client can use."""
    host, port = server.socket.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def register_nodes(engine: Engine, text: str) -> None:
    """Register what `NUCUOI_RECEIVER_NODES` says; tokens never reach the log."""
    for site, name, token in nodes_from_variable(text):
        add_node(engine, site, name, token)
        logger.info("registered node %s/%s (token ***)", site, name)


def register_readers(engine: Engine, text: str) -> None:
    """Register what `NUCUOI_RECEIVER_READERS` says; tokens never reach the log."""
    for name, token in readers_from_variable(text):
        add_reader(engine, name, token)
        logger.info("registered reader %s (token ***)", name)


def _say_who_reads(engine: Engine, *, is_open: bool) -> None:
    with engine.begin() as connection:
        if has_readers(connection):
            logger.info("the scoreboard is read with a registered reader's token")
            return
    if is_open:
        logger.info("the scoreboard is open to this machine until a reader is registered")
    else:
        logger.warning(
            'nobody can read the scoreboard yet: start again with %s="name=token" and send the token as a bearer, '
            "or, for a trial on this machine, with --open-scoreboard",
            READERS_VARIABLE,
        )


class _ProblemTask(ErrorTask):  # type: ignore[misc] # waitress has no types
    """What waitress refuses by itself (a broken request line, a huge body) is a problem+json too."""

    def execute(self) -> None:
        error: Any = self.request.error
        body = problem_body(error.code, error.reason.lower().replace(" ", "_"), error.reason)
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend([("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))])
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):  # type: ignore[misc] # waitress has no types
    error_task_class = _ProblemTask


def _stop(_number: int, _frame: object) -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # a second one must not interrupt the closing
    raise SystemExit(0)


def _end_with_stdin() -> None:
    """Wait for the end of stdin: only the parent holds the other end, so even SIGKILL ends it."""
    while os.read(STDIN, 4096):
        pass
    logger.info("the parent is gone: ending")
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE_S)
    os._exit(0)  # a request hangs; the database keeps what was answered
