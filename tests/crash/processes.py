"""The node and the city as real processes, each in a process group of its own."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

READY = b"ready "
LOG_TAIL_BYTES = 4000


class ProcessTrouble(Exception):
    """A process did what nobody asked for: it ended, or it was not ready in time. The text has the end of its log."""


class Process:
    """A program that prints `ready ADDRESS` on stdout. Its log is appended to `log`, from start to start."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._command = list(command)
        self._environment = {**os.environ, **environment}
        self._log = log
        self._running: subprocess.Popen[bytes] | None = None
        self._ready_line = b""

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._running is not None and self._running.poll() is None

    def start(self) -> None:
        """Start it; returns at once."""
        if self.alive:
            raise RuntimeError("it runs already")
        self._ready_line = b""
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )

    def wait_ready(self, timeout_s: float) -> str:
        """Wait for its ready line; what stands in it.

        Raises:
            ProcessTrouble: it ended, or took longer.
        """
        output = self._output
        end_s = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while not self._ready_line.endswith(b"\n"):
                if not selector.select(max(0.0, end_s - time.monotonic())):
                    raise ProcessTrouble(f"not ready after {timeout_s:g} s\n{self.log_tail()}")
                data = os.read(output.fileno(), 4096)
                if not data:
                    raise ProcessTrouble(f"ended with {self._process.wait()} before it was ready\n{self.log_tail()}")
                self._ready_line += data
        if not self._ready_line.startswith(READY):
            raise ProcessTrouble(f"printed {self._ready_line!r} instead of its address")
        return self._ready_line.removeprefix(READY).decode().strip()

    def kill(self) -> None:
        """SIGKILL to its whole group; returns when it is gone.

        Raises:
            ProcessTrouble: it was gone already.
        """
        if not self.alive:
            raise ProcessTrouble(f"ended by itself with {self._process.returncode}\n{self.log_tail()}")
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._close()

    def freeze(self) -> None:
        """SIGSTOP: what it was about to do, it does not do yet. A kill now is a kill at the moment of freezing."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: it goes on as if nothing had been."""
        os.killpg(self._process.pid, signal.SIGCONT)

    def stop(self, timeout_s: float) -> int:
        """SIGTERM; its exit code.

        Raises:
            ProcessTrouble: it did not end.
        """
        self._process.terminate()
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise ProcessTrouble(f"did not stop within {timeout_s:g} s\n{self.log_tail()}") from None
        self._close()
        return code

    def end(self) -> None:
        """Make sure that it is gone; idempotent."""
        if self.alive:
            self.kill()
        self._close()

    def log_tail(self) -> str:
        """The end of its log."""
        return self._log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")

    @property
    def _process(self) -> subprocess.Popen[bytes]:
        if self._running is None:
            raise RuntimeError("it was never started")
        return self._running

    @property
    def _output(self) -> IO[bytes]:
        output = self._process.stdout
        if output is None:
            raise RuntimeError("its output is not ours")
        return output

    def _close(self) -> None:
        if self._running is not None:
            self._output.close()
