"""The bus: what came after a cursor, without gaps; None when the memory no longer reaches back."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from firmware_py.core.bus import Bus
from firmware_py.core.events import Event


def event(seq):
    return Event(
        seq, f"id-{seq}", "node.tick", "t", "2026-11-23T01:00:00.000Z", "b", 1.0, True, "e", False, "normal", {}, "h"
    )


def published(bus, *seqs):
    bus.publish([event(seq) for seq in seqs])


@given(
    head=st.integers(0, 20),
    groups=st.lists(st.integers(1, 9), max_size=8),
    keep=st.integers(1, 12),
    limit=st.integers(1, 7),
    back=st.integers(0, 40),
)
def test_after_gives_the_next_events_in_order_or_says_that_it_forgot(head, groups, keep, limit, back):
    bus = Bus(head, keep)
    last = head
    for size in groups:
        published(bus, *range(last + 1, last + size + 1))
        last += size
    cursor = max(0, last - back)
    found = bus.after(cursor, limit)
    remembered_from = max(head, last - keep)
    if cursor >= last:
        assert found == []
    elif cursor < remembered_from:
        assert found is None
    else:
        assert [one.seq for one in found] == list(range(cursor + 1, min(last, cursor + limit) + 1))
    assert bus.head == last


def test_waiting_ends_when_an_event_comes():
    bus, woke = Bus(5), []
    waiting = threading.Thread(target=lambda: woke.append(bus.wait(5, 20)))
    waiting.start()
    published(bus, 6)
    waiting.join(20)
    assert woke == [True]


def test_waiting_for_what_is_there_does_not_wait():
    assert Bus(5).wait(4, 60)


def test_waiting_ends_after_its_time():
    assert not Bus(5).wait(5, 0.01)


def test_closing_wakes_all_who_wait_and_may_be_done_twice():
    bus, woke = Bus(5), []
    waiting = [threading.Thread(target=lambda: woke.append(bus.wait(5, 60))) for _ in range(3)]
    for thread in waiting:
        thread.start()
    bus.close()
    bus.close()
    for thread in waiting:
        thread.join(20)
    assert woke == [False] * 3
    assert bus.closed


def test_a_slow_listener_costs_the_bus_no_memory():
    bus = Bus(0, keep=10)
    for seq in range(1, 1000):
        published(bus, seq)
    assert len(bus._recent) == 10
    assert bus.after(0) is None
