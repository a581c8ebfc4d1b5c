"""A worker is a long-running part of the program. The supervisor alone starts threads and child processes."""

from __future__ import annotations

import threading
from typing import Protocol


class Life:
    """What a worker is given to live by: when to stop, and where to say that it is alive."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.beats = 0

    def beat(self) -> None:
        """`I am alive`: to be called at least once within the worker's `deadline_s`."""
        self.beats += 1

    def wait(self, seconds: float) -> bool:
        """Sleep at most `seconds`; True when it is time to stop."""
        self.beat()
        return self.stopping.wait(seconds)


class Worker(Protocol):
    """A part of the program with a thread of its own.

    `run` returns when `life.stopping` is set. If it raises, the supervisor logs it, waits (full-jitter backoff) and runs
    it again; after repeated failures it is shown as failed while the others go on.
    """

    @property
    def name(self) -> str:
        """Unique within the node, as the health page shows it."""
        ...

    @property
    def deadline_s(self) -> float:
        """Without a beat for this long it is hung."""
        ...

    def run(self, life: Life) -> None:
        """Work until `life.stopping` is set."""
        ...

    def wake(self) -> None:
        """End a wait early: called when stopping. May be called from any thread, any number of times."""
        ...
