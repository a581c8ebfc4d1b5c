"""Opening the city's database: its tables are made or brought up to date, and a restore is noticed."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, insert, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from sync.receiver import home, migration, partitions
from sync.receiver.database import DatabaseUnusable, because, engine_for, shown, warn_if_careless, writing
from sync.receiver.tables import metadata, schema_version, settings_of

SCHEMA_VERSION = 2


def open_engine(database_url: str) -> Engine:
    """An engine whose tables exist; the store id is created with them.

    Raises:
        DatabaseUnusable: the address is wrong, the database cannot be opened, or has another schema version.
    """
    engine = engine_for(database_url)
    try:
        found, settings = _prepare(engine)
    except SQLAlchemyError as error:
        engine.dispose()
        raise DatabaseUnusable(f"the database {shown(engine)} cannot be opened: {because(engine, error)}") from None
    if found != SCHEMA_VERSION:
        engine.dispose()
        raise DatabaseUnusable(
            f"the database {shown(engine)} has schema {found}, this program needs {SCHEMA_VERSION}: "
            "use the program version that made it, or another database"
        )
    home.remember(engine, settings)
    return engine


def _prepare(engine: Engine) -> tuple[int | None, dict[str, str]]:
    """Create what is missing in a new database, migrate an older one; its schema version, and its settings."""
    with writing(engine) as connection:
        warn_if_careless(connection)
        partitions.hold_lock(connection)  # two receivers that start together make the tables once
        if not inspect(connection).has_table(schema_version.name):
            _make(connection)
            return SCHEMA_VERSION, settings_of(connection)
        found = _version(connection)
        if found == 1 and not partitions.is_parted(connection):
            migration.from_1_to_2(connection)
            found = _version(connection)
        return found, home.recognise(connection) if found == SCHEMA_VERSION else {}


def _make(connection: Connection) -> None:
    metadata.create_all(connection)
    partitions.make_past(connection)
    connection.execute(insert(schema_version).values(version=SCHEMA_VERSION))
    home.found(connection)


def _version(connection: Connection) -> int | None:
    return connection.execute(select(schema_version.c.version)).scalar()
