"""Taking in one batch: one transaction, one answer. What one correction moved becomes visible at once or not at all."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, select, update

from firmware_py.core.clock import iso
from firmware_py.core.series import labels_json
from sync.protocol import Batch, BatchAnswer, BucketResult, WireBucket
from sync.receiver import home, partitions, upserts
from sync.receiver.credentials import NodeIdentity
from sync.receiver.database import writing
from sync.receiver.merge import Content, Verdict, amount_of, content_of, judge, objection
from sync.receiver.retention import SEALED_BEFORE
from sync.receiver.tables import bucket, chain_head, disputed, node, series_key, total

HELD_COLUMNS = (
    *("hour", "epoch", "series", "labels", "simulated", "definition"),
    *("revision", "value", "final", "partial", "amount"),
)


class Series(NamedTuple):
    """What is summed as one: a correction of another scale's rating stands beside the running scale's."""

    series: str
    labels: str
    simulated: bool
    definition: int

    @property
    def key(self) -> bytes:
        """What stands for it in the database's indices."""
        return _key_of(self)


class Key(NamedTuple):
    """What makes two offers the same bucket, within one node. In the order of the database's index."""

    hour: str
    epoch: str
    series: Series


@dataclass(frozen=True, slots=True)
class _Offer:
    """One well-formed bucket of a batch. `code`: what is wrong with it, whatever is held."""

    key: Key
    content: Content
    amount: int | None
    code: str | None


@dataclass(slots=True)
class _Entry:
    """A bucket's place in the database during one batch."""

    content: Content
    amount: int | None
    before: int  # what the totals hold of it already
    changed: bool = False


@dataclass(slots=True)
class _Work:
    """What a batch changes, gathered before anything is written."""

    entries: dict[Key, _Entry]
    conflicts: list[_Offer] = field(default_factory=list)


def receive(engine: Engine, origin: NodeIdentity, batch: Batch, now: datetime) -> BatchAnswer:
    """Apply a batch of `origin` in one transaction; the answer may be sent once this returns.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database could not keep it; nothing was changed.
    """
    offers = [_read(raw, now) for raw in batch.buckets]
    while True:
        try:
            return _receive(engine, origin, batch, offers, iso(now))
        except partitions.MonthsMissing as missing:  # at the first bucket of each month
            partitions.make_months(engine, missing.months)


def _receive(
    engine: Engine, origin: NodeIdentity, batch: Batch, offers: Sequence[_Offer | None], received_at: str
) -> BatchAnswer:
    with writing(engine) as connection:
        # The node's row is the lock: two batches of one node are applied one after the other on every database.
        connection.execute(update(node).where(node.c.id == origin.id).values(last_seen=received_at))
        settings = home.recognise(connection)
        sealed_before = settings.get(SEALED_BEFORE, "")
        good = [offer for offer in offers if offer is not None and offer.code is None]
        partitions.check_months(connection, (offer.key.hour for offer in good if offer.key.hour >= sealed_before))
        work = _Work(_held(connection, origin, [offer.key for offer in offers if offer is not None]))
        results = [_result(index, _take(work, offer, sealed_before)) for index, offer in enumerate(offers)]
        changed = {key: entry for key, entry in work.entries.items() if entry.changed}
        _write(connection, origin, changed, received_at)
        _add_to_totals(connection, origin, changed)
        _record_conflicts(connection, origin, work.conflicts, batch.batch, received_at)
        _record_head(connection, origin, batch, received_at)
        home.count_batch(connection, settings)
    home.remember(engine, settings)
    return BatchAnswer(batch=batch.batch, store=settings[home.STORE], results=results)


def _read(raw: dict[str, Any], now: datetime) -> _Offer | None:
    """What is offered; None if it is malformed."""
    try:
        item = WireBucket.model_validate(raw)
    except ValidationError:
        return None
    series = Series(item.series, labels_json(item.labels), item.simulated, item.definition)
    return _Offer(Key(item.hour, item.epoch, series), content_of(item), amount_of(item), objection(item, now))


@lru_cache(maxsize=4096)
def _key_of(series: Series) -> bytes:
    return series_key(*series[:2], simulated=series.simulated, definition=series.definition)


