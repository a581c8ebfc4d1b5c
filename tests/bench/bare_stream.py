"""The floor of the live stream: waitress, a condition, and events that are bytes already. No line of this product.

Arguments: port, file for the times, seconds between two events. An event is made for each line on stdin.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import waitress

THREADS = 48  # as many as the node has
DATA = '{"seq":%d,"time":"2026-11-23T01:02:03.456Z","type":"rating.given","source":"http","simulated":true,"data":{"counter":"1"}}'


class Feed:
    """The newest event's number, and its bytes."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.seq = 0
        self.frame = b""

    def publish(self) -> int:
        """One more event; the time at which it was there."""
        frame = f"id: 01234567-89ab-7def-8123-456789abcdef:{self.seq + 1}\nevent: rating.given\ndata: {DATA % (self.seq + 1)}\n\n"
        at_ns = time.monotonic_ns()
        with self.changed:
            self.seq, self.frame = self.seq + 1, frame.encode()
            self.changed.notify_all()
        return at_ns

    def app(self, _environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/event-stream; charset=utf-8")])
        return self.frames()

    def frames(self) -> Iterator[bytes]:
        yield b": bare\n\n"
        seen = self.seq
        while True:
            with self.changed:
                self.changed.wait_for(lambda seen=seen: self.seq > seen)
                seen, frame = self.seq, self.frame
            yield frame


def main(port: int, notes: Path) -> None:
    feed = Feed()
    serving = {"host": "127.0.0.1", "port": port, "threads": THREADS}
    threading.Thread(target=waitress.serve, args=(feed.app,), kwargs=serving, daemon=True).start()
    with notes.open("w", buffering=1, encoding="ascii") as file:
        for _ in sys.stdin:
            at_ns = feed.publish()
            file.write(f"{feed.seq} {at_ns}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
