"""The receiver's tables and queries stay portable: PostgreSQL is what a city will run."""

import pytest
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from sync.receiver.tables import metadata


@pytest.mark.parametrize("dialect", [postgresql.dialect(), sqlite.dialect()], ids=["postgresql", "sqlite"])
def test_every_table_can_be_made(dialect):
    for table in metadata.sorted_tables:
        assert f"CREATE TABLE {table.name} (" in str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert f"CREATE INDEX {index.name}" in str(CreateIndex(index).compile(dialect=dialect))


def test_sums_and_revisions_have_64_bits():
    for name, column in (("bucket", "revision"), ("bucket", "amount"), ("total", "amount"), ("disputed", "revision")):
        made = str(CreateTable(metadata.tables[name]).compile(dialect=postgresql.dialect()))
        assert f"{column} BIGINT" in made


def test_hours_are_compared_byte_by_byte_whatever_the_databases_language():
    for table in metadata.sorted_tables:
        if "hour" in table.c:
            assert 'hour VARCHAR(32) COLLATE "C"' in str(CreateTable(table).compile(dialect=postgresql.dialect()))
