"""How long the node ran and each device was available, within opening hours; what nobody knows is said to be unknown."""

from datetime import timedelta

import pytest
from support.calendars import Hours
from support.fake_clock import MONDAY_8_00, WRONG_TIME, FakeClock
from support.journals import buckets, do, events, hall_features, running_journal, totals

from firmware_py.core.contracts import (
    BUTTON_FAULTED,
    BUTTON_RECOVERED,
    CLOCK_TRUSTED,
    NODE_TICK,
    SITE_CLOSED,
    SITE_OPENED,
    GiveRating,
    ReportButton,
    ReportDevice,
    StartNode,
    StopNode,
    Tick,
    TrustClock,
)
from firmware_py.core.journal.verify import verify

OPENS = MONDAY_8_00
CLOSES = MONDAY_8_00 + timedelta(hours=2)
DAY = Hours([(OPENS, CLOSES)])


@pytest.fixture
def clock():
    return FakeClock(OPENS - timedelta(minutes=30))


@pytest.fixture
def journal(tmp_path, clock):
    with running_journal(tmp_path, clock, hall_features(DAY)) as journal:
        start(journal, clock)
        yield journal


def start(journal, clock):
    """As the node does it: the first event of a process is before trust."""
    do(journal, StartNode(source="node", version="1"))
    clock.trust()
    do(journal, TrustClock(source="clock", origin="host"))


def tick(journal):
    do(journal, Tick(source="node"))


def stop(journal):
    do(journal, StopNode(source="node"))


def device(journal, available, name="panel-1"):
    do(journal, ReportDevice(source=name, device=name, available=available, reason="" if available else "Rút dây."))


def ticking(journal, clock, seconds, every_s=300.0):
    """Time passes, with ticks as the ticker makes them: at the doors' changes too."""
    end = clock.utc + timedelta(seconds=seconds)
    while clock.utc < end:
        change = DAY.next_change(clock.utc)
        due = min(x for x in (end, clock.utc + timedelta(seconds=every_s), change) if x is not None)
        clock.advance((due - clock.utc).total_seconds())
        tick(journal)


def node(journal):
    return totals(journal.reader(), "open_seconds", "state")


def devices(journal):
    return totals(journal.reader(), "device_seconds", "state")


def test_only_opening_hours_count_and_they_count_whole(journal, clock):
    ticking(journal, clock, 4 * 3600)
    assert node(journal) == {"up": 7200}
    assert [(bucket.hour, bucket.amount) for bucket in buckets(journal.reader(), "open_seconds")] == [
        ("2026-11-23T01:00:00Z", 3600),
        ("2026-11-23T02:00:00Z", 3600),
    ]


def test_the_doors_opening_and_closing_are_events_at_the_tick_that_sees_them(journal, clock):
    ticking(journal, clock, 4 * 3600)
    told = events(journal, SITE_OPENED, SITE_CLOSED)
    assert [(event.type, event.time) for event in told] == [
        (SITE_OPENED, "2026-11-23T01:00:00.000Z"),
        (SITE_CLOSED, "2026-11-23T03:00:00.000Z"),
    ]
    ticks = {event.seq for event in events(journal, NODE_TICK)}
    assert all(event.seq - 1 in ticks for event in told)


def test_a_tick_closes_what_is_open_so_that_a_power_cut_costs_the_time_since_it(tmp_path, clock):
    with running_journal(tmp_path, clock, hall_features(DAY)) as journal:
        start(journal, clock)
        ticking(journal, clock, 1800 + 600)
        clock.advance(200)  # a power cut: nothing is recorded any more
        assert node(journal) == {"up": 600}


@pytest.mark.parametrize("clean", [True, False])
def test_from_the_last_word_to_the_next_start_nobody_knows(tmp_path, clock, clean):
    with running_journal(tmp_path, clock, hall_features(DAY)) as journal:
        start(journal, clock)
        ticking(journal, clock, 1800 + 600)
        clock.advance(200)
        if clean:
            stop(journal)
    up_s = 800 if clean else 600
    clock.reboot("boot-2", OPENS + timedelta(minutes=30))
    with running_journal(tmp_path, clock, hall_features(DAY)) as journal:
        start(journal, clock)
        assert node(journal) == {"up": up_s, "unknown": 1800 - up_s}
        ticking(journal, clock, 7200)
        assert node(journal) == {"up": up_s + 5400, "unknown": 1800 - up_s}


