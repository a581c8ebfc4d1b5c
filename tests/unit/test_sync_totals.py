"""The city's running totals equal the sums of its buckets, whatever came in whatever order."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from support.cities import NODE, SITE, TOKEN, batch, bucket

from sync.protocol import Batch
from sync.receiver.credentials import add_node, node_of
from sync.receiver.intake import receive
from sync.receiver.opening import open_engine
from sync.receiver.tables import bucket as bucket_table
from sync.receiver.tables import total

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
LABELS = ({"counter": "1"}, {"counter": "2"})
values = st.one_of(
    st.integers(-5, 50).map(lambda count: {"count": count}),
    st.sampled_from((0.0, 1.5, -2.25)).map(lambda seconds: {"seconds": seconds}),
    st.just({"bounds_s": [1.0], "counts": [1, 2], "sum_s": 3.0}),
)
#: A series that the city does not know may change its type; few keys, so that offers meet.
offers = st.builds(
    lambda epoch, hour, labels, revision, value, partial, simulated, definition: bucket(
        series="tea_served", epoch=epoch, hour=f"2026-11-20T0{hour}:00:00Z", labels=labels, revision=revision,
        value=value, partial=partial, simulated=simulated, definition=definition,
    ),
    st.sampled_from(("aaaa" * 4, "bbbb" * 4)), st.integers(0, 1), st.sampled_from(LABELS), st.integers(1, 4), values,
    st.booleans(), st.booleans(), st.integers(1, 2),
)  # fmt: skip


def sums_of(connection, table):
    what = (table.c.node_id, table.c.simulated, table.c.series, table.c.labels, table.c.definition)
    rows = connection.execute(select(*what, func.sum(table.c.amount)).group_by(*what))
    return {tuple(row[:-1]): row[-1] for row in rows if row[-1]}


def totals_after(batches):
    """The totals, and the sums of the buckets, after these batches."""
    engine = open_engine("sqlite://")
    add_node(engine, SITE, NODE, TOKEN)
    with engine.begin() as connection:
        origin = node_of(connection, TOKEN)
    for offered in batches:
        receive(engine, origin, Batch.model_validate(batch(*offered)), NOW)
    with engine.begin() as connection:
        found = sums_of(connection, total), sums_of(connection, bucket_table)
    engine.dispose()
    return found


@settings(deadline=None)
@given(st.lists(st.lists(offers, max_size=6), max_size=6))
def test_the_totals_are_the_sums(batches):
    totals, sums = totals_after(batches)
    assert totals == sums


def test_a_count_that_becomes_a_histogram_leaves_the_totals():
    histogram = {"bounds_s": [1.0], "counts": [1, 2], "sum_s": 3.0}
    first, second = (bucket(7, series="tea_served"), bucket(series="tea_served", revision=2, value=histogram))
    assert totals_after([[first], [second]]) == ({}, {})
    assert totals_after([[first], [second, bucket(4, series="tea_served", revision=3)]])[0].popitem()[1] == 4
