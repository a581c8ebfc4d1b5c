"""Whose word makes the clock believed: only those the site file allows, and only the first."""

from concurrent.futures import Future
from datetime import UTC, datetime, timedelta

import pytest
from support.fake_clock import MONDAY_8_00, FakeClock
from support.journals import do, events, running_journal
from support.workers import living, until

from firmware_py.core import clock as clock_module
from firmware_py.core import trust
from firmware_py.core.clock import SystemClock
from firmware_py.core.contracts import CLOCK_TRUSTED, Tick
from firmware_py.core.errors import JournalRefusing
from firmware_py.core.health import Status
from firmware_py.core.trust import (
    TrustWorker,
    kernel_clock_state,
    network_time_synchronised,
    set_from_hardware_clock,
)


@pytest.fixture
def clock():
    return SystemClock()


@pytest.fixture
def journal(tmp_path, clock):
    with running_journal(tmp_path, clock) as journal:
        yield journal


def trusted(journal):
    return [(event.data["origin"], event.clock_trusted) for event in events(journal, CLOCK_TRUSTED)]


def recorded(journal, count):
    until(lambda: len(trusted(journal)) == count, "the trust is in the journal")


@pytest.mark.parametrize(("state", "expected"), [(0, True), (1, True), (4, True), (5, False), (-1, False)])
def test_network_time_is_believed_as_the_kernel_says(state, expected):
    assert network_time_synchronised(lambda: state) is expected


def test_this_kernel_answers():
    assert -1 <= kernel_clock_state() <= 5


@pytest.mark.parametrize(("behind", "believed"), [(timedelta(), True), (timedelta(days=400), False)])
def test_a_battery_clock_that_lags_behind_the_journal_is_not_believed(tmp_path, monkeypatch, behind, believed):
    """Without its battery a clock of 1970 is "set" at boot too."""
    monkeypatch.setattr(trust, "set_from_hardware_clock", lambda: True)
    with running_journal(tmp_path, FakeClock(datetime.now(UTC) - timedelta(days=1) + behind)) as journal:
        do(journal, Tick(source="node"))
        assert TrustWorker(SystemClock(), journal, ["hardware"], simulated=False).look() is believed


def test_a_battery_clock_older_than_this_program_is_not_believed(journal, clock, monkeypatch):
    monkeypatch.setattr(trust, "set_from_hardware_clock", lambda: True)
    monkeypatch.setattr(trust, "EARLIEST", datetime.now(UTC) + timedelta(days=1))
    assert not TrustWorker(clock, journal, ["hardware"], simulated=False).look()


def test_a_trust_that_a_full_disk_refused_is_told_again(journal, clock, monkeypatch):
    monkeypatch.setattr(trust, "POLL_S", 0.005)
    worker = TrustWorker(clock, journal, ["host"], simulated=False)
    submit, refused = journal.submit, Future()
    refused.set_exception(JournalRefusing("the disk is full"))
    monkeypatch.setattr(journal, "submit", lambda _command: refused)
    assert worker.look()
    monkeypatch.setattr(journal, "submit", submit)
    with living(worker):
        recorded(journal, 1)


def test_a_host_clock_that_is_set_right_later_does_not_move_the_citys_time(journal, clock, monkeypatch):
    """The city spoke first, then the network's time service stepped the host: the node's time must not jump by the sum."""
    TrustWorker(clock, journal, ["city"], simulated=False).city_says(MONDAY_8_00)

    class Stepped(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=21)

    monkeypatch.setattr(clock_module, "datetime", Stepped)
    assert abs((clock.now().utc - MONDAY_8_00).total_seconds()) < 60


@pytest.mark.parametrize(("flags", "expected"), [([], False), (["0"], False), (["1"], True), (["0", "1\n"], True)])
def test_a_hardware_clock_vouches_only_if_the_kernel_set_the_time_from_it(tmp_path, flags, expected):
    for number, flag in enumerate(flags):
        (tmp_path / f"rtc{number}").mkdir()
        (tmp_path / f"rtc{number}" / "hctosys").write_text(flag)
    assert set_from_hardware_clock(tmp_path) is expected


def test_a_hardware_clock_that_cannot_be_read_vouches_for_nothing(tmp_path):
    (tmp_path / "rtc0" / "hctosys").mkdir(parents=True)  # reading a folder fails
    assert not set_from_hardware_clock(tmp_path)
    assert not set_from_hardware_clock(tmp_path / "nowhere")


def test_the_host_is_believed_unseen_where_the_site_file_says_so(journal, clock):
    worker = TrustWorker(clock, journal, ["host"], simulated=False)
    assert worker.look()
    recorded(journal, 1)
    assert trusted(journal) == [("host", True)]


def test_nobody_is_believed_whom_the_site_file_does_not_name(journal, clock):
    worker = TrustWorker(clock, journal, [], simulated=False)
    assert not worker.look()
    worker.city_says(datetime.now(UTC))
    assert not clock.now().trusted
    assert trusted(journal) == []


@pytest.mark.parametrize("source", ["network", "hardware"])
@pytest.mark.parametrize("says", [True, False])
def test_a_local_source_is_believed_exactly_when_it_vouches(journal, clock, monkeypatch, source, says):
    name = {"network": "network_time_synchronised", "hardware": "set_from_hardware_clock"}[source]
    monkeypatch.setattr(trust, name, lambda: says)
    worker = TrustWorker(clock, journal, [source], simulated=False)
    assert worker.look() is says
    if says:
        recorded(journal, 1)
        assert trusted(journal) == [(source, True)]
    else:
        assert trusted(journal) == []


def test_the_citys_time_sets_the_clock_by_its_difference(journal, clock):
    worker = TrustWorker(clock, journal, ["city"], simulated=False)
    assert not worker.look()
    wanted = datetime.now(UTC) + timedelta(days=200)
    worker.city_says(wanted)
    assert abs((clock.now().utc - wanted).total_seconds()) < 5
    recorded(journal, 1)


def test_the_city_is_heard_once_and_never_after_somebody_else(journal, clock):
    worker = TrustWorker(clock, journal, ["host", "city"], simulated=False)
    worker.city_says(datetime.now(UTC) + timedelta(days=200))
    worker.city_says(datetime.now(UTC) + timedelta(days=400))
    worker.look()
    assert clock.now().utc < datetime.now(UTC) + timedelta(days=201)
    recorded(journal, 1)
    assert trusted(journal) == [("city", True)]


def test_the_worker_asks_until_somebody_vouches_and_says_it_once(journal, clock, monkeypatch):
    answers = iter([False, False, True, True])
    monkeypatch.setattr(trust, "network_time_synchronised", lambda: next(answers))
    monkeypatch.setattr(trust, "POLL_S", 0.005)
    worker = TrustWorker(clock, journal, ["network"], simulated=False)
    with living(worker) as life:
        recorded(journal, 1)
        beats = life.beats
        until(lambda: life.beats > beats + 3, "the worker lives on")
    assert trusted(journal) == [("network", True)]


def test_an_untrusted_clock_is_a_warning_and_no_failure(journal, clock):
    """Presses are kept and counted later: nobody needs to be sent away."""
    worker = TrustWorker(clock, journal, ["host"], simulated=False)
    assert worker.check().status is Status.WARN
    worker.look()
    assert worker.check().status is Status.PASS
