"""Pulling: pages of what changed, for a city (or anybody) that asks instead of being told.

A puller holds, per bucket, the greatest it was ever given (docs/protocol.md), and applies a page in one transaction. What it
must never see is a half of a correction. So a page is one state of the journal, in the order of revisions, and it has *all*
that changed in an hour of which it has anything, and in the hours that corrections link with it:

- all buckets up to the page's last revision are with the puller in this state, and
- so is every bucket of the hours that the page touches: the older ones were given before, the newer ones are in it.

What was given ahead of its revision may come again on a later page, which changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from firmware_py.core.ports import BucketPage, JournalPort, Reader
from sync.batching import HourKey
from sync.cursor import HASH_LENGTH, Place, place_of, text_of
from sync.outbox import COLUMNS, LoadedBucket, loaded

HEAD = "SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1"
# A bucket is live until its hour has ended: those are few. The others are found by revision (core/journal/schema.py).
LIVE = "SELECT revision, id FROM bucket INDEXED BY bucket_live WHERE live = 1 AND revision > ?"
SETTLED = """SELECT revision, id FROM bucket INDEXED BY bucket_settled
    WHERE live = 0 AND revision > ? ORDER BY revision, id LIMIT ?"""
HOURS = """SELECT DISTINCT epoch, hour FROM bucket INDEXED BY bucket_settled
        WHERE live = 0 AND revision > ?1 AND revision <= ?2
    UNION SELECT epoch, hour FROM bucket INDEXED BY bucket_live
        WHERE live = 1 AND revision > ?1 AND revision <= ?2"""
# Put together from constants only.
_WANTED = """WITH wanted (epoch, hour) AS
    (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))"""
LINKED = f"""{_WANTED}
    SELECT epoch, hour_b FROM wanted CROSS JOIN hour_link USING (epoch) WHERE hour_a = hour
    UNION SELECT epoch, hour_a FROM wanted CROSS JOIN hour_link USING (epoch) WHERE hour_b = hour"""  # noqa: S608
BUCKETS = f"""{_WANTED}
    SELECT {COLUMNS} FROM wanted CROSS JOIN bucket INDEXED BY bucket_key USING (epoch, hour)
    WHERE revision > ? ORDER BY revision, id"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class _Head:
    """The newest event of the state that is read."""

    seq: int
    hash: str


def read_page(journal: JournalPort, after: str, limit: int) -> BucketPage:
    """One page after the cursor `after`; costs what is in it, not what is kept.

    Raises:
        BadCursor: `after` is no cursor.
    """
    place = place_of(after)
    with journal.snapshot() as view:
        head = _Head(*(view.row(HEAD) or (0, "")))
        start = place.after if place is not None and _is_ours(view, journal.id, place) else 0
        buckets = _together(view, start, limit)
        missing = _first_missing(view, start, buckets, limit)
    next_ = Place(journal.id, head.seq if missing is None else missing - 1, head.seq, head.hash)
    return BucketPage([bucket.wire for bucket in buckets], text_of(next_), missing is not None)


def _is_ours(view: Reader, journal_id: str, place: Place) -> bool:
    """Whether this journal has the history that the cursor was given from."""
    if place.journal != journal_id:
        return False
    if place.head_seq == 0:
        return True
    row = view.row("SELECT hash FROM event WHERE seq = ?", (place.head_seq,))
    return row is not None and row[0][:HASH_LENGTH] == place.head_hash


def _together(view: Reader, start: int, limit: int) -> Sequence[LoadedBucket]:
    """The first `limit` buckets after `start`, in the order of revisions, and all that belongs together with them."""
    first = _changed(view, start, limit)
    if not first:
        return ()
    up_to = first[-1][0]
    hours = {HourKey(*row) for row in view.rows(HOURS, (start, up_to))}
    wanted = _json(_joined(view, hours))
    return [loaded(row) for row in view.rows(BUCKETS, (wanted, start))]


def _changed(view: Reader, after: int, limit: int) -> list[tuple[int, int]]:
    """(revision, id) of the first `limit` buckets that changed after a revision."""
    return sorted([*view.rows(LIVE, (after,)), *view.rows(SETTLED, (after, limit))])[:limit]


def _joined(view: Reader, hours: set[HourKey]) -> set[HourKey]:
    """These hours and all that corrections link with them, directly or through others."""
    known, new = set(hours), hours
    while new:
        new = {HourKey(*row) for row in view.rows(LINKED, (_json(new),))} - known
        known |= new
    return known


def _first_missing(view: Reader, start: int, given: Sequence[LoadedBucket], limit: int) -> int | None:
    """The revision of the oldest change that is not in the page; None if all of them are."""
    ids = {bucket.id for bucket in given}
    for revision, id_ in _changed(view, start, max(limit, len(given)) + 1):
        if id_ not in ids:
            return revision
    return None


def _json(hours: Iterable[HourKey]) -> str:
    return json.dumps(sorted(hours))
