"""Reaching the city's database by its address: SQLite for a trial or a small city, PostgreSQL for a large one.

Whatever a server's own settings say, an answered batch is on its disk, and no statement waits for ever.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from firmware_py.core.errors import NuCuoiError

logger = logging.getLogger(__name__)
BUSY_TIMEOUT_S = 10  # the longest wait for another writer
CONNECT_TIMEOUT_S = 5
IDLE_TIMEOUT_S = 60  # a receiver that vanished in the middle of a transaction holds its node's lock no longer
CONNECTIONS = 8  # as many as the receiver has threads, each of which holds one at most
POSTGRESQL = "postgresql+psycopg"
OTHER_NAMES = ("postgresql", "postgres")  # as other programs write it


class DatabaseUnusable(NuCuoiError, RuntimeError):
    """The city's database cannot be opened, or was made by another version of this program; the text says what to do."""


def engine_for(database_url: str) -> Engine:
    """An engine for an address; nothing is connected yet.

    Raises:
        DatabaseUnusable: the address cannot be used; its text never holds the address, which may have a password.
    """
    try:
        url = _spelled_out(make_url(database_url))
        if url.drivername == "sqlite":
            return _sqlite(url)
        if url.drivername == POSTGRESQL:
            return _postgresql(url)
    except ImportError as error:
        raise DatabaseUnusable(
            "PostgreSQL's driver is not installed (or its library is missing): pip install 'psycopg[binary]'"
        ) from error
    except (SQLAlchemyError, ValueError, TypeError) as error:
        raise DatabaseUnusable(_unusable_address(type(error).__name__)) from None
    raise DatabaseUnusable(_unusable_address(f"{url.drivername} is not spoken here"))


def shown(engine: Engine) -> str:
    """The database's address without its password, for people."""
    return engine.url.render_as_string(hide_password=True)


def writing(engine: Engine) -> AbstractContextManager[Connection]:
    """One writing transaction, as a context: it holds SQLite's write lock from its start.

    A transaction that reads first and locks later would fail as "database is locked" under two writers.
    """
    return engine.execution_options(writes=True).begin()


def because(engine: Engine, error: SQLAlchemyError) -> str:
    """Why the database cannot be opened, and what to do, in the words of its operator."""
    cause = getattr(error, "orig", None) or error
    text = " ".join(str(cause).split())
    if engine.url.password:
        text = text.replace(str(engine.url.password), "***")
    return f"{text}{_what_to_do(engine.url, text, getattr(cause, 'sqlstate', None))}"


def warn_if_careless(connection: Connection) -> None:
    """Say so when the server does not wait for its disk: that is no setting of a session, and nothing here can mend it."""
    if connection.dialect.name == "postgresql" and connection.exec_driver_sql("SHOW fsync").scalar() == "off":
        logger.warning("PostgreSQL runs with fsync = off: what the nodes were told is kept may be lost with the power")


def _what_to_do(url: URL, text: str, sqlstate: str | None) -> str:
    # While connecting, libpq hands on the server's words and no code; the server may speak another language.
    if sqlstate == "3D000" or f'database "{url.database}" does not exist' in text:
        return f". Make it first: createdb {url.database}"
    if sqlstate in ("28P01", "28000") or "password authentication failed" in text or "no password supplied" in text:
        return ". Give this user's password: postgresql://USER:PASSWORD@HOST/DATABASE, or a file that $PGPASSFILE names"
    if "Connection refused" in text or "No such file or directory" in text:
        return ". Is PostgreSQL running there, and does it listen on this address (listen_addresses)?"
    if sqlstate == "42501":
        return f". The user {url.username} must be allowed to make tables: it should own the database"
    return ""


def _unusable_address(reason: str) -> str:
    return (
        f"the database's address cannot be used ({reason}): write sqlite:///FILE "
        "or postgresql://USER:PASSWORD@HOST/DATABASE"
    )


def _spelled_out(url: URL) -> URL:
    return url.set(drivername=POSTGRESQL) if url.drivername in OTHER_NAMES else url


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, hide_parameters=True)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


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


def _postgresql(url: URL) -> Engine:
    """What the address itself says (`?sslmode=verify-full`) comes before what is set here."""
    usual = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "nucuoi-receiver"}
    engine = create_engine(
        url,
        connect_args={name: value for name, value in usual.items() if name not in url.query},
        hide_parameters=True,  # an error is logged; what was sent is not for the log
        isolation_level="READ COMMITTED",  # the node's row is the lock; what follows it must see what it waited for
        pool_size=CONNECTIONS,
        pool_pre_ping=True,  # a server that was started again is found again, without losing a request
    )
    event.listen(engine, "connect", _set_up_postgresql)
    return engine


def _set_up_postgresql(dbapi_connection: Any, _record: object) -> None:
    was_autocommit = dbapi_connection.autocommit
    dbapi_connection.autocommit = True
    for name, value_ms in (
        ("lock_timeout", BUSY_TIMEOUT_S * 1000),
        ("idle_in_transaction_session_timeout", IDLE_TIMEOUT_S * 1000),
    ):
        dbapi_connection.execute(f"SET {name} = {value_ms}")
    # An answer promises that the batch survives a power cut. A stronger setting (a standby's word) is left as it is.
    dbapi_connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
    dbapi_connection.autocommit = was_autocommit
