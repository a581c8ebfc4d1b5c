"""Simulation only: the way to the embedded city, with the troubles of a real network at the turn of a switch.

A real socket between the agent and the receiver, so that production code meets real failures: refused connections, answers
cut off after the city committed, a captive portal's friendly 200.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from firmware_py.core.ports import CITY_STATES
from firmware_py.core.worker import Life
from sync.relay_loop import RelayLoop, bound_socket

SLOW_S = 3.0
TAKE_EFFECT_S = 5.0


class FaultyPath:
    """A loopback relay to `target_url` (`ports.CityFaults` and `worker.Worker`). Its port is taken at once, for good."""

    name = "city-path"
    deadline_s = 15.0

    def __init__(self, target_url: str, clock_s: Callable[[], float], *, slow_s: float = SLOW_S) -> None:
        target = urlsplit(target_url)
        if target.scheme != "http" or target.hostname is None or target.port is None:
            raise ValueError(f"the embedded city's address must be http://host:port, not {target_url!r}")
        self._target = (target.hostname, target.port)
        self._clock_s = clock_s
        self._slow_s = slow_s
        # Bound but never listening: the port stays ours while "down" refuses every connection.
        self._holder = bound_socket(0)
        self._port: int = self._holder.getsockname()[1]
        self._wake_out, self._wake_in = socket.socketpair()
        self._wake_in.setblocking(False)
        self._changed = threading.Condition()
        self._wanted = "up"
        self._applied: str | None = None  # None: not running

    @property
    def url(self) -> str:
        """Where the agent sends to."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def state(self) -> str:
        """What the path does now."""
        return self._wanted

    def set(self, state: str) -> None:
        """Change what the path does; in effect when this returns. Connections under way are cut, as a cable would.

        Raises:
            ValueError: unknown state.
        """
        if state not in CITY_STATES:
            raise ValueError(f"unknown state {state!r}: one of {', '.join(CITY_STATES)}")
        with self._changed:
            self._wanted = state
            self.wake()
            self._changed.wait_for(lambda: self._applied in (None, self._wanted), TAKE_EFFECT_S)

    def run(self, life: Life) -> None:
        """Relay until it is time to stop."""
        with selectors.DefaultSelector() as selector:
            loop = RelayLoop(selector, self._target, self._port, self._clock_s, self._slow_s)
            selector.register(self._wake_out, selectors.EVENT_READ, None)
            try:
                while not life.stopping.is_set():
                    life.beat()
                    with self._changed:
                        if self._applied != self._wanted:
                            loop.become(self._wanted)
                            self._applied = self._wanted
                            self._changed.notify_all()
                    self._turn(selector, loop)
            finally:
                loop.close()
                with self._changed:
                    self._applied = None
                    self._changed.notify_all()

    def wake(self) -> None:
        """End a wait early."""
        try:
            self._wake_in.send(b"!")
        except (BlockingIOError, OSError):
            return  # it is awake already, or closed

    def close(self) -> None:
        """Give the port back; idempotent. After `run` has ended."""
        for each in (self._holder, self._wake_in, self._wake_out):
            each.close()

    def _turn(self, selector: selectors.BaseSelector, loop: RelayLoop) -> None:
        for key, _ in selector.select(loop.timeout_s()):
            if key.data is None:
                self._wake_out.recv(4096)
            else:
                key.data()
        loop.flush()
