"""The months of `bucket` on PostgreSQL: a table for each, so that an old month goes with DROP TABLE. Elsewhere one plain table.

A month's table is made when its first bucket comes. What is before `FIRST_MONTH` shares one, and what is more than a day
ahead of the city's clock is refused by the rules (`merge.objection`). So whatever a node sends, there are never more
tables than months since then; and there is no default partition, which every new month would have to search and to lock.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Engine, text

from sync.receiver.database import writing

FIRST_MONTH = "2026-01"  # this program did not run anywhere before
PAST = "bucket_past"
LOCK = 0x6E75_6375_6F69  # "nucuoi": advisory; who makes tables holds it


class MonthsMissing(Exception):
    """There is no table yet for these months; make them outside of the transaction that wanted them."""

    def __init__(self, months: tuple[str, ...]) -> None:
        super().__init__(", ".join(months))
        self.months = months


def is_parted(connection: Connection) -> bool:
    """Whether this database keeps its months apart."""
    return connection.dialect.name == "postgresql"


def hold_lock(connection: Connection) -> None:
    """Until this transaction ends nobody else makes tables."""
    if is_parted(connection):
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def make_past(connection: Connection) -> None:
    """The table of all months before the first, right after `bucket` itself."""
    if is_parted(connection):
        connection.execute(
            text(f"CREATE TABLE {PAST} PARTITION OF bucket FOR VALUES FROM (MINVALUE) TO ('{first_hour(FIRST_MONTH)}')")
        )


def check_months(connection: Connection, hours: Iterable[str]) -> None:
    """See that every one of these hours has a table.

    Raises:
        MonthsMissing: some have none; nothing was changed.
    """
    if not is_parted(connection):
        return
    wanted = {hour[: len(FIRST_MONTH)] for hour in hours}
    missing = wanted.difference(months_of(connection))
    if later := sorted(month for month in missing if month >= FIRST_MONTH):
        raise MonthsMissing(tuple(later))


def make_months(engine: Engine, months: Iterable[str]) -> None:
    """Make what is missing; others may do the same at the same moment, and batches go on meanwhile.

    A table is made by itself and then attached: that waits for nobody who reads or writes the other months, while CREATE TABLE
    ... PARTITION OF would lock them all.
    """
    with writing(engine) as connection:
        hold_lock(connection)
        for month in sorted(set(months).difference(months_of(connection))):
            table = table_of(month)
            connection.execute(text(f"CREATE TABLE {table} (LIKE bucket INCLUDING DEFAULTS)"))
            connection.execute(
                text(
                    f"ALTER TABLE bucket ATTACH PARTITION {table} "
                    f"FOR VALUES FROM ('{first_hour(month)}') TO ('{first_hour(month_after(month))}')"
                )
            )


def months_of(connection: Connection) -> list[str]:
    """The months that have a table of their own, the oldest first."""
    rows = connection.execute(
        text(
            "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
            "WHERE inhparent = to_regclass('bucket') ORDER BY relname"
        )
    )
    return [row.relname.removeprefix("bucket_").replace("_", "-") for row in rows if row.relname != PAST]


def table_of(month: str) -> str:
    """`2026-11` -> `bucket_2026_11`."""
    return f"bucket_{month[:4]}_{month[5:7]}"


def first_hour(month: str) -> str:
    """`2026-11` -> `2026-11-01T00:00:00Z`."""
    return f"{month}-01T00:00:00Z"


def month_after(month: str) -> str:
    """`2026-12` -> `2027-01`."""
    year, number = int(month[:4]), int(month[5:7])
    return f"{year + number // 12:04}-{number % 12 + 1:02}"