def test_a_gap_outside_opening_hours_is_no_gap(tmp_path, clock):
    with running_journal(tmp_path, clock, hall_features(DAY)) as journal:
        start(journal, clock)
        ticking(journal, clock, 3 * 3600)
        stop(journal)
    clock.reboot("boot-2", CLOSES + timedelta(hours=5))
    with running_journal(tmp_path, clock, hall_features(DAY)) as journal:
        start(journal, clock)
        assert node(journal) == {"up": 7200}


def test_a_restart_within_a_second_is_no_outage(tmp_path, clock):
    with running_journal(tmp_path, clock, hall_features(DAY)) as journal:
        start(journal, clock)
        ticking(journal, clock, 3600)
        stop(journal)
    clock.advance(0.9)
    with running_journal(tmp_path, clock, hall_features(DAY)) as journal:
        start(journal, clock)
        assert node(journal) == {"up": 1800}


def test_the_longest_gap_is_reckoned_and_no_more(tmp_path):
    """A node that lay in a cupboard for a year was out of service."""
    days = [(OPENS + timedelta(days=n), CLOSES + timedelta(days=n)) for n in range(400)]
    clock = FakeClock(CLOSES + timedelta(hours=1))
    with running_journal(tmp_path, clock, hall_features(Hours(days))) as journal:
        start(journal, clock)
        stop(journal)
    clock.reboot("boot-2", CLOSES + timedelta(days=300, hours=1))
    with running_journal(tmp_path, clock, hall_features(Hours(days))) as journal:
        start(journal, clock)
        assert node(journal) == {"unknown": 62 * 7200}


def test_before_the_journal_begins_nothing_is_unknown(journal, clock):
    clock.advance(3600)
    tick(journal)
    assert "unknown" not in node(journal)


def test_a_first_boot_that_ended_untrusted_makes_no_months_unknown(tmp_path):
    """All that places it is its own wrong clock: before the first trust nobody can say how long it was away."""
    days = Hours([(OPENS - timedelta(days=n), CLOSES - timedelta(days=n)) for n in range(400, -1, -1)])
    clock = FakeClock(WRONG_TIME, trusted=False)
    with running_journal(tmp_path, clock, hall_features(days)) as journal:
        do(journal, StartNode(source="node", version="1"))
        clock.advance(300)
        tick(journal)
    clock.reboot("boot-2", OPENS)
    with running_journal(tmp_path, clock, hall_features(days)) as journal:
        start(journal, clock)
        assert node(journal) == {}


def test_a_device_counts_within_opening_hours_only(journal, clock):
    device(journal, available=True)
    ticking(journal, clock, 1800 + 600)
    device(journal, available=False)
    ticking(journal, clock, 7200)
    assert devices(journal) == {"available": 600, "unavailable": 6600}


def test_each_device_has_its_own_time(journal, clock):
    ticking(journal, clock, 1800)
    device(journal, available=True, name="panel-1")
    device(journal, available=False, name="panel-2")
    ticking(journal, clock, 100)
    assert totals(journal.reader(), "device_seconds", "device") == {"panel-1": 100, "panel-2": 100}


def test_a_device_that_was_not_heard_of_since_the_start_has_no_time(tmp_path, clock):
    """What it was before the restart says nothing about now."""
    with running_journal(tmp_path, clock, hall_features(DAY)) as journal:
        start(journal, clock)
        device(journal, available=True)
        ticking(journal, clock, 1800 + 600)
    with running_journal(tmp_path, clock, hall_features(DAY)) as journal:
        start(journal, clock)
        ticking(journal, clock, 600)
        assert devices(journal) == {"available": 600}


def test_after_a_clean_stop_nothing_is_open(tmp_path, clock):
    with running_journal(tmp_path, clock, hall_features(DAY)) as journal:
        start(journal, clock)
        device(journal, available=True)
        ticking(journal, clock, 1800 + 600)
        stop(journal)
        clock.advance(600)
        tick(journal)
        assert (node(journal), devices(journal)) == ({"up": 600}, {"available": 600})


def test_a_step_of_the_civil_time_stretches_nothing(journal, clock):
    ticking(journal, clock, 1800 + 600)
    clock.step(300)
    clock.advance(100)
    tick(journal)
    assert node(journal) == {"up": 700}


def test_an_hour_is_split_where_it_ends(journal, clock):
    ticking(journal, clock, 1800 + 3500)
    clock.advance(200)
    tick(journal)
    assert [(bucket.hour, bucket.amount) for bucket in buckets(journal.reader(), "open_seconds")] == [
        ("2026-11-23T01:00:00Z", 3600),
        ("2026-11-23T02:00:00Z", 100),
    ]


