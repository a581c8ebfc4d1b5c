"""Opening hours for tests, as plain as a test needs them (`timekeeping.Calendar`, `ratings.Doors`, `ticker.Doors`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from firmware_py.core.placing import Span, intersect


class AlwaysOpen:
    """A centre that never closes."""

    def is_open(self, utc: datetime) -> bool:
        return True

    def spans(self, start: datetime, end: datetime) -> list[Span]:
        return [(start, end)] if start < end else []

    def next_change(self, utc: datetime) -> datetime | None:
        return None


class Hours:
    """Open in exactly these spans (UTC, in order, apart from each other)."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = list(spans)

    def is_open(self, utc: datetime) -> bool:
        return any(start <= utc < end for start, end in self._spans)

    def spans(self, start: datetime, end: datetime) -> list[Span]:
        return intersect((start, end), self._spans)

    def next_change(self, utc: datetime) -> datetime | None:
        return min((edge for span in self._spans for edge in span if edge > utc), default=None)
