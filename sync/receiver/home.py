"""Noticing that the database was put back from a backup, without anybody having to say so.

A restored city lacks what came after its backup, and the nodes believe that it has it. A new store id makes them send all
of it again. So the id is kept with its *home*, the marks of the place where the database lived when the id was
made, and every batch looks whether that still holds. A false alarm costs a resend; a miss costs figures. docs/protocol.md says
which restores are noticed and which are not.

PostgreSQL: the cluster's identifier, its timeline (point-in-time recovery and promotion begin a new one), the
database, and the transaction that wrote the id (a dump that is loaded writes it anew).

SQLite: the file's path and inode; and since a file can be overwritten in place, a count of batches that is kept in the database
and in a small file beside it: if the database is behind, it was put back.
"""

from __future__ import annotations

import json
import logging
import os
import uuid
from pathlib import Path

from sqlalchemy import Connection, Engine, select, text, update

from sync.receiver import upserts
from sync.receiver.database import writing
from sync.receiver.tables import setting, settings_of

logger = logging.getLogger(__name__)
STORE, HOME, MARK = "store", "home", "mark"
MARK_DIGITS = 20

POSTGRESQL_HOME = text(
    "SELECT (SELECT system_identifier FROM pg_control_system())::text AS cluster, "
    "substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) AS timeline, "
    "(SELECT oid FROM pg_database WHERE datname = current_database())::text AS database, "
    "(SELECT xmin FROM setting WHERE key = 'store')::text AS written_by"
)


def found(connection: Connection) -> None:
    """Settle in a new database: its first store id, and its home."""
    upserts.put(connection, setting, [{"key": STORE, "value": str(uuid.uuid4())}, {"key": MARK, "value": "0"}])
    _settle(connection)


def renew_store(engine: Engine) -> str:
    """Give the database a new id, so that every node sends everything again: after a restore that is not noticed by itself.

    Also after the city learnt new definitions: what it rejected before gets another chance.
    """
    with writing(engine) as connection:
        _renew(connection)
        settings = settings_of(connection)
    remember(engine, settings)
    return settings[STORE]


def recognise(connection: Connection) -> dict[str, str]:
    """The settings in force, inside a writing transaction; with a new store id if the database was put back."""
    settings = settings_of(connection)
    if _moved_because(connection, settings) is None:
        return settings
    # Another transaction may have seen it first: wait for it, and look again.
    connection.execute(select(setting.c.value).where(setting.c.key == STORE).with_for_update())
    settings = settings_of(connection)
    because = _moved_because(connection, settings)
    if because is not None:
        _renew(connection)
        settings = settings_of(connection)
        logger.warning("%s: it has a new store id, %s, and every node sends everything again", because, settings[STORE])
    return settings


def count_batch(connection: Connection, settings: dict[str, str]) -> None:
    """Count a batch, inside its transaction; `remember` follows its commit. PostgreSQL needs no count."""
    if _file_of(connection.engine) is not None:
        settings[MARK] = str(int(settings.get(MARK, "0")) + 1)
        upserts.put(connection, setting, [{"key": MARK, "value": settings[MARK]}])


def remember(engine: Engine, settings: dict[str, str]) -> None:
    """Write the committed count beside the database: never before the commit, for a file that is behind harms nothing."""
    file = _file_of(engine)
    if file is None:
        return
    try:
        descriptor = os.open(
            _beside(file), os.O_WRONLY | os.O_CREAT, 0o666
        )  # what of it is allowed is the umask's word
        try:
            os.pwrite(descriptor, settings.get(MARK, "0").zfill(MARK_DIGITS).encode(), 0)
        finally:
            os.close(descriptor)
    except OSError as error:
        logger.warning("%s cannot be written (%s): a restore may be noticed where none was", _beside(file), error)


def _renew(connection: Connection) -> None:
    connection.execute(update(setting).where(setting.c.key == STORE).values(value=str(uuid.uuid4())))
    file = _file_of(connection.engine)
    if file is not None:
        ahead = max(int(settings_of(connection).get(MARK, "0")), _remembered(file) or 0) + 1
        upserts.put(connection, setting, [{"key": MARK, "value": str(ahead)}])
    _settle(connection)


def _settle(connection: Connection) -> None:
    upserts.put(connection, setting, [{"key": HOME, "value": json.dumps(_home(connection))}])


def _home(connection: Connection) -> dict[str, str]:
    """Where the database lives now."""
    if connection.dialect.name == "postgresql":
        return dict(connection.execute(POSTGRESQL_HOME).mappings().one())
    file = _file_of(connection.engine)
    return {} if file is None else {"file": str(file), "inode": str(file.stat().st_ino)}


def _moved_because(connection: Connection, settings: dict[str, str]) -> str | None:
    """What shows that the database was put back; None: it is where and what it was."""
    here, then = _home(connection), json.loads(settings.get(HOME, "null"))
    if then is None:
        return "the database does not say where it lived"
    if changed := [name for name, value in here.items() if value != then.get(name)]:
        return f"the database was restored or moved (other {', '.join(changed)})"
    file = _file_of(connection.engine)
    if file is None:
        return None
    remembered = _remembered(file)
    if remembered is None:
        return f"the database may have been restored ({_beside(file).name} is not beside it)"
    if int(settings.get(MARK, "0")) < remembered:
        return f"the database was restored (it has {settings.get(MARK)} batches, and had {remembered})"
    return None


def _file_of(engine: Engine) -> Path | None:
    """SQLite's file; None in memory, and for other databases."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:" or not Path(name).exists():
        return None
    return Path(name).resolve()


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}-mark")


def _remembered(file: Path) -> int | None:
    try:
        return int(_beside(file).read_text())
    except (OSError, ValueError):
        return None