def test_reports_of_buttons_are_kept(journal):
    do(journal, ReportButton(source="panel-1", device="panel-1", button=3, fault="stuck"))
    do(journal, ReportButton(source="panel-1", device="panel-1", button=3, fault=None))
    assert [(event.type, event.data["fault"]) for event in events(journal, BUTTON_FAULTED, BUTTON_RECOVERED)] == [
        (BUTTON_FAULTED, "stuck"),
        (BUTTON_RECOVERED, None),
    ]


class TestBeforeTheClockIsTrusted:
    @pytest.fixture
    def clock(self):
        return FakeClock(WRONG_TIME, uptime_s=10.0, trusted=False)

    @pytest.fixture
    def journal(self, tmp_path, clock):
        with running_journal(tmp_path, clock, hall_features(DAY)) as journal:
            do(journal, StartNode(source="node", version="1"))
            yield journal

    def trust_at(self, journal, clock, utc):
        clock.trust((utc - clock.utc).total_seconds())
        do(journal, TrustClock(source="clock", origin="network"))

    def test_nothing_has_an_hour_and_no_door_opens(self, journal, clock):
        for _ in range(10):
            clock.advance(300)
            tick(journal)
        assert buckets(journal.reader()) == []
        assert events(journal, SITE_OPENED, SITE_CLOSED) == []

    def test_trust_places_the_time_within_the_opening_hours_of_its_day(self, journal, clock):
        device(journal, available=True)
        for _ in range(6):
            clock.advance(300)
            tick(journal)
        self.trust_at(journal, clock, OPENS + timedelta(minutes=10))  # 20 of the 30 minutes were before the opening
        assert node(journal) == {"up": 600}
        assert devices(journal) == {"available": 600}

    def test_time_is_placed_once(self, journal, clock):
        clock.advance(600)
        self.trust_at(journal, clock, OPENS + timedelta(minutes=30))
        clock.advance(100)
        self.trust_at(journal, clock, clock.utc)
        assert node(journal) == {"up": 700}

    def test_the_event_says_whether_the_doors_are_open(self, journal, clock):
        self.trust_at(journal, clock, OPENS + timedelta(minutes=10))
        clock.advance(600)
        self.trust_at(journal, clock, CLOSES + timedelta(minutes=10))
        assert [event.data["site"] for event in events(journal, CLOCK_TRUSTED)] == ["open", "closed"]

    def test_the_doors_are_watched_from_the_trust_on(self, journal, clock):
        self.trust_at(journal, clock, OPENS - timedelta(minutes=1))
        clock.advance(60)
        tick(journal)
        assert len(events(journal, SITE_OPENED)) == 1

    def test_a_tick_between_the_clocks_trust_and_its_event_opens_no_door(self, journal, clock):
        """What was before is placed by the event: a door that opened earlier would count the time before it twice."""
        clock.advance(600)
        clock.trust((OPENS + timedelta(minutes=30) - clock.utc).total_seconds())
        tick(journal)
        assert events(journal, SITE_OPENED, SITE_CLOSED) == []
        do(journal, TrustClock(source="clock", origin="network"))
        assert node(journal) == {"up": 600}


def test_folding_asks_no_calendar(tmp_path, clock):
    """The decision stands in the event: refolding years later, with other opening hours, gives the same."""

    class Forgetful(Hours):
        def is_open(self, utc):
            raise AssertionError("folding asked the calendar")

        spans = next_change = is_open

    with running_journal(tmp_path, clock, hall_features(DAY)) as journal:
        start(journal, clock)
        ticking(journal, clock, 4 * 3600)
        stop(journal)
    assert verify(tmp_path / "journal.db", hall_features(Forgetful([]))).findings == ()


def test_a_command_of_somebody_else_is_an_error(clock):
    with pytest.raises(TypeError, match="not a command of timekeeping"):
        hall_features()[0].decide(None, GiveRating(source="x", counter="1", level=5))


def test_a_devices_hours_say_at_which_counter_it_stands(journal, clock):
    do(journal, ReportDevice(source="p", device="panel-1", available=True, counter="3"))
    do(journal, ReportDevice(source="p", device="kiosk", available=True))
    ticking(journal, clock, 2 * 3600)
    labels = [bucket.labels for bucket in buckets(journal.reader(), "device_seconds")]
    assert {bucket["device"]: bucket.get("counter") for bucket in labels} == {"panel-1": "3", "kiosk": None}
    assert "counter" not in next(bucket for bucket in labels if bucket["device"] == "kiosk")
