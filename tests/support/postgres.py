"""A PostgreSQL cluster of the tests' and the bench's own: Debian's programs, a temporary folder, one free loopback port.

The cluster that Debian's package makes is never touched. PostgreSQL refuses to run as root: there it runs as `postgres`.
"""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

DEADLINE_S = 60.0
USER = "nucuoi"
ROLE_OF_ROOT = "postgres"
#: What a small cluster needs for a short life. `fsync` is the caller's word.
SETTINGS = {
    "shared_buffers": "64MB",
    "max_connections": "60",
    "deadlock_timeout": "100ms",
    "log_min_messages": "warning",
    "max_wal_size": "1GB",
}


def programs() -> Path | None:
    """Where Debian keeps the newest PostgreSQL's programs; None: it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Cluster:
    """One running server with a password; ends with this process at the latest.

    Raises:
        RuntimeError: it is not installed, or does not start; the text has its words.
    """

    def __init__(self, *, fsync: bool, more: Mapping[str, str] | None = None) -> None:
        found = programs()
        if found is None:
            raise RuntimeError("needs PostgreSQL: apt-get install postgresql")
        self.programs = found
        self.password = secrets.token_urlsafe(12)
        self._folder = Path(tempfile.mkdtemp(prefix="nucuoi-pg-"))
        self.data = self._folder / "data"
        self._settings = {**SETTINGS, "fsync": "on" if fsync else "off", **(more or {})}
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(self._folder, ROLE_OF_ROOT, ROLE_OF_ROOT)
            self._as_user = [f"--reuid={ROLE_OF_ROOT}", f"--regid={ROLE_OF_ROOT}", "--clear-groups"]
        self._server: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._make()
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def run(self, program: str, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        """One of PostgreSQL's programs, as the server's own user, to its end."""
        done = subprocess.run(
            ["setpriv", *self._as_user, "--", str(self.programs / program), *arguments],
            env={**os.environ, "PGPASSWORD": self.password, "LC_ALL": "C.UTF-8", **(env or {})},
            cwd=self._folder, capture_output=True, text=True, check=False, timeout=DEADLINE_S,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"{program} ended with {done.returncode}: {done.stderr}")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        options += ["-clisten_addresses=127.0.0.1", f"-cport={self.port}", f"-cunix_socket_directories={self._folder}"]
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                ["setpriv", *self._as_user, "--pdeathsig=QUIT", "--", self.programs / "postgres", "-D", self.data, *options],
                stdout=log, stderr=log, cwd=self._folder,
            )  # fmt: skip
        until = time.monotonic() + DEADLINE_S
        while True:
            try:
                self.connect("postgres").close()
            except psycopg.OperationalError as error:
                if self._server.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"PostgreSQL does not answer ({error}): {self.log()[-2000:]}") from error
                time.sleep(0.02)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT breaks connections off and writes a checkpoint, SIGQUIT is a crash; idempotent."""
        if self._server is None:
            return
        self._server.send_signal(how)
        self._server.wait(DEADLINE_S)
        self._server = None

    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def connect(self, database: str) -> psycopg.Connection[Any]:
        """A bare connection, each statement a transaction of its own."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=self.password, dbname=database, autocommit=True
        )

    def execute(self, statement: str, database: str = "postgres") -> None:
        """One statement by itself, as the superuser."""
        with closing(self.connect(database)) as connection:
            connection.execute(sql.SQL(statement))  # type: ignore[arg-type] # a test's own text

    def url(self, database: str, scheme: str = "postgresql+psycopg") -> str:
        """The address of a database, as a city's operator would write it."""
        return f"{scheme}://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The name of an empty database."""
        name = f"city_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def drop_database(self, name: str) -> None:
        """Whoever is still connected is thrown out."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of an empty database that is gone afterwards."""
        name = self.new_database()
        try:
            yield self.url(name)
        finally:
            self.drop_database(name)

    def _make(self) -> None:
        secret = self._folder / "password"
        secret.write_text(self.password)
        if self._as_user:
            shutil.chown(secret, ROLE_OF_ROOT, ROLE_OF_ROOT)
        self.run(
            "initdb", "--pgdata", str(self.data), "--username", USER, "--pwfile", str(secret), "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions",
        )  # fmt: skip
