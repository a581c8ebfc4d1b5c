"""Taking in one batch: one transaction, one answer. What one correction moved becomes visible at once or not at all."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, bindparam, insert, select, update

from firmware_py.core.clock import iso
from firmware_py.core.series import labels_json
from sync.protocol import Batch, BatchAnswer, BucketResult, WireBucket
from sync.receiver.credentials import NodeIdentity
from sync.receiver.merge import Content, Verdict, amount_of, content_of, judge, objection
from sync.receiver.tables import bucket, chain_head, disputed, node, setting, store_id, total, writing


class Key(NamedTuple):
    """What makes two offers the same bucket, within one node."""

    epoch: str
    series: str
    labels: str
    simulated: bool
    definition: int  # a correction of another scale's rating stands beside the running scale's
    hour: str


@dataclass(slots=True)
class _Entry:
    """A bucket's place in the database during one batch."""

    id: int | None
    content: Content
    amount: int | None
    before: int  # what the totals hold of it already
    changed: bool = False


@dataclass(slots=True)
class _Work:
    """What a batch changes, gathered before anything is written."""

    entries: dict[Key, _Entry]
    conflicts: list[tuple[Key, Content]] = field(default_factory=list)


def receive(engine: Engine, origin: NodeIdentity, batch: Batch, now: datetime) -> BatchAnswer:
    """Apply a batch of `origin` in one transaction; the answer may be sent once this returns.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database could not keep it; nothing was changed.
    """
    offered = [_parse(raw) for raw in batch.buckets]
    with writing(engine) as connection:
        # The node's row is the lock: two batches of one node are applied one after the other on every database.
        connection.execute(select(node.c.id).where(node.c.id == origin.id).with_for_update())
        work = _Work(_held(connection, origin, [item for item in offered if item is not None]))
        sealed_before = connection.execute(select(setting.c.value).where(setting.c.key == "sealed_before")).scalar()
        results = [_result(index, _take(work, item, now, sealed_before)) for index, item in enumerate(offered)]
        received_at = iso(now)
        _write(connection, origin, work, received_at)
        _record_conflicts(connection, origin, work.conflicts, batch.batch, received_at)
        _record_head(connection, origin, batch, received_at)
        connection.execute(update(node).where(node.c.id == origin.id).values(last_seen=received_at))
        store = store_id(connection)
    return BatchAnswer(batch=batch.batch, store=store, results=results)


def seal(engine: Engine, before_hour: str) -> None:
    """From now on hours before `before_hour` (`2026-01-01T00:00:00Z`) accept nothing new; it never moves back.

    Raises:
        ValueError: the seal already stands later.
    """
    with writing(engine) as connection:
        where = setting.c.key == "sealed_before"
        current = connection.execute(select(setting.c.value).where(where)).scalar()
        if current is None:
            connection.execute(insert(setting).values(key="sealed_before", value=before_hour))
        elif before_hour < current:
            raise ValueError(f"hours before {current} are sealed already: a seal never moves back")
        else:
            connection.execute(update(setting).where(where).values(value=before_hour))


def _parse(raw: dict[str, Any]) -> WireBucket | None:
    try:
        return WireBucket.model_validate(raw)
    except ValidationError:
        return None


def _key(item: WireBucket) -> Key:
    return Key(item.epoch, item.series, labels_json(item.labels), item.simulated, item.definition, item.hour)


def _held(connection: Connection, origin: NodeIdentity, offered: Sequence[WireBucket]) -> dict[Key, _Entry]:
    """All that is held for the epochs and hours of a batch, in one query."""
    if not offered:
        return {}
    rows = connection.execute(
        select(bucket).where(
            bucket.c.node_id == origin.id,
            bucket.c.hour.in_(sorted({item.hour for item in offered})),
            bucket.c.epoch.in_(sorted({item.epoch for item in offered})),
        )
    )
    return {
        Key(row.epoch, row.series, row.labels, row.simulated, row.definition, row.hour): _Entry(
            row.id, Content(row.revision, row.value, row.final, row.partial), row.amount, row.amount or 0
        )
        for row in rows
    }


