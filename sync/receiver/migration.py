"""Bringing an older city's database up to date, in one transaction. SQLite only: schema 1 was never on PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Table, text, update

from sync.receiver import upserts
from sync.receiver.tables import bucket, disputed, metadata, schema_version, series_key, total

SLICE_ROWS = 5000
CHANGED = (bucket, total, disputed)


def from_1_to_2(connection: Connection) -> None:
    """Buckets, totals and disputes are found by their series' digest; `home` is written by whoever opens it next."""
    connection.execute(text("DROP INDEX bucket_of_hour"))
    for table in CHANGED:
        connection.execute(text(f"ALTER TABLE {table.name} RENAME TO {table.name}_1"))
    metadata.create_all(connection)
    _copy(connection, "SELECT * FROM bucket_1", bucket)
    _copy(connection, "SELECT * FROM total_1", total)
    _copy(
        connection,
        "SELECT d.*, b.node_id, b.hour, b.epoch, b.series, b.labels, b.simulated, b.definition "
        "FROM disputed_1 AS d JOIN bucket_1 AS b ON b.id = d.bucket_id",
        disputed,
    )
    for name in ("disputed_1", "total_1", "bucket_1"):
        connection.execute(text(f"DROP TABLE {name}"))
    connection.execute(update(schema_version).values(version=2))


def _copy(connection: Connection, query: str, table: Table) -> None:
    for rows in connection.execute(text(query)).partitions(SLICE_ROWS):
        upserts.put(connection, table, [_row(row, table) for row in rows])


def _row(row: Row[Any], table: Table) -> dict[str, Any]:
    """The old row under its new key; what is gone (numbers of rows) stays behind."""
    old = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's own name for it
    for name in ("simulated", "final", "partial"):
        if name in old:
            old[name] = bool(old[name])
    key = series_key(old["series"], old["labels"], simulated=old["simulated"], definition=old["definition"])
    return {name: value for name, value in (old | {"series_key": key}).items() if name in table.c}
