"""Running a worker for as long as a `with` block lasts, and waiting for what its thread does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from firmware_py.core.worker import Life, Worker

DEADLINE_S = 20.0


@contextmanager
def living(worker: Worker) -> Iterator[Life]:
    """Give `worker` its thread, as the supervisor would; stopped at the end. What it raises, the test hears."""
    life, died = Life(), list[BaseException]()

    def live() -> None:
        try:
            worker.run(life)
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            died.append(error)

    thread = threading.Thread(target=live, name=worker.name)
    thread.start()
    try:
        yield life
    finally:
        life.stopping.set()
        worker.wake()
        thread.join(DEADLINE_S)
        assert not thread.is_alive(), f"{worker.name} does not stop"
    assert not died, f"{worker.name} died: {died[0]!r}"


def until(condition: Callable[[], object], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Wait until `condition` holds; an AssertionError that names `what` if it never does."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.002)
