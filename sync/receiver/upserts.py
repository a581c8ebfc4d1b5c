"""Writing many rows with one statement, in the words that SQLite and PostgreSQL share: INSERT ... ON CONFLICT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Rows = Sequence[dict[str, Any]]


def put(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert, or replace what stands under the same key."""
    statement = _insert(connection, table)
    rest = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    _execute(connection, statement.on_conflict_do_update(index_elements=table.primary_key.columns, set_=rest), rows)


def put_once(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert; what stands under the same key stays as it is."""
    _execute(connection, _insert(connection, table).on_conflict_do_nothing(), rows)


def add(connection: Connection, table: Table, rows: Rows, amount: str) -> None:
    """Insert, or add to the column `amount` of what stands under the same key."""
    statement = _insert(connection, table)
    more = {amount: table.c[amount] + statement.excluded[amount]}
    _execute(connection, statement.on_conflict_do_update(index_elements=table.primary_key.columns, set_=more), rows)


def _insert(connection: Connection, table: Table) -> Any:
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def _execute(connection: Connection, statement: Any, rows: Rows) -> None:
    if rows:
        connection.execute(statement, rows)
