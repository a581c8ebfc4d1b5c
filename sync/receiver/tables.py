"""The city's tables, and the engine that keeps them. SQLAlchemy Core with portable types: SQLite here, PostgreSQL later.

Times are ISO 8601 texts in UTC, of one width, so that their order as texts is their order in time in every database.
"""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from firmware_py.core.errors import NuCuoiError

SCHEMA_VERSION = 1
BUSY_TIMEOUT_S = 10

metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

#: `store`: this database's id, renewed by a restore. `sealed_before`: hours before it accept nothing any more.
setting = Table(
    "setting",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

node = Table(
    "node",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("token_sha256", String(64), nullable=False, unique=True),
    Column("last_seen", String(32)),  # when its newest batch was taken, by the city's clock
    UniqueConstraint("site", "name"),
)

reader = Table(
    "reader",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("token_sha256", String(64), nullable=False, unique=True),
)

bucket = Table(
    "bucket",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("node_id", ForeignKey("node.id"), nullable=False),
    Column("epoch", String(128), nullable=False),
    Column("series", String(64), nullable=False),
    Column("labels", Text, nullable=False),  # canonical JSON
    Column("simulated", Boolean, nullable=False),
    Column("definition", Integer, nullable=False),
    Column("hour", String(32), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("final", Boolean, nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("value", Text, nullable=False),  # canonical JSON, as on the wire
    Column("amount", BigInteger),  # what is summed: a count, or milliseconds; NULL for histograms
    Column("received_at", String(32), nullable=False),
    UniqueConstraint("node_id", "epoch", "series", "labels", "simulated", "definition", "hour"),
    Index("bucket_of_hour", "node_id", "hour", "series"),
)

#: Each series' sum over all epochs and hours, kept in step with `bucket` in the same transaction: the scoreboard of all time
#: costs what there are series, not what there are years.
total = Table(
    "total",
    metadata,
    Column("node_id", ForeignKey("node.id"), primary_key=True),
    Column("simulated", Boolean, primary_key=True),
    Column("series", String(64), primary_key=True),
    Column("labels", Text, primary_key=True),
    Column("definition", Integer, primary_key=True),
    Column("amount", BigInteger, nullable=False),
)

#: The same bucket and revision with other content: evidence, never applied. The digest keeps repeats from growing it.
disputed = Table(
    "disputed",
    metadata,
    Column("bucket_id", ForeignKey("bucket.id"), primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("value_sha256", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    Column("batch", String(64), nullable=False),
    Column("received_at", String(32), nullable=False),
)

#: The head of a node's chain of hashes when it sent a batch: a later edit of the node's history cannot reproduce it.
chain_head = Table(
    "chain_head",
    metadata,
    Column("node_id", ForeignKey("node.id"), primary_key=True),
    Column("head", String(128), primary_key=True),
    Column("batch", String(64), nullable=False),
    Column("received_at", String(32), nullable=False),
)


class DatabaseUnusable(NuCuoiError, RuntimeError):
    """The city's database cannot be opened, or was made by another version of this program; the text says what to do."""


def open_engine(database_url: str) -> Engine:
    """An engine whose tables exist; the store id is created with them.

    Raises:
        DatabaseUnusable: the address is wrong, the database cannot be opened, or has another schema version.
    """
    try:
        url = make_url(database_url)
        engine = create_engine(url)
    except (SQLAlchemyError, ImportError) as error:
        raise DatabaseUnusable(
            f"the database's address cannot be used ({type(error).__name__}): write sqlite:///FILE"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    shown = url.render_as_string(hide_password=True)
    try:
        found = _prepare(engine)
    except SQLAlchemyError as error:
        engine.dispose()
        raise DatabaseUnusable(f"the database {shown} cannot be opened: {error}") from error
    if found != SCHEMA_VERSION:
        engine.dispose()
        raise DatabaseUnusable(
            f"the database {shown} has schema {found}, this program needs {SCHEMA_VERSION}: "
            "use the program version that made it, or another database"
        )
    return engine


def _prepare(engine: Engine) -> int | None:
    """Create what is missing in a new database; its schema version."""
    with writing(engine) as connection:
        if not inspect(connection).has_table(schema_version.name):
            metadata.create_all(connection)
            connection.execute(insert(schema_version).values(version=SCHEMA_VERSION))
            connection.execute(insert(setting).values(key="store", value=str(uuid.uuid4())))
        return connection.execute(select(schema_version.c.version)).scalar()


def writing(engine: Engine) -> AbstractContextManager[Connection]:
    """One writing transaction, as a context: it holds SQLite's write lock from its start.

    A transaction that reads first and locks later would fail as "database is locked" under two writers.
    """
    return engine.execution_options(writes=True).begin()


def store_id(connection: Connection) -> str:
    """The id of this database's history."""
    return str(connection.execute(select(setting.c.value).where(setting.c.key == "store")).scalar_one())


def renew_store(engine: Engine) -> str:
    """Give the database a new id, so that every node sends everything again. To be called after each restore.

    Also after the city learnt new definitions: what it rejected before gets another chance.
    """
    new = str(uuid.uuid4())
    with writing(engine) as connection:
        connection.execute(update(setting).where(setting.c.key == "store").values(value=new))
    return new


def _set_up_sqlite(dbapi_connection: Any, _record: object) -> None:
    dbapi_connection.isolation_level = None  # BEGIN is ours (below), not the driver's guess
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_S * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",  # an answer promises that the batch survives a power cut
        "foreign_keys = ON",
    ):
        dbapi_connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
