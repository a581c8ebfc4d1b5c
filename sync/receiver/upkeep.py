"""What an operator does to the city's database by hand, beside a running receiver or without one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from sync.receiver.database import DatabaseUnusable, because, shown
from sync.receiver.home import renew_store
from sync.receiver.opening import open_engine
from sync.receiver.partitions import first_hour
from sync.receiver.retention import drop_sealed_months, seal

MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
T = TypeVar("T")


def renew(database_url: str) -> str:
    """A new store id.

    Raises:
        DatabaseUnusable: see its text.
    """
    return _with(database_url, renew_store)


def seal_months(database_url: str, month: str, *, drop: bool) -> list[str]:
    """Seal the hours before a month (`2026-01`, UTC) and, if wanted, drop the months behind it; the months that were dropped.

    Raises:
        ValueError: no month, or the seal already stands later.
        DatabaseUnusable: see its text.
    """
    if MONTH.fullmatch(month) is None:
        raise ValueError(f"not a month: {month!r} (write 2026-01)")

    def do(engine: Engine) -> list[str]:
        seal(engine, first_hour(month))
        return drop_sealed_months(engine) if drop else []

    return _with(database_url, do)


def _with(database_url: str, do: Callable[[Engine], T]) -> T:
    engine = open_engine(database_url)
    try:
        return do(engine)
    except SQLAlchemyError as error:
        raise DatabaseUnusable(f"the database {shown(engine)} refused: {because(engine, error)}") from None
    finally:
        engine.dispose()
