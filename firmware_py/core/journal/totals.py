"""What every series adds up to over all hours and epochs: the running sums that never read the whole journal twice.

Only the running epoch's buckets are ever written. So the sums of the closed ones are taken once per process, when somebody
asks first, a slice at a time; and what this process folds is added in memory, after each COMMIT. Asking costs as much as
there are series, however long the past is.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from typing import NamedTuple

from firmware_py.core.journal.folding import Key
from firmware_py.core.journal.reading import Readers
from firmware_py.core.ports import SeriesTotal
from firmware_py.core.series import add_parts, parts_of

SLICE_BUCKETS = 1000  # read at once: a few milliseconds of processor and memory, and presses go on in between
_SLICE = (
    "SELECT id, series, labels, simulated, definition, value FROM bucket WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"
)


class _Identity(NamedTuple):
    """A series with its labels, apart from hour and epoch."""

    series: str
    labels: str
    simulated: int
    definition: int


Sums = dict[_Identity, tuple[int, ...]]


class RunningTotals:
    """The sums of one journal.

    Args:
        readers: where closed epochs' buckets are read.
        closed_up_to: the newest bucket's id when the process started; all of the running epoch come after it.
    """

    def __init__(self, readers: Readers, closed_up_to: int) -> None:
        self._readers = readers
        self._closed_up_to = closed_up_to
        self._read_up_to = 0
        self._closed: Sums = {}
        self._reading = threading.Lock()
        self._running: Sums = {}
        self._folding = threading.Lock()

    def add(self, folded: Iterable[tuple[Key, tuple[int, ...]]]) -> None:
        """What a group has just committed; called by the journal's writer before anybody is answered."""
        with self._folding:
            for (_, series, labels, _, simulated, definition), parts in folded:
                _add(self._running, _Identity(series, labels, simulated, definition), parts)

    def read(self, within_s: float) -> list[SeriesTotal] | None:
        """All sums as of now; None if the closed epochs are not added up within `within_s`: ask again."""
        deadline_s = time.monotonic() + within_s
        if not self._reading.acquire(timeout=within_s):
            return None
        try:
            while self._read_up_to < self._closed_up_to:
                self._read_slice()
                if self._read_up_to < self._closed_up_to and time.monotonic() > deadline_s:
                    return None
        finally:
            self._reading.release()
        sums = dict(self._closed)
        with self._folding:
            for identity, parts in self._running.items():
                _add(sums, identity, parts)
        return [
            SeriesTotal(one.series, json.loads(one.labels), one.definition, bool(one.simulated), parts)
            for one, parts in sums.items()
        ]

    def _read_slice(self) -> None:
        rows = self._readers.rows(_SLICE, (self._read_up_to, self._closed_up_to, SLICE_BUCKETS))
        for _, series, labels, simulated, definition, value in rows:
            _add(self._closed, _Identity(series, labels, simulated, definition), parts_of(json.loads(value)))
        self._read_up_to = rows[-1][0] if len(rows) == SLICE_BUCKETS else self._closed_up_to


def _add(sums: Sums, identity: _Identity, parts: tuple[int, ...]) -> None:
    known = sums.get(identity)
    sums[identity] = parts if known is None else add_parts(known, parts)
