"""Health: the worst of all, and no check that vanishes or hangs."""

import threading

import pytest

from firmware_py.core.health import Check, CheckResult, Status, run_check, worst


def result(status):
    return CheckResult("x", status, "")


def test_the_whole_is_as_bad_as_its_worst_part():
    assert worst([]) is Status.PASS
    assert worst([result(Status.PASS), result(Status.WARN)]) is Status.WARN
    assert worst([result(Status.FAIL), result(Status.WARN), result(Status.PASS)]) is Status.FAIL


def test_a_check_that_answers_is_taken_at_its_word():
    answer = CheckResult("x", Status.WARN, "ừ", {"n": 1})
    assert run_check(Check("x", lambda: answer)) is answer


@pytest.mark.parametrize("error", [RuntimeError("hỏng"), OSError("hỏng"), KeyError("hỏng")])
def test_a_check_that_raises_is_a_fail_with_its_text(error):
    def run():
        raise error

    found = run_check(Check("x", run))
    assert (found.name, found.status) == ("x", Status.FAIL)
    assert "hỏng" in found.text


def test_a_check_that_hangs_costs_its_deadline_and_is_a_fail():
    let_go = threading.Event()

    def run():
        let_go.wait(20)
        return result(Status.PASS)

    found = run_check(Check("x", run, deadline_s=0.05))
    let_go.set()
    assert found.status is Status.FAIL
    assert "0.05" in found.text
