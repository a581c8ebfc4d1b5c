"""What belongs together travels together, and what waited longest travels first."""

from hypothesis import given
from hypothesis import strategies as st

from sync.batching import HourKey, Link, PendingHour, first_batch, units_of

EPOCHS = ("aaaa", "bbbb")
HOURS = tuple(f"2026-11-23T{hour:02}:00:00Z" for hour in range(8))

keys = st.builds(HourKey, st.sampled_from(EPOCHS), st.sampled_from(HOURS))
links = st.builds(Link, st.sampled_from(EPOCHS), st.sampled_from(HOURS), st.sampled_from(HOURS))


@st.composite
def pending_hours(draw):
    chosen = draw(st.lists(keys, unique=True, max_size=12))
    return [PendingHour(key, draw(st.integers(1, 30)), draw(st.sampled_from(HOURS))) for key in chosen]


@given(pending_hours(), st.lists(links, max_size=8))
def test_every_pending_hour_is_in_exactly_one_unit(pending, joined):
    units = units_of(pending, joined)
    all_keys = [key for unit in units for key in unit.hours]
    assert len(all_keys) == len(set(all_keys))
    assert {hour.key for hour in pending} <= set(all_keys)
    assert sum(unit.buckets for unit in units) == sum(hour.buckets for hour in pending)


@given(pending_hours(), st.lists(links, max_size=8))
def test_linked_hours_are_never_in_two_units(pending, joined):
    where = {key: number for number, unit in enumerate(units_of(pending, joined)) for key in unit.hours}
    for link in joined:
        a, b = HourKey(link.epoch, link.hour_a), HourKey(link.epoch, link.hour_b)
        assert where.get(a) == where.get(b)


@given(pending_hours(), st.lists(links, max_size=8))
def test_hours_without_a_link_are_units_of_their_own(pending, joined):
    linked = {HourKey(link.epoch, hour) for link in joined for hour in (link.hour_a, link.hour_b)}
    for unit in units_of(pending, joined):
        assert len(unit.hours) == 1 or set(unit.hours) <= linked
        assert len({key.epoch for key in unit.hours}) == 1


@given(pending_hours(), st.lists(links, max_size=8), st.integers(1, 60))
def test_a_batch_is_the_oldest_units_and_too_many_only_when_alone(pending, joined, most):
    units = units_of(pending, joined)
    batch = first_batch(units, most)
    assert batch == units[: len(batch)]
    assert bool(batch) == bool(units)
    assert sum(unit.buckets for unit in batch) <= most or len(batch) == 1
    assert [unit.since for unit in units] == sorted(unit.since for unit in units)


def test_what_a_relay_has_rests_and_the_others_go():
    units = units_of([PendingHour(HourKey("aaaa", hour), 1, hour) for hour in HOURS[:3]], [])
    batch = first_batch(units, 10, resting={HourKey("aaaa", HOURS[0])})
    assert [unit.hours[0].hour for unit in batch] == [HOURS[1], HOURS[2]]


def test_an_hour_that_became_linked_while_not_pending_is_looked_at_too():
    [unit] = units_of([PendingHour(HourKey("aaaa", HOURS[1]), 2, HOURS[1])], [Link("aaaa", HOURS[0], HOURS[1])])
    assert unit.hours == (HourKey("aaaa", HOURS[0]), HourKey("aaaa", HOURS[1]))
