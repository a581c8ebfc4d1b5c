"""Every opening second after the journal's beginning is either up or unknown: once, never twice, never lost."""

import tempfile
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.calendars import Hours
from support.fake_clock import MONDAY_8_00, WRONG_TIME, FakeClock
from support.journals import do, hall_features, running_journal, totals

from firmware_py.core.contracts import StartNode, StopNode, Tick, TrustClock

HOURS = Hours(
    [
        (MONDAY_8_00 + timedelta(days=day, hours=begin), MONDAY_8_00 + timedelta(days=day, hours=end))
        for day in range(40)
        for begin, end in ((0, 3.5), (5.5, 9.5))
    ]
)
START = MONDAY_8_00 - timedelta(hours=1)


class World:
    """One node through restarts and power cuts, with the true time beside what its clock believes."""

    def __init__(self, folder, stack):
        self.folder, self.stack = folder, stack
        self.true = START
        self.clock = FakeClock(START)
        self.boots = 1
        self.begin()

    def begin(self):
        self.running = ExitStack()
        self.journal = self.running.enter_context(running_journal(self.folder, self.clock, hall_features(HOURS)))
        self.stack.push(self.running)
        do(self.journal, StartNode(source="node", version="1"))

    def tick(self):
        do(self.journal, Tick(source="node"))

    def passes(self, seconds):
        """Time passes, and the ticker ticks at the latest when the doors change."""
        end = self.true + timedelta(seconds=seconds)
        while self.true < end:
            change = HOURS.next_change(self.true)
            self._pass(min(end, change or end))
            self.tick()

    def _pass(self, until):
        self.clock.advance((until - self.true).total_seconds())
        self.true = until

    def trust(self):
        self.clock.trust((self.true - self.clock.utc).total_seconds())
        do(self.journal, TrustClock(source="clock", origin="network"))

    def restart(self, away_s, *, clean):
        """The process ends; the computer goes on and its clock with it, but nobody has vouched for it yet."""
        if clean:
            do(self.journal, StopNode(source="node"))
        self.running.close()
        self._pass(self.true + timedelta(seconds=away_s))
        now = self.clock.now()
        self.clock.reboot(now.boot_id, trusted=False, uptime_s=now.uptime_s)
        self.begin()

    def power_cut(self, away_s):
        self.running.close()
        self.true += timedelta(seconds=away_s)
        self.boots += 1
        self.clock.reboot(f"boot-{self.boots}", WRONG_TIME)
        self.begin()

    def take(self, step):
        match step:
            case ("passes", seconds):
                self.passes(seconds)
            case ("trust",):
                self.trust()
            case ("restart", seconds, clean):
                self.restart(seconds, clean=clean)
            case ("power cut", seconds):
                self.power_cut(seconds)

    def known_s(self):
        """What the city will read as up and as unknown, and how long the centre really was open."""
        self.trust()
        self.tick()
        opened_s = sum((end - start).total_seconds() for start, end in HOURS.spans(START, self.true))
        return totals(self.journal.reader(), "open_seconds", "state"), opened_s


SECONDS = st.sampled_from([7, 299, 1800, 9000])
STEPS = st.one_of(
    st.tuples(st.just("passes"), SECONDS),
    st.tuples(st.just("trust")),
    st.tuples(st.just("restart"), SECONDS, st.booleans()),
    st.tuples(st.just("power cut"), SECONDS),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=14))
@example([("passes", 1800), ("restart", 1800, True), ("restart", 1800, True), ("passes", 1800)])
def test_up_and_unknown_together_are_the_opening_hours(steps):
    """As long as each boot's clock is trusted before the next power cut."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        world = World(Path(name), stack)
        world.trust()
        for step in steps:
            if step[0] == "power cut":
                world.trust()
            world.take(step)
        known, opened_s = world.known_s()
        assert set(known) <= {"up", "unknown"}
        assert abs(sum(known.values()) - opened_s) < 0.1 + 1.0 * len(steps)  # a gap under a second is rounding


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=14))
@example(
    [("passes", 9000), ("power cut", 9000), ("passes", 1800), ("power cut", 7), ("passes", 1800), ("power cut", 7)]
)
def test_no_opening_second_is_known_twice(steps):
    """Whatever was trusted when: boots that ended untrusted are placed beside each other and after what is known."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        world = World(Path(name), stack)
        world.trust()
        for step in steps:
            world.take(step)
        known, opened_s = world.known_s()
        assert sum(known.values()) <= opened_s + 0.1
