"""Reactors: once for each committed event, in order, not too late, and durable over a restart without an fsync."""

from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from support.fake_clock import FakeClock
from support.journals import do, events, held, press, running_journal
from support.workers import living, until

from firmware_py.core.contracts import EFFECT_SKIPPED, RATING_GIVEN, GiveRating, ReportDevice, Tick
from firmware_py.core.reactors import Reactor, ReactorWorker


@dataclass
class Light:
    """An effect that remembers the events it was done for."""

    seen: list[int] = field(default_factory=list)
    fails: bool = False

    def __call__(self, event):
        if self.fails:
            raise OSError("the light is broken")
        self.seen.append(event.seq)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def journal(tmp_path, clock):
    with running_journal(tmp_path, clock) as journal:
        yield journal


def worker(journal, clock, light, *, types=(RATING_GIVEN,), expiry_s=2.0):
    made = ReactorWorker(Reactor("light", frozenset(types), expiry_s, light), journal, clock, simulated=False)
    journal.before_commit(made.save_cursor)
    return made


@contextmanager
def alive(journal, made):
    """As the node does it: the reactor ends with the journal, which is closed first. Reading goes on."""
    with living(made):
        try:
            yield made
        finally:
            journal.close()


@contextmanager
def reacting(journal, clock, light, **more):
    with alive(journal, worker(journal, clock, light, **more)) as made:
        yield made


def given(journal):
    return [event.seq for event in events(journal, RATING_GIVEN)]


def skipped(journal):
    return [(event.data["event_seq"], event.data["reason"]) for event in events(journal, EFFECT_SKIPPED)]


def caught_up(journal, light, count):
    until(lambda: len(light.seen) + len(skipped(journal)) >= count, f"{count} effects done or skipped")


def test_each_committed_event_of_its_types_is_reacted_to_once_and_in_order(journal, clock):
    light = Light()
    with reacting(journal, clock, light):
        for level in (5, 5, 4, 3):
            press(journal, level, "1")
            do(journal, Tick(source="node"))
        caught_up(journal, light, 4)
        do(journal, Tick(source="node"))
    assert light.seen == given(journal)
    assert skipped(journal) == []


def test_nothing_is_thanked_for_before_the_commit(journal, clock):
    light = Light()
    with reacting(journal, clock, light):
        with held(journal):
            future = journal.submit(GiveRating(source="panel-1", counter="1", level=5))
            assert light.seen == []
        future.result(20)
        caught_up(journal, light, 1)


def test_a_reactor_that_is_new_to_a_journal_has_nothing_to_catch_up_with(journal, clock):
    press(journal, 5)
    light = Light()
    with reacting(journal, clock, light):
        press(journal, 4)
        caught_up(journal, light, 1)
    assert light.seen == given(journal)[1:]


def test_an_effect_that_comes_too_late_is_not_done_and_that_is_an_event(journal, clock):
    light = Light()
    made = worker(journal, clock, light, expiry_s=2.0)
    press(journal, 5, "1")
    clock.advance(1.5)
    press(journal, 5, "2")
    clock.advance(1.0)
    with alive(journal, made):
        caught_up(journal, light, 2)
    first, second = given(journal)
    assert skipped(journal) == [(first, "expired")]
    assert light.seen == [second]


def test_an_effect_exactly_at_its_expiry_is_still_done(journal, clock):
    light = Light()
    made = worker(journal, clock, light, expiry_s=2.0)
    press(journal, 5)
    clock.advance(2.0)
    with alive(journal, made):
        caught_up(journal, light, 1)
    assert light.seen == given(journal)


def test_an_event_of_another_boot_is_too_late_whatever_the_uptimes_say(tmp_path, clock):
    with running_journal(tmp_path, clock) as journal:
        worker(journal, clock, Light())
        do(journal, Tick(source="node"))  # the cursor is written with a group
        press(journal, 5)
    clock.reboot("boot-2", uptime_s=100.0)
    light = Light()
    with running_journal(tmp_path, clock) as journal:
        with reacting(journal, clock, light):
            caught_up(journal, light, 1)
        assert skipped(journal) == [(given(journal)[0], "another boot")]
    assert light.seen == []


def test_an_effect_that_fails_is_an_event_and_the_next_one_is_tried(journal, clock):
    light = Light(fails=True)
    with reacting(journal, clock, light):
        press(journal, 5)
        until(lambda: skipped(journal), "the failure is an event")
        light.fails = False
        press(journal, 4)
        until(lambda: light.seen, "the next effect is done")
    ((seq, reason),) = skipped(journal)
    assert seq == given(journal)[0]
    assert reason.startswith("failed: ")
    assert "the light is broken" in reason
    assert light.seen == given(journal)[1:]


def test_a_skipped_effect_of_a_skipping_is_no_event_again(journal, clock):
    """Else one broken effect would write events for ever."""
    light = Light(fails=True)
    with reacting(journal, clock, light, types=(RATING_GIVEN, EFFECT_SKIPPED)) as made:
        press(journal, 5)
        until(lambda: made._cursor >= 2, "the skipping itself was read")
    assert len(skipped(journal)) == 1


def test_the_cursor_is_written_with_the_next_group_that_writes_and_survives_a_restart(tmp_path, clock):
    light = Light()
    with running_journal(tmp_path, clock) as journal:
        with reacting(journal, clock, light) as made:
            press(journal, 5)
            until(lambda: made._cursor == 1, "the press was reacted to")
            assert journal.reader().rows("SELECT * FROM reactor") in ([], [("light", 0)])  # no commit of its own
            do(journal, Tick(source="node"))
        last = light.seen[-1]
        assert journal.reader().rows("SELECT * FROM reactor") == [("light", last)]
    with running_journal(tmp_path, clock) as journal, reacting(journal, clock, light):
        press(journal, 4)
        caught_up(journal, light, 2)
    assert light.seen == [1, 3]


def test_after_a_power_cut_the_newest_events_come_again(tmp_path, clock):
    """The price of a cursor without an fsync of its own: once more rather than never, while it makes sense."""
    light = Light()
    with running_journal(tmp_path, clock) as journal, reacting(journal, clock, light):
        do(journal, ReportDevice(source="p", device="p", available=True))
        press(journal, 5)
        caught_up(journal, light, 1)
    with running_journal(tmp_path, clock) as journal, reacting(journal, clock, light):
        caught_up(journal, light, 2)
    assert light.seen == [2, 2]


def test_a_reactor_that_fell_behind_the_memory_reads_the_journal(journal, clock):
    light = Light()
    made = worker(journal, clock, light)
    journal.bus._recent = type(journal.bus._recent)(maxlen=2)
    for level in (5, 4, 3, 2, 1):
        press(journal, level)
    assert journal.bus.after(0) is None
    with alive(journal, made):
        caught_up(journal, light, 5)
    assert light.seen == given(journal)


def test_a_reactor_ends_with_the_journal(journal, clock):
    made = worker(journal, clock, Light())
    with living(made):
        journal.close()
        assert journal.stopped.wait(20)
