"""How long the city keeps its hours: the seal, and dropping the months behind it.

**Totals keep what was dropped.** A figure of all time stays right for good; figures of a span need its buckets. That holds
because a month can only go when all of it is sealed: a bucket of it that comes again is not counted again, but refused.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, delete, insert, select, text, update

from sync.receiver import partitions
from sync.receiver.database import writing
from sync.receiver.tables import bucket, setting

SEALED_BEFORE = "sealed_before"


def seal(engine: Engine, before_hour: str) -> None:
    """From now on hours before `before_hour` (`2026-01-01T00:00:00Z`) accept nothing new; it never moves back.

    Raises:
        ValueError: the seal already stands later.
    """
    with writing(engine) as connection:
        where = setting.c.key == SEALED_BEFORE
        current = connection.execute(select(setting.c.value).where(where).with_for_update()).scalar()
        if current is None:
            connection.execute(insert(setting).values(key=SEALED_BEFORE, value=before_hour))
        elif before_hour < current:
            raise ValueError(f"hours before {current} are sealed already: a seal never moves back")
        else:
            connection.execute(update(setting).where(where).values(value=before_hour))


def drop_sealed_months(engine: Engine) -> list[str]:
    """Drop the buckets of every month that is sealed as a whole; the months that had any table or rows, the oldest first.

    PostgreSQL drops tables: it costs the same however much is in them, and gives the space back.
    """
    with writing(engine) as connection:
        sealed_before = connection.execute(select(setting.c.value).where(setting.c.key == SEALED_BEFORE)).scalar()
        if sealed_before is None:
            return []
        month = sealed_before[: len(partitions.FIRST_MONTH)]
        return _drop_tables(connection, month) if partitions.is_parted(connection) else _delete_rows(connection, month)


def _drop_tables(connection: Connection, before_month: str) -> list[str]:
    partitions.hold_lock(connection)
    months = [month for month in partitions.months_of(connection) if month < before_month]
    for month in months:
        connection.execute(text(f"DROP TABLE {partitions.table_of(month)}"))
    if before_month >= partitions.FIRST_MONTH:
        connection.execute(text(f"TRUNCATE {partitions.PAST}"))
    return months


def _delete_rows(connection: Connection, before_month: str) -> list[str]:
    old = bucket.c.hour < partitions.first_hour(before_month)
    hours = connection.execute(select(bucket.c.hour).where(old).distinct()).scalars()
    months = sorted({hour[: len(before_month)] for hour in hours})
    connection.execute(delete(bucket).where(old))
    return months
