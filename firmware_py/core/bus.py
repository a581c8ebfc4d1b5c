"""The bus: what was just committed, for reactors and the live stream.

Nothing on it is a wish: an event is published only after COMMIT. It holds the newest events in memory and no queue per
listener: a listener asks for what came after its own cursor, so a slow one costs nobody anything. Who fell behind the
memory reads the journal.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from itertools import islice

from firmware_py.core.events import Event


class Bus:
    """The newest committed events, in `seq` order."""

    def __init__(self, head: int, keep: int = 4096) -> None:
        self._recent: deque[Event] = deque(maxlen=keep)
        self._changed = threading.Condition()
        self._head = head
        self._closed = False

    @property
    def head(self) -> int:
        """The newest committed event's seq (0 in an empty journal)."""
        return self._head

    @property
    def closed(self) -> bool:
        """True once the node is stopping: no more events will come."""
        return self._closed

    def publish(self, events: Sequence[Event]) -> None:
        """Called by the journal's writer after COMMIT, with the whole group at once."""
        with self._changed:
            self._recent.extend(events)
            self._head = events[-1].seq
            self._changed.notify_all()

    def wait(self, after: int, timeout_s: float) -> bool:
        """Wait until there is an event after `after`, at most `timeout_s`; True if there is."""
        with self._changed:
            self._changed.wait_for(lambda: self._head > after or self._closed, timeout_s)
            return self._head > after

    def after(self, seq: int, limit: int = 500) -> list[Event] | None:
        """Up to `limit` events after `seq`; None if the memory no longer reaches back that far (read the journal)."""
        with self._changed:
            return self._after(seq, limit)

    def next(self, seq: int, limit: int, timeout_s: float) -> list[Event] | None:
        """`wait` and `after` in one: empty when nothing came in `timeout_s`, or the bus is closed.

        Every listener of the live stream stands here; one that wakes takes the lock once.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._head > seq or self._closed, timeout_s)
            return self._after(seq, limit)

    def _after(self, seq: int, limit: int) -> list[Event] | None:
        if seq >= self._head:
            return []
        if not self._recent or self._recent[0].seq > seq + 1:
            return None
        # The writer numbers events itself and a rolled-back savepoint gives its numbers back: there are no gaps here.
        missing = self._recent[-1].seq - seq
        # From the newest end: a deque is walked, and almost everybody lacks only the last event.
        found = list(islice(reversed(self._recent), max(0, missing - limit), missing))
        found.reverse()
        return found

    def close(self) -> None:
        """Wake all who wait; idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
