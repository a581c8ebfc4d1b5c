"""The places for live streams: each holds a server thread, so they are capped below the number of threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from flask import Response, request

from firmware_py.core.problem import RETRY_AFTER_S
from local_api import sse
from local_api.problems import ProblemError

MAX_LISTENERS = 32
SLICE_S = 0.5  # how long a stream may sleep before it looks whether it should end


class Listeners:
    """Counts the open streams and ends them when the server stops."""

    def __init__(self, capacity: int = MAX_LISTENERS) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._open = 0
        self._stopping = threading.Event()

    def close(self) -> None:
        """The server stops: every stream ends within `SLICE_S`, and no new one starts."""
        self._stopping.set()

    def stream(self, frames: Callable[[Callable[[float], bool]], Iterator[str]]) -> Response:
        """Answer the request with `frames(pause)`, an endless iterator of SSE text.

        `pause(seconds)` is how the iterator sleeps: it returns False as soon as the stream must end (the client went
        away or the server stops), and then the iterator returns.

        Raises:
            ProblemError: 503, all places are taken.
        """
        if not self._enter():
            raise ProblemError(
                503,
                "too_many_listeners",
                "Too many listeners",
                f"All {self._capacity} live streams are in use. Close one, or try again later.",
                retry_after_s=RETRY_AFTER_S,
            )
        gone: Callable[[], bool] = request.environ.get("waitress.client_disconnected", lambda: False)

        def pause(seconds: float) -> bool:
            # Not `wait(0)`: that builds and takes apart a queue, 32 times for each event.
            stopping = self._stopping.wait(seconds) if seconds else self._stopping.is_set()
            return not (stopping or gone())

        response = Response(frames(pause), content_type=sse.TYPE)
        response.headers["X-Accel-Buffering"] = "no"  # nginx must pass each event on at once
        # Not `finally` in the iterator: one that was never started would keep its place for ever.
        response.call_on_close(_once(self._leave))
        return response

    def _enter(self) -> bool:
        with self._lock:
            if self._open >= self._capacity or self._stopping.is_set():
                return False
            self._open += 1
            return True

    def _leave(self) -> None:
        with self._lock:
            self._open -= 1


def _once(function: Callable[[], None]) -> Callable[[], None]:
    """`function`, but only the first call counts: a response can be closed more than once."""
    left = [function]

    def call() -> None:
        if left:
            left.pop()()

    return call