def _take(work: _Work, item: WireBucket | None, now: datetime, sealed_before: str | None) -> Verdict:
    """Judge one bucket against what is held and what came earlier in the same batch."""
    if item is None:
        return Verdict("rejected", None, "invalid")
    key = _key(item)
    entry = work.entries.get(key)
    code = objection(item, now)
    if code is not None:
        return Verdict("rejected", entry.content.revision if entry else None, code)
    sealed = sealed_before is not None and item.hour < sealed_before
    offered = content_of(item)
    verdict = judge(entry.content if entry else None, offered, sealed=sealed)
    if verdict.outcome == "conflict":
        work.conflicts.append((key, offered))
    if verdict.keep is not None:
        kept_id, before = (entry.id, entry.before) if entry else (None, 0)
        work.entries[key] = _Entry(kept_id, verdict.keep, amount_of(item), before, changed=True)
    return verdict


def _result(index: int, verdict: Verdict) -> BucketResult:
    return BucketResult(index=index, outcome=verdict.outcome, revision=verdict.revision, code=verdict.code)


def _write(connection: Connection, origin: NodeIdentity, work: _Work, received_at: str) -> None:
    new, changed = [], []
    for key, entry in work.entries.items():
        if not entry.changed:
            continue
        content = entry.content
        values = {
            "revision": content.revision,
            "final": content.final,
            "partial": content.partial,
            "value": content.value,
            "amount": entry.amount,
            "received_at": received_at,
        }
        if entry.id is None:
            new.append({"node_id": origin.id, **key._asdict(), **values})
        else:
            changed.append({"bucket_id": entry.id, **values})
    if new:
        connection.execute(insert(bucket), new)
    if changed:
        connection.execute(update(bucket).where(bucket.c.id == bindparam("bucket_id")), changed)
    _add_to_totals(connection, origin, work)


def _add_to_totals(connection: Connection, origin: NodeIdentity, work: _Work) -> None:
    """What the changed buckets have more, or less, than before. One that became a histogram has nothing to sum any more."""
    more: Counter[tuple[Any, ...]] = Counter()
    for key, entry in work.entries.items():
        if entry.changed and (entry.amount is not None or entry.before):
            difference = (entry.amount or 0) - entry.before
            more[origin.id, key.simulated, key.series, key.labels, key.definition] += difference
    names = [column.name for column in total.primary_key]
    for values, amount in more.items():
        identity = dict(zip(names, values, strict=True))
        same = [total.c[name] == value for name, value in identity.items()]
        done = connection.execute(update(total).where(*same).values(amount=total.c.amount + amount))
        if done.rowcount == 0:
            connection.execute(insert(total).values(**identity, amount=amount))


def _record_conflicts(
    connection: Connection,
    origin: NodeIdentity,
    conflicts: Sequence[tuple[Key, Content]],
    batch: str,
    received_at: str,
) -> None:
    for key, content in conflicts:
        bucket_id = connection.execute(
            select(bucket.c.id).where(
                bucket.c.node_id == origin.id, *(bucket.c[name] == text for name, text in key._asdict().items())
            )
        ).scalar_one()
        digest = hashlib.sha256(content.value.encode()).hexdigest()
        identity = {"bucket_id": bucket_id, "revision": content.revision, "value_sha256": digest}
        _insert_once(
            connection,
            disputed,
            identity,
            {"value": content.value, "batch": batch, "received_at": received_at},
        )


def _record_head(connection: Connection, origin: NodeIdentity, batch: Batch, received_at: str) -> None:
    """When a head was first seen is the evidence: a repeated or late batch does not change it."""
    identity = {"node_id": origin.id, "head": batch.chain_head}
    _insert_once(connection, chain_head, identity, {"batch": batch.batch, "received_at": received_at})


def _insert_once(connection: Connection, table: Any, identity: dict[str, Any], values: dict[str, Any]) -> None:
    found = connection.execute(
        select(table).where(*(table.c[name] == value for name, value in identity.items()))
    ).first()
    if found is None:
        connection.execute(insert(table).values(**identity, **values))
