"""What becomes of an offered bucket: pure rules, no database.

Of all that was ever offered for one key the city keeps the greatest in the order (whole before partial, then revision).
A maximum does not ask in which order things came or how often: late, repeated and reordered batches do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from firmware_py.core.clock import iso_hour
from firmware_py.core.events import canonical_json
from firmware_py.features.ratings.scale import SCALES
from sync.protocol import CountValue, HistogramValue, ResultOutcome, SecondsValue, WireBucket

FUTURE_LIMIT = timedelta(days=1)

#: series the city can read -> (type of value, definitions it knows). Another series is kept as it is and shown nowhere.
KNOWN_SERIES: dict[str, tuple[type, frozenset[int]]] = {
    "ratings": (CountValue, frozenset(SCALES)),
    "ratings_corrected": (CountValue, frozenset({1, 2})),
    "ratings_excluded": (CountValue, frozenset({1})),
    "ratings_hour_estimated": (CountValue, frozenset({1})),
    "rating_delay": (HistogramValue, frozenset({1})),
    "open_seconds": (SecondsValue, frozenset({1})),
    "device_seconds": (SecondsValue, frozenset({1})),
}


@dataclass(frozen=True, slots=True)
class Content:
    """A bucket's content under its key, held or offered. `value` is canonical JSON."""

    revision: int
    value: str
    final: bool
    partial: bool

    @property
    def rank(self) -> tuple[bool, int]:
        """The greatest is kept: one refolded from damaged data never replaces a whole one."""
        return (not self.partial, self.revision)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The word on one offered bucket; `revision` is what the city holds afterwards (None: nothing)."""

    outcome: ResultOutcome
    revision: int | None
    code: str | None = None
    keep: Content | None = None  # what is to be written, if anything


def content_of(bucket: WireBucket) -> Content:
    """The content of a bucket as it came over the wire; 3600 and 3600.0 seconds are one value."""
    value = _value_json(bucket.value)
    return Content(bucket.revision, value, bucket.final, bucket.partial)


def _value_json(value: CountValue | SecondsValue | HistogramValue) -> str:
    """Canonical JSON. Nearly all values are counts: theirs is written without a detour."""
    if isinstance(value, CountValue):
        return f'{{"count":{value.count}}}'
    return canonical_json(value.model_dump())


def amount_of(bucket: WireBucket) -> int | None:
    """What is summed over epochs and hours: a count, or milliseconds."""
    if isinstance(bucket.value, CountValue):
        return bucket.value.count
    if isinstance(bucket.value, SecondsValue):
        return round(bucket.value.seconds * 1000)
    return None


def objection(bucket: WireBucket, now: datetime) -> str | None:
    """The code of what is wrong with a well-formed bucket, whatever is held; None if nothing is."""
    known = KNOWN_SERIES.get(bucket.series)
    if known is not None and not isinstance(bucket.value, known[0]):
        return "invalid"
    if known is not None and bucket.definition not in known[1]:
        return "unknown_definition"
    if bucket.series == "ratings" and not _is_level(bucket.labels.get("level"), bucket.definition):
        return "invalid"
    if bucket.hour > _last_hour(now):
        return "future"
    return None


@lru_cache(maxsize=8)
def _last_hour(now: datetime) -> str:
    """The same for all buckets of a batch."""
    return iso_hour(now + FUTURE_LIMIT)


def _is_level(text: str | None, definition: int) -> bool:
    return text in _levels(definition)


@lru_cache
def _levels(definition: int) -> frozenset[str]:
    return frozenset(str(level) for level in range(1, SCALES[definition].levels + 1))


def judge(held: Content | None, offered: Content, *, sealed: bool) -> Verdict:
    """Decide on one bucket. `sealed`: its hour accepts nothing new; what is held already is still confirmed."""
    if held is not None:
        if offered.rank < held.rank:
            weaker = offered.partial and not held.partial
            return Verdict("stale", held.revision, "partial" if weaker else None)
        if offered.rank == held.rank:
            return _same_revision(held, offered)
    if sealed:
        return Verdict("rejected", held.revision if held else None, "sealed")
    return Verdict("accepted", offered.revision, keep=offered)


def _same_revision(held: Content, offered: Content) -> Verdict:
    if held.value != offered.value:
        return Verdict("conflict", held.revision)
    newly_final = offered.final and not held.final
    return Verdict("accepted", held.revision, keep=offered if newly_final else None)
