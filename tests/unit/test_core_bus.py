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


@given(known=st.integers(0, 9), back=st.integers(0, 12), limit=st.integers(1, 4))
def test_next_gives_what_is_there_without_waiting_and_as_after_does(known, back, limit):
    bus = Bus(100, keep=6)
    published(bus, *range(101, 101 + known + 1))
    cursor = max(0, bus.head - 1 - back)
    assert bus.next(cursor, limit, 60) == bus.after(cursor, limit)


def test_next_waits_for_an_event_and_gives_it():
    bus, got = Bus(5), []
    waiting = threading.Thread(target=lambda: got.append(bus.next(5, 10, 20)))
    waiting.start()
    published(bus, 6, 7)
    waiting.join(20)
    assert [[one.seq for one in found] for found in got] == [[6, 7]]


def test_next_is_empty_after_its_time_and_when_the_bus_closes():
    bus = Bus(5)
    assert bus.next(5, 10, 0.01) == []
    bus.close()
    assert bus.next(5, 10, 60) == []


def test_the_newest_event_costs_the_same_however_much_is_remembered():
    """A deque is walked: from its old end each listener would step over a whole morning for the one event that it lacks."""
    bus = Bus(0, keep=5)
    published(bus, 1, 2, 3, 4, 5)
    walked = []

    class Counted(type(bus._recent)):
        def __reversed__(self):
            return (walked.append(one) or one for one in super().__reversed__())

    bus._recent = Counted(bus._recent)
    assert [one.seq for one in bus.after(4)] == [5]
    assert len(walked) == 1


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
