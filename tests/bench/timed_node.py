"""`nucuoi` whose bus notes when each event was published, which is right after its COMMIT. The first argument is the file."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from firmware_py.cli import main
from firmware_py.core.bus import Bus
from firmware_py.core.events import Event
from firmware_py.core.journal import writer


class TimedBus(Bus):
    """A line `SEQ NANOSECONDS` (of the clock that all processes of a machine share) for each event."""

    notes: Any = None

    def publish(self, events: Sequence[Event]) -> None:
        at_ns = time.monotonic_ns()
        super().publish(events)
        self.notes.write("".join(f"{event.seq} {at_ns}\n" for event in events))


if __name__ == "__main__":
    with Path(sys.argv.pop(1)).open("w", buffering=1, encoding="ascii") as TimedBus.notes:
        writer.Bus = TimedBus  # type: ignore[misc]
        main()
