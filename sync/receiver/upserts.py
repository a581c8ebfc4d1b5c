"""Writing many rows with one statement, in the words that SQLite and PostgreSQL share: INSERT ... ON CONFLICT.

SQLite takes the rows one by one in a loop of C. For PostgreSQL that loop is the most expensive part of a batch (500 messages
each way), so all rows of a batch go as one JSON text, and the server makes them a table.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import Connection, Table, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects import postgresql, sqlite

Rows = Sequence[dict[str, Any]]
Conflict = Literal["replace", "keep", "add"]
ROWS = "rows"


def put(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert, or replace what stands under the same key."""
    _write(connection, table, rows, "replace")


def put_once(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert; what stands under the same key stays as it is."""
    _write(connection, table, rows, "keep")


def add(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert, or add to the `amount` of what stands under the same key."""
    _write(connection, table, rows, "add")


def _write(connection: Connection, table: Table, rows: Rows, conflict: Conflict) -> None:
    """Every row has every column of the table, and no key stands twice."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(_from_json(table, conflict), {ROWS: json.dumps(rows, default=_bytea)})
    else:
        connection.execute(_settled(sqlite.insert(table), table, conflict), rows)


@lru_cache
def _from_json(table: Table, conflict: Conflict) -> Any:
    columns = [column(each.name, each.type) for each in table.c]
    rows = cast(bindparam(ROWS, type_=Text), postgresql.JSON)
    records = func.json_to_recordset(rows).table_valued(*columns).render_derived(with_types=True)
    inserted = postgresql.insert(table).from_select([each.name for each in columns], select(records))
    return _settled(inserted, table, conflict)


def _settled(statement: Any, table: Table, conflict: Conflict) -> Any:
    if conflict == "keep":
        return statement.on_conflict_do_nothing()
    if conflict == "add":
        change = {"amount": table.c.amount + statement.excluded.amount}
    else:
        change = {each.name: statement.excluded[each.name] for each in table.c if not each.primary_key}
    return statement.on_conflict_do_update(index_elements=table.primary_key.columns, set_=change)


def _bytea(value: bytes) -> str:
    """Bytes as PostgreSQL reads them from a text."""
    return f"\\x{value.hex()}"
