"""The outbox: what the city has not accepted in its latest revision, and what its answers change.

The tables `bucket`, `hour_link` and `sync_state` belong to the journal. A bucket is pending while `pending_since` is set;
`accepted_revision` is the newest that the city confirmed; a `rejected_code` keeps a bucket here, visible, until it changes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from firmware_py.core.clock import Clock, iso, parse_iso
from firmware_py.core.ports import JournalPort, OutboxFigures, Reader, Transaction
from sync.batching import HourKey, Link, PendingHour, Unit, first_batch, units_of
from sync.parts import first_parts, parts_of
from sync.protocol import BatchAnswer, BucketResult

WRITE_DEADLINE_S = 30.0
SLICE_BUCKETS = 5000  # forgotten at once: presses wait for no more
CONFLICT = "conflict"

# All of these read through the partial indices of what is pending or rejected, never through all that is kept.
PENDING_FIGURES = "SELECT count(*), min(pending_since) FROM bucket WHERE pending_since IS NOT NULL"
REJECTED_FIGURE = "SELECT count(*) FROM bucket WHERE rejected_code IS NOT NULL"
PENDING_HOURS = """SELECT epoch, hour, count(*), min(pending_since) FROM bucket
    WHERE pending_since IS NOT NULL GROUP BY epoch, hour"""
LINKS = """SELECT epoch, hour_a, hour_b FROM hour_link
    WHERE epoch IN (SELECT DISTINCT epoch FROM bucket WHERE pending_since IS NOT NULL)"""
COLUMNS = "id, epoch, series, labels, hour, revision, definition, final, partial, simulated, value"
# CROSS JOIN and INDEXED BY: looked up hour by hour; left alone, the planner may walk the whole table for its order.
BUCKETS = f"""WITH wanted (epoch, hour) AS (VALUES {{places}})
    SELECT {COLUMNS}
    FROM wanted CROSS JOIN bucket INDEXED BY bucket_pending USING (epoch, hour)
    WHERE pending_since IS NOT NULL ORDER BY hour, epoch, id"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class LoadedBucket:
    """One bucket as it was read; `wire` is what is sent."""

    id: int
    key: HourKey
    revision: int
    wire: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Load:
    """One batch's worth. `read_at` is before the reading: what changed later is pending since then.

    `parts`: how many pieces it could be sent in; with one it cannot be made smaller.
    """

    buckets: tuple[LoadedBucket, ...]
    parts: int
    read_at: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What an answer changed. `relayed`: hours that a relay keeps and the city has not confirmed yet."""

    accepted: int
    rejected: int
    relayed: frozenset[HourKey]
    new_store: bool


class Outbox:
    """Reads batches out of the journal, and writes the city's answers into it (through the journal's own writer)."""

    def __init__(self, journal: JournalPort, clock: Clock, *, slice_buckets: int = SLICE_BUCKETS) -> None:
        self._journal = journal
        self._clock = clock
        self._slice_buckets = slice_buckets

    def load(self, max_buckets: int, resting: Collection[HourKey] = ()) -> Load | None:
        """The oldest units, up to `max_buckets`; of one that alone is more, as many parts as fit. None: nothing to send."""
        reader = self._journal.reader()
        while True:
            read_at = iso(self._clock.now().utc)
            links = _links(reader)
            pending = [PendingHour(HourKey(row[0], row[1]), row[2], row[3]) for row in reader.rows(PENDING_HOURS)]
            batch = first_batch(units_of(pending, links), max_buckets, resting)
            if not batch:
                return None
            buckets = _buckets(reader, batch)
            # Each statement is a snapshot of its own: a correction committed in between may have joined hours anew.
            if buckets and _links(reader) == links:
                return _cut(buckets, batch, max_buckets, read_at)

    def apply(self, load: Load, answer: BatchAnswer) -> Applied:
        """Write down the city's word on a batch; durable when this returns.

        Raises:
            JournalError: it could not be kept; the batch will be sent again, which does no harm.
        """
        self._forget_if_new(answer.store)
        return self._journal.run(lambda tx: _apply(tx, load, answer)).result(WRITE_DEADLINE_S)

    def _forget_if_new(self, store: str) -> None:
        """A city restored from a backup has a new id and may lack anything: everything is to be sent again.

        Slice by slice, so that presses are written in between. The new id is written last, with the answer itself: after
        a power cut in the middle all of it is done again, and what was forgotten stays forgotten.
        """
        reader = self._journal.reader()
        if _known_store(reader) == store:
            return
        newest = (reader.row("SELECT max(id) FROM bucket") or (None,))[0] or 0
        for after in range(0, newest, self._slice_buckets):
            self._forget(after, after + self._slice_buckets)

    def _forget(self, after: int, up_to: int) -> None:
        self._journal.run(lambda tx: _forget(tx, after, up_to)).result(WRITE_DEADLINE_S)

    def figures(self) -> OutboxFigures:
        """See `figures`."""
        return figures(self._journal.reader(), self._clock.now().utc)


def figures(reader: Reader, now: datetime) -> OutboxFigures:
    """What is pending and since when; costs what is pending, not what is kept."""
    pending, oldest = reader.rows(PENDING_FIGURES)[0]
    rejected = reader.rows(REJECTED_FIGURE)[0][0]
    accepted = reader.row("SELECT value FROM sync_state WHERE key = 'last_accepted_at'")
    age_s = None if oldest is None else max(0.0, round((now - parse_iso(oldest)).total_seconds(), 3))
    return OutboxFigures(pending, age_s, accepted[0] if accepted else None, rejected)


def _links(reader: Reader) -> set[Link]:
    return {Link(*row) for row in reader.rows(LINKS)}


def _buckets(reader: Reader, batch: Collection[Unit]) -> tuple[LoadedBucket, ...]:
    keys = [key for unit in batch for key in unit.hours]
    sql = BUCKETS.format(places=", ".join(["(?, ?)"] * len(keys)))
    return tuple(loaded(row) for row in reader.rows(sql, [part for key in keys for part in key]))


def _cut(buckets: tuple[LoadedBucket, ...], batch: Sequence[Unit], max_buckets: int, read_at: str) -> Load:
    """The city made the batches so small that not even one hour fits: its parts go one after the other."""
    if len(batch) > 1:
        return Load(buckets, len(batch), read_at)
    wires, hours = [bucket.wire for bucket in buckets], len(batch[0].hours)
    if len(buckets) > max_buckets:
        buckets = tuple(buckets[index] for index in first_parts(wires, hours, max_buckets))
        wires = [bucket.wire for bucket in buckets]
    return Load(buckets, len(parts_of(wires, hours)), read_at)


def loaded(row: tuple[Any, ...]) -> LoadedBucket:
    """A bucket from a row of COLUMNS."""
    id_, epoch, series, labels, hour, revision, definition, final, partial, simulated, value = row
    wire = {
        "epoch": epoch,
        "series": series,
        "labels": json.loads(labels),
        "hour": hour,
        "revision": revision,
        "definition": definition,
        "final": bool(final),
        "partial": bool(partial),
        "simulated": bool(simulated),
        "value": json.loads(value),
    }
    return LoadedBucket(id_, HourKey(epoch, hour), revision, wire)


def _apply(tx: Transaction, load: Load, answer: BatchAnswer) -> Applied:
    now = iso(tx.moment.utc)
    known = _known_store(tx)
    if known != answer.store:
        _set_state(tx, "store", answer.store)
    accepted = rejected = 0
    relayed: set[HourKey] = set()
    for result in answer.results:
        bucket = load.buckets[result.index]
        if result.outcome in ("accepted", "stale"):  # stale: the city has something better under this key
            _mark_accepted(tx, bucket, load.read_at)
            accepted += 1
        elif result.outcome == "relayed":
            relayed.add(bucket.key)
        else:
            _mark_rejected(tx, bucket, _code(result))
            rejected += 1
    if accepted:
        _set_state(tx, "last_accepted_at", now)
    return Applied(accepted, rejected, frozenset(relayed), new_store=known not in (None, answer.store))


def _code(result: BucketResult) -> str:
    return CONFLICT if result.outcome == "conflict" else result.code or "unspecified"


def _known_store(reader: Reader) -> str | None:
    """The store that what is marked as accepted or rejected was marked for."""
    known = reader.row("SELECT value FROM sync_state WHERE key = 'store'")
    return None if known is None else str(known[0])


def _forget(tx: Transaction, after: int, up_to: int) -> None:
    """What the city said of the buckets with these ids no longer counts."""
    tx.execute(
        """UPDATE bucket SET accepted_revision = 0, rejected_code = NULL, pending_since = coalesce(pending_since, ?)
           WHERE id > ? AND id <= ? AND (accepted_revision > 0 OR rejected_code IS NOT NULL)""",
        (iso(tx.moment.utc), after, up_to),
    )


def _mark_accepted(tx: Transaction, bucket: LoadedBucket, read_at: str) -> None:
    """What moved on since the reading stays pending, since the reading; an acceptance never goes back."""
    tx.execute(
        """UPDATE bucket SET accepted_revision = max(accepted_revision, ?),
               pending_since = CASE WHEN revision > ? THEN ? END
           WHERE id = ? AND epoch = ? AND hour = ? AND pending_since IS NOT NULL""",
        (bucket.revision, bucket.revision, read_at, bucket.id, *bucket.key),
    )


def _mark_rejected(tx: Transaction, bucket: LoadedBucket, code: str) -> None:
    tx.execute(
        """UPDATE bucket SET rejected_code = ?, pending_since = NULL
           WHERE id = ? AND epoch = ? AND hour = ? AND revision = ? AND pending_since IS NOT NULL""",
        (code, bucket.id, *bucket.key, bucket.revision),
    )


def _set_state(tx: Transaction, key: str, value: str) -> None:
    tx.execute("INSERT OR REPLACE INTO sync_state (key, value) VALUES (?, ?)", (key, value))
