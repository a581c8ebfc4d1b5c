"""The simulated centre's own city: the reference receiver as a child process, so that a press arrives somewhere.

Started by exec, never fork. The child's stdin is a pipe that only we hold: however we die, it reads the end of it and ends
too. Its token is new at every start and is given by the environment.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from firmware_py.core.health import CheckResult, Status
from firmware_py.core.worker import Life

log = logging.getLogger(__name__)
START_DEADLINE_S = 30.0
STOP_DEADLINE_S = 5.0
DATABASE_NAME = "city.db"


class EmbeddedCity:
    """The receiver's process as a Worker: started again if it ends."""

    name = "embedded-city"
    deadline_s = 60.0

    def __init__(
        self, data_dir: Path, port: int, *, site: str, node: str, token: str, when_ready: Callable[[], None]
    ) -> None:
        self._database = data_dir / DATABASE_NAME
        self._port = port
        self._nodes = f"{site}/{node}={token}"
        self._when_ready = when_ready  # called every time it has come up
        self._ready = threading.Event()
        self._child: subprocess.Popen[str] | None = None
        self.url = f"http://127.0.0.1:{port}"

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until the city answers; its `url` has the real port then."""
        return self._ready.wait(timeout_s)

    def run(self, life: Life) -> None:
        """Keep the child running until told to stop."""
        child = self._spawn()
        self._child = child
        try:
            self._watch_start(child, life)
            while not life.wait(0.5):
                if child.poll() is not None:
                    raise RuntimeError(f"the city's process ended with {child.returncode}")
        finally:
            self._ready.clear()
            self._stop(child)

    def _spawn(self) -> subprocess.Popen[str]:
        command = [
            sys.executable, "-m", "firmware_py", "receiver", "--database", f"sqlite:///{quote(str(self._database.resolve()))}",
            "--host", "127.0.0.1", "--port", str(self._port), "--exit-with-parent",
        ]  # fmt: skip
        environment = {**os.environ, "NUCUOI_RECEIVER_NODES": self._nodes}
        for name in ("NUCUOI_CITY_TOKEN", "NUCUOI_RECEIVER_READERS", "NOTIFY_SOCKET"):
            environment.pop(name, None)  # not for the simulated city
        return subprocess.Popen(  # noqa: S603 - our own program, our own arguments
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def _watch_start(self, child: subprocess.Popen[str], life: Life) -> None:
        """Its first line says `ready http://...`; if it never comes, ending the child ends this wait."""
        life.beat()
        give_up = threading.Timer(START_DEADLINE_S, child.kill)
        give_up.start()
        try:
            line = child.stdout.readline() if child.stdout else ""
        finally:
            give_up.cancel()
        if life.stopping.is_set():
            return  # told to stop before the child could say a word: that is no failure, and nobody will send to it
        if not line.startswith("ready "):
            raise RuntimeError(f"the city's process did not start: {line.strip() or 'no word from it'}")
        self.url = line.split()[1]
        self._ready.set()
        self._when_ready()
        log.info("the embedded city listens on %s", self.url)

    @staticmethod
    def _stop(child: subprocess.Popen[str]) -> None:
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                stream.close()
        try:
            child.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def wake(self) -> None:
        """A child that is still starting is not waited for."""
        child = self._child
        if child is not None and not self._ready.is_set():
            child.terminate()

    def check(self) -> CheckResult:
        """Until it answers nothing can be sent: a WARN."""
        if self._ready.is_set():
            return CheckResult("sync", Status.PASS, "Máy chủ thành phố mô phỏng đang chạy")
        return CheckResult("sync", Status.WARN, "Máy chủ thành phố mô phỏng chưa chạy; dữ liệu được giữ lại.")
