"""Whose word makes the clock believed: only those the site file allows, and only the first."""

from datetime import UTC, datetime, timedelta

import pytest
from support.journals import events, running_journal
from support.workers import living, until

from firmware_py.core import trust
from firmware_py.core.clock import SystemClock
from firmware_py.core.contracts import CLOCK_TRUSTED
from firmware_py.core.health import Status
from firmware_py.core.trust import TrustWorker, network_time_synchronised, set_from_hardware_clock


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


def test_the_kernel_answers_whether_network_time_disciplines_the_clock():
    assert network_time_synchronised() in (True, False)


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
