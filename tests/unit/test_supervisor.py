"""The supervisor: what fails is run again while the others go on; what hangs is named; what must not end, ends the node."""

import threading

import pytest
from support.workers import until

from firmware_py import supervisor as supervisor_module
from firmware_py.core.health import Status
from firmware_py.core.worker import Life
from firmware_py.supervisor import BACKOFF_FIRST_S, BACKOFF_MAX_S, FAILED_AFTER, Supervisor, WorkerState, full_jitter_s


class Scripted:
    """A worker that a test leads by the hand: `work` holds what each run does; the last one again and again."""

    def __init__(self, name, *work, deadline_s=30.0):
        self.name, self.deadline_s, self._work = name, deadline_s, list(work) or [lives]
        self.runs, self.woken = 0, 0

    def run(self, life):
        self.runs += 1
        self._work[min(self.runs, len(self._work)) - 1](life)

    def wake(self):
        self.woken += 1


def lives(life):
    while not life.wait(60):
        pass


def fails(life):
    raise OSError("no such line")


def returns(life):
    life.beat()


class Uptime:
    now_s = 1000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def uptime():
    return Uptime()


@pytest.fixture
def fatal():
    return []


@pytest.fixture
def supervisor(uptime, fatal):
    made = Supervisor(uptime, fatal.append, backoff_s=lambda failures: 0.0)
    yield made
    assert made.stop(join_s=20) == []


def test_a_worker_that_raises_is_run_again(supervisor):
    worker = Scripted("w", fails, fails, lives)
    supervisor.start(worker)
    until(lambda: worker.runs == 3, "the third run")
    until(lambda: supervisor.states() == {"w": WorkerState.RUNNING}, "it runs")


def test_a_worker_that_returns_before_it_was_told_to_is_run_again_too(supervisor):
    worker = Scripted("w", returns, lives)
    supervisor.start(worker)
    until(lambda: worker.runs == 2, "the second run")


@pytest.mark.parametrize(
    ("work", "told"),
    [(fails, "OSError('no such line')"), (returns, "returned before it was told to stop")],
)
def test_after_repeated_failures_it_is_failed_and_the_others_go_on(uptime, fatal, work, told):
    let_go = threading.Event()

    def backoff_s(failures):
        let_go.wait(20) if failures >= FAILED_AFTER else None
        return 0.0

    supervisor = Supervisor(uptime, fatal.append, backoff_s=backoff_s)
    good, bad = Scripted("good"), Scripted("bad", work)
    supervisor.start(good)
    supervisor.start(bad)
    until(lambda: supervisor.states()["bad"] is WorkerState.FAILED, "it is shown as failed")
    assert bad.runs == FAILED_AFTER
    assert supervisor.states()["good"] is WorkerState.RUNNING
    check = supervisor.check()
    assert check.status is Status.WARN
    assert check.text == "Bộ phận không chạy: bad bị lỗi nhiều lần"
    assert told in str(check.figures["bad"])  # for machines and technicians
    let_go.set()
    until(lambda: bad.runs > FAILED_AFTER, "a failed worker is still tried")
    assert supervisor.stop(join_s=20) == []
    assert fatal == []


def test_a_run_that_lived_well_forgives_the_failures_before_it(uptime, fatal):
    failures_seen = []

    def backoff_s(failures):
        failures_seen.append(failures)
        return 0.0

    def lives_well_and_fails(life):
        uptime.now_s += supervisor_module.LIVED_WELL_S + 1
        raise OSError("after a good while")

    supervisor = Supervisor(uptime, fatal.append, backoff_s=backoff_s)
    worker = Scripted("w", fails, fails, lives_well_and_fails, fails, lives)
    supervisor.start(worker)
    until(lambda: worker.runs == 5, "all runs")
    assert supervisor.stop(join_s=20) == []
    assert failures_seen == [1, 2, 1, 2]


def test_the_wait_after_a_failure_has_jitter_grows_and_has_a_cap():
    for failures in range(1, 60):
        waits = [full_jitter_s(failures) for _ in range(200)]
        cap_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2**failures)
        assert 0 <= min(waits) < cap_s / 4
        assert cap_s / 2 < max(waits) <= cap_s


def test_the_stop_ends_a_wait_for_the_next_try(uptime, fatal):
    supervisor = Supervisor(uptime, fatal.append, backoff_s=lambda failures: 600.0)
    supervisor.start(Scripted("w", fails))
    until(lambda: supervisor.states()["w"] is WorkerState.BACKOFF, "it waits")
    assert supervisor.stop(join_s=20) == []
    assert supervisor.states()["w"] is WorkerState.STOPPED


class TestHanging:
    @pytest.fixture
    def hanging(self, supervisor):
        """A worker that beats when the test says so."""
        beat, let_go, began = threading.Semaphore(0), threading.Event(), threading.Event()

        def hangs(life):
            life.beat()
            began.set()
            while not let_go.is_set():
                if beat.acquire(timeout=0.01):
                    life.beat()
            lives(life)

        worker = Scripted("camera", hangs, deadline_s=5.0)
        supervisor.start(worker)
        assert began.wait(20)
        supervisor.look()
        yield beat
        let_go.set()

    def test_without_a_beat_within_its_deadline_a_worker_is_hung_and_named(self, supervisor, uptime, hanging):
        uptime.now_s += 5.0
        supervisor.look()
        assert supervisor.hung() == []
        uptime.now_s += 0.1
        supervisor.look()
        assert supervisor.hung() == ["camera"]
        assert "camera bị treo" in supervisor.check().text

    def test_a_hung_worker_that_moves_again_is_running(self, supervisor, uptime, hanging):
        uptime.now_s += 6.0
        supervisor.look()
        assert supervisor.states()["camera"] is WorkerState.HUNG
        beats = supervisor._slots[0].life.beats
        hanging.release()
        until(lambda: supervisor._slots[0].life.beats > beats, "it beats")
        supervisor.look()
        assert supervisor.states()["camera"] is WorkerState.RUNNING
        assert supervisor.check().status is Status.PASS

    def test_a_worker_that_hangs_costs_the_stop_its_time_and_is_named(self, uptime, fatal):
        let_go = threading.Event()
        supervisor = Supervisor(uptime, fatal.append)
        supervisor.start(Scripted("deaf", lambda life: let_go.wait(60)))
        supervisor.start(Scripted("good"))
        assert supervisor.stop(join_s=0.05) == ["deaf"]
        assert supervisor.states()["good"] is WorkerState.STOPPED
        let_go.set()
        assert supervisor.stop(join_s=20) == []


