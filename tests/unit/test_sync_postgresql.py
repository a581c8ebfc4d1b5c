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


def test_a_city_does_not_run_out_of_bucket_numbers():
    made = str(CreateTable(metadata.tables["bucket"]).compile(dialect=postgresql.dialect()))
    assert "id BIGSERIAL NOT NULL" in made
    assert "amount BIGINT" in made
