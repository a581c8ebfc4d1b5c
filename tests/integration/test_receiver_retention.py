"""The seal, and the months behind it: they go cheaply, and no figure of all time changes by it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from support.cities import bucket, running_city

from sync.receiver import partitions
from sync.receiver.database import DatabaseUnusable
from sync.receiver.retention import drop_sealed_months, seal
from sync.receiver.tables import bucket as bucket_table
from sync.receiver.tables import disputed
from sync.receiver.upkeep import seal_months

HOURS = (
    "2025-11-30T23:00:00Z",
    "2026-08-31T23:00:00Z",
    "2026-09-01T00:00:00Z",
    "2026-10-31T23:00:00Z",
    "2026-11-01T00:00:00Z",
)


@pytest.fixture
def city(database):
    with running_city(database, now=lambda: datetime(2026, 11, 24, tzinfo=UTC)) as it:
        it.outcomes(*(bucket(10 + number, hour=hour) for number, hour in enumerate(HOURS)))
        yield it


def hours_of(city):
    with city.engine.begin() as connection:
        return list(connection.execute(select(bucket_table.c.hour).order_by(bucket_table.c.hour)).scalars())


def test_without_a_seal_nothing_is_dropped(city):
    assert drop_sealed_months(city.engine) == []
    assert hours_of(city) == list(HOURS)


def test_the_months_behind_the_seal_go_and_the_totals_stay(city):
    before = city.ratings()
    seal(city.engine, "2026-10-01T00:00:00Z")
    dropped = drop_sealed_months(city.engine)
    assert dropped[-2:] == ["2026-08", "2026-09"]
    assert hours_of(city) == list(HOURS[3:])
    assert city.ratings() == before
    assert drop_sealed_months(city.engine) == []


def test_a_month_that_is_sealed_in_part_stays(city):
    seal(city.engine, "2026-10-31T00:00:00Z")
    drop_sealed_months(city.engine)
    assert hours_of(city) == list(HOURS[3:])


def test_what_was_dropped_and_comes_again_is_not_counted_again(city):
    before = city.ratings()
    seal(city.engine, "2026-10-01T00:00:00Z")
    drop_sealed_months(city.engine)
    for number, hour in enumerate(HOURS[:3]):
        again = bucket(10 + number, hour=hour)
        assert city.outcomes(again, bucket(99, hour=hour, revision=2)) == [("rejected", None, "sealed")] * 2
    assert city.ratings() == before
    with city.engine.begin() as connection:
        if partitions.is_parted(connection):
            assert partitions.months_of(connection) == ["2026-10", "2026-11"]  # nor is its table made again


def test_evidence_outlives_the_month_it_is_about(city):
    city.outcomes(bucket(77, hour=HOURS[2]))
    seal(city.engine, "2026-10-01T00:00:00Z")
    drop_sealed_months(city.engine)
    with city.engine.begin() as connection:
        [row] = connection.execute(select(disputed)).all()
    assert (row.hour, row.series, row.labels, row.value) == (
        HOURS[2], "ratings", '{"counter":"1","level":"5"}', '{"count":77}',
    )  # fmt: skip


def test_an_operator_seals_and_drops_beside_the_running_receiver(city, database):
    assert seal_months(database, "2026-09", drop=False) == []
    assert seal_months(database, "2026-10", drop=True)[-1] == "2026-09"
    assert city.outcomes(bucket(5, hour="2026-11-02T00:00:00Z")) == [("accepted", 1, None)]
    for month, words in (("2026-09", "never moves back"), ("2026-13", "not a month"), ("soon", "not a month")):
        with pytest.raises(ValueError, match=words):
            seal_months(database, month, drop=True)
    with city.engine.begin() as connection:
        assert connection.execute(select(func.count()).select_from(bucket_table)).scalar() == 3


def test_a_database_that_cannot_be_reached_is_said_in_words(tmp_path):
    with pytest.raises(DatabaseUnusable, match="cannot be opened"):
        seal_months(f"sqlite:///{tmp_path}/no/such/folder/c.db", "2026-09", drop=True)