def _held(connection: Connection, origin: NodeIdentity, keys: Sequence[Key]) -> dict[Key, _Entry]:
    """All that is held for the epochs and hours of a batch, in one query."""
    if not keys:
        return {}
    hours = sorted({key.hour for key in keys})
    rows = connection.execute(
        select(*(bucket.c[name] for name in HELD_COLUMNS)).where(
            bucket.c.node_id == origin.id,
            # Of a table that nobody has analysed yet (a new month) PostgreSQL reads all, but for a range.
            bucket.c.hour.between(hours[0], hours[-1]),
            bucket.c.hour.in_(hours),
            bucket.c.epoch.in_(sorted({key.epoch for key in keys})),
        )
    )
    return {
        Key(row.hour, row.epoch, Series(row.series, row.labels, row.simulated, row.definition)): _Entry(
            Content(row.revision, row.value, row.final, row.partial), row.amount, row.amount or 0
        )
        for row in rows
    }


def _take(work: _Work, offer: _Offer | None, sealed_before: str) -> Verdict:
    """Judge one bucket against what is held and what came earlier in the same batch."""
    if offer is None:
        return Verdict("rejected", None, "invalid")
    entry = work.entries.get(offer.key)
    held = entry.content if entry else None
    if offer.code is not None:
        return Verdict("rejected", held.revision if held else None, offer.code)
    verdict = judge(held, offer.content, sealed=offer.key.hour < sealed_before)
    if verdict.outcome == "conflict":
        work.conflicts.append(offer)
    if verdict.keep is not None:
        before = entry.before if entry else 0
        work.entries[offer.key] = _Entry(verdict.keep, offer.amount, before, changed=True)
    return verdict


def _result(index: int, verdict: Verdict) -> BucketResult:
    return BucketResult(index=index, outcome=verdict.outcome, revision=verdict.revision, code=verdict.code)


def _place(origin: NodeIdentity, key: Key) -> dict[str, Any]:
    """A bucket's columns that do not change."""
    return {
        "node_id": origin.id,
        "hour": key.hour,
        "epoch": key.epoch,
        "series_key": key.series.key,
        **key.series._asdict(),
    }


def _write(connection: Connection, origin: NodeIdentity, changed: dict[Key, _Entry], received_at: str) -> None:
    rows = [
        {
            **_place(origin, key),
            "revision": entry.content.revision,
            "final": entry.content.final,
            "partial": entry.content.partial,
            "value": entry.content.value,
            "amount": entry.amount,
            "received_at": received_at,
        }
        for key, entry in changed.items()
    ]
    upserts.put(connection, bucket, rows)


def _add_to_totals(connection: Connection, origin: NodeIdentity, changed: dict[Key, _Entry]) -> None:
    """What the changed buckets have more, or less, than before. One that became a histogram has nothing to sum any more."""
    more: Counter[Series] = Counter()
    for key, entry in changed.items():
        if entry.amount is not None or entry.before:
            more[key.series] += (entry.amount or 0) - entry.before
    rows = [
        {"node_id": origin.id, "series_key": series.key, **series._asdict(), "amount": amount}
        for series, amount in more.items()
    ]
    upserts.add(connection, total, rows)


def _record_conflicts(
    connection: Connection, origin: NodeIdentity, conflicts: Sequence[_Offer], batch: str, received_at: str
) -> None:
    rows = [
        {
            **_place(origin, offer.key),
            "revision": offer.content.revision,
            "value_sha256": hashlib.sha256(offer.content.value.encode()).hexdigest(),
            "value": offer.content.value,
            "batch": batch,
            "received_at": received_at,
        }
        for offer in conflicts
    ]
    upserts.put_once(connection, disputed, rows)


def _record_head(connection: Connection, origin: NodeIdentity, batch: Batch, received_at: str) -> None:
    """When a head was first seen is the evidence: a repeated or late batch does not change it."""
    row = {"node_id": origin.id, "head": batch.chain_head, "batch": batch.batch, "received_at": received_at}
    upserts.put_once(connection, chain_head, [row])
