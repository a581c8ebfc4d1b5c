"""The city's tables. SQLAlchemy Core with portable types: one definition for SQLite and PostgreSQL.

Times are ISO 8601 texts in UTC, of one width, and compared byte by byte (collation "C"), so that their order as texts is
their order in time in every database.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.dialects.postgresql import VARCHAR
from sqlalchemy.types import TypeEngine

from firmware_py.core.events import canonical_json

metadata = MetaData()


def _word(length: int) -> TypeEngine[str]:
    """A text that people do not sort: no locale's rules, in no database."""
    return String(length).with_variant(VARCHAR(length, collation="C"), "postgresql")


schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

#: `store`: this database's id, renewed by a restore. `home`, `mark`: how a restore is noticed (see `home.py`).
#: `sealed_before`: hours before it accept nothing any more.
setting = Table(
    "setting",
    metadata,
    Column("key", _word(64), primary_key=True),
    Column("value", Text, nullable=False),
)

node = Table(
    "node",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site", _word(64), nullable=False),
    Column("name", _word(64), nullable=False),
    Column("token_sha256", _word(64), nullable=False, unique=True),
    Column("last_seen", _word(32)),  # when its newest batch was taken, by the city's clock
    UniqueConstraint("site", "name"),
)

reader = Table(
    "reader",
    metadata,
    Column("name", _word(64), primary_key=True),
    Column("token_sha256", _word(64), nullable=False, unique=True),
)

#: PostgreSQL keeps it month by month (`partitions.py`). Nothing refers to it and it refers to nothing by a foreign key: a month
#: must come and go without a lock on another table. (Whoever writes here has locked its node's row.)
bucket = Table(
    "bucket",
    metadata,
    Column("node_id", Integer, primary_key=True, autoincrement=False),
    Column("hour", _word(32), primary_key=True),
    Column("epoch", _word(128), primary_key=True),
    Column("series_key", LargeBinary(16), primary_key=True),
    Column("series", _word(64), nullable=False),
    Column("labels", Text, nullable=False),  # canonical JSON
    Column("simulated", Boolean, nullable=False),
    Column("definition", Integer, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("final", Boolean, nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("value", Text, nullable=False),  # canonical JSON, as on the wire
    Column("amount", BigInteger),  # what is summed: a count, or milliseconds; NULL for histograms
    Column("received_at", _word(32), nullable=False),
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (hour)",
)

#: Each series' sum over all epochs and hours, kept in step with `bucket` in the same transaction: the scoreboard of all time
#: costs what there are series, not what there are years. Hours whose buckets were dropped under the seal stay in it.
total = Table(
    "total",
    metadata,
    Column("node_id", ForeignKey("node.id"), primary_key=True),
    Column("series_key", LargeBinary(16), primary_key=True),
    Column("simulated", Boolean, nullable=False),
    Column("series", _word(64), nullable=False),
    Column("labels", Text, nullable=False),
    Column("definition", Integer, nullable=False),
    Column("amount", BigInteger, nullable=False),
)

#: The same bucket and revision with other content: evidence, never applied. The digest keeps repeats from growing it. It says
#: itself which bucket is meant, so that it outlives it.
disputed = Table(
    "disputed",
    metadata,
    Column("node_id", ForeignKey("node.id"), primary_key=True),
    Column("hour", _word(32), primary_key=True),
    Column("epoch", _word(128), primary_key=True),
    Column("series_key", LargeBinary(16), primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("value_sha256", _word(64), primary_key=True),
    Column("series", _word(64), nullable=False),
    Column("labels", Text, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("definition", Integer, nullable=False),
    Column("value", Text, nullable=False),
    Column("batch", _word(64), nullable=False),
    Column("received_at", _word(32), nullable=False),
)

#: The head of a node's chain of hashes when it sent a batch: a later edit of the node's history cannot reproduce it.
chain_head = Table(
    "chain_head",
    metadata,
    Column("node_id", ForeignKey("node.id"), primary_key=True),
    Column("head", _word(128), primary_key=True),
    Column("batch", _word(64), nullable=False),
    Column("received_at", _word(32), nullable=False),
)


def series_key(series: str, labels: str, *, simulated: bool, definition: int) -> bytes:
    """What stands for a series' identity in every index: labels may be longer than PostgreSQL's index takes (2.7 kB)."""
    identity = canonical_json([series, labels, simulated, definition])
    return hashlib.sha256(identity.encode()).digest()[:16]


def store_id(connection: Connection) -> str:
    """The id of this database's history."""
    return str(connection.execute(select(setting.c.value).where(setting.c.key == "store")).scalar_one())


def settings_of(connection: Connection) -> dict[str, str]:
    """All of `setting`: a handful of rows."""
    return {row.key: row.value for row in connection.execute(select(setting.c.key, setting.c.value))}