def test_a_wait_for_the_next_try_that_is_longer_than_the_deadline_is_no_hanging(supervisor, uptime, monkeypatch):
    second, let_go = threading.Event(), threading.Event()

    def long_wait(life, _seconds):
        life.beat()
        supervisor.look()
        uptime.now_s += 50.0
        return life.stopping.is_set()

    def busy(life):
        second.set()
        let_go.wait(60)

    monkeypatch.setattr(Life, "wait", long_wait)
    supervisor.start(Scripted("w", fails, busy, deadline_s=5.0))
    assert second.wait(20)
    supervisor.look()
    assert supervisor.states()["w"] is WorkerState.RUNNING
    let_go.set()
    assert supervisor.stop(join_s=20) == []


class TestRequired:
    def test_only_required_workers_count_for_the_watchdog(self, uptime, fatal):
        supervisor = Supervisor(uptime, fatal.append, backoff_s=lambda failures: 600.0)
        supervisor.start(Scripted("http"), required=True)
        supervisor.start(Scripted("camera", fails))
        until(lambda: supervisor.states()["camera"] is WorkerState.BACKOFF, "it failed")
        assert supervisor.alive()
        assert supervisor.check().status is Status.WARN
        supervisor.start(Scripted("journal", fails), required=True)
        until(lambda: not supervisor.alive(), "the watchdog is no longer fed")
        assert supervisor.check().status is Status.FAIL
        assert supervisor.stop(join_s=20) == []

    def test_a_required_worker_that_hangs_starves_the_watchdog(self, supervisor, uptime):
        let_go = threading.Event()
        supervisor.start(Scripted("http", lambda life: let_go.wait(60), deadline_s=5.0), required=True)
        supervisor.look()
        uptime.now_s += 6
        supervisor.look()
        assert not supervisor.alive()
        let_go.set()

    def test_with_everything_running_all_is_well(self, supervisor):
        supervisor.start(Scripted("http"), required=True)
        assert supervisor.alive()
        assert supervisor.check().status is Status.PASS


class TestFatal:
    @pytest.mark.parametrize(
        ("work", "why"), [(fails, "journal: OSError('no such line')"), (returns, "journal: ended")]
    )
    def test_the_end_of_a_worker_that_is_not_run_again_is_the_end_of_the_process(self, supervisor, fatal, work, why):
        worker = Scripted("journal", work)
        supervisor.start(worker, required=True, restart=False)
        until(lambda: fatal, "the process is told to end")
        assert fatal == [why]
        assert worker.runs == 1
        assert not supervisor.alive()

    def test_its_end_after_the_stop_is_no_failure(self, supervisor, fatal, caplog):
        supervisor.start(Scripted("journal"), required=True, restart=False)
        assert supervisor.stop(join_s=20) == []
        assert fatal == []
        assert caplog.records == []


class TestStopping:
    def test_all_are_told_before_any_is_waited_for(self, supervisor):
        """So they stop at the same time, and two that wait for each other's end do not wait for ever."""
        ended = threading.Event()

        def waits_for_the_first(life):
            life.stopping.wait(60)
            ended.set()

        def the_first(life):
            life.stopping.wait(60)
            ended.wait(60)

        supervisor.start(Scripted("second", waits_for_the_first))
        supervisor.start(Scripted("first", the_first))
        assert supervisor.stop(join_s=20) == []

    def test_each_is_woken(self, supervisor):
        workers = [Scripted("a"), Scripted("b")]
        for worker in workers:
            supervisor.start(worker)
        supervisor.stop(join_s=20)
        assert [worker.woken for worker in workers] == [1, 1]

    def test_only_those_that_are_named_are_stopped(self, supervisor):
        for name in ("devices", "journal"):
            supervisor.start(Scripted(name))
        supervisor.stop(["devices"], join_s=20)
        assert supervisor.states() == {"devices": WorkerState.STOPPED, "journal": WorkerState.RUNNING}

    def test_one_that_cannot_be_woken_keeps_nobody_else_from_stopping(self, supervisor):
        class Stubborn(Scripted):
            def wake(self):
                raise RuntimeError("not now")

        supervisor.start(Stubborn("stubborn"))
        supervisor.start(Scripted("good"))
        assert supervisor.stop(join_s=20) == []

    def test_a_worker_may_stop_the_others_from_its_own_thread(self, supervisor):
        done = threading.Event()

        def stops_all(life):
            supervisor.stop(join_s=20)
            done.set()

        supervisor.start(Scripted("good"))
        supervisor.start(Scripted("w", stops_all))
        assert done.wait(20)


def test_nothing_begins_while_the_node_stops(supervisor):
    """A city that comes up during the stop must not start the agent any more."""
    supervisor.start(Scripted("early"))
    assert supervisor.stop(["early"], join_s=20) == []
    supervisor.start(Scripted("late"))
    assert "late" not in supervisor.states()
