"""The plan of a trial, and the witness that says what was outstanding when the node died."""

from __future__ import annotations

import random
import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan import SHARES, plan
from presses import Answer, Ledger, Press

PRESS = Press("http:a", "http", "1", 5)
COUNTED = Answer("e1", "counted", None)


@given(seed=st.integers(), count=st.integers(1, 300))
def test_a_seed_repeats_its_plan_and_enough_kills_come_between_write_and_acknowledgement(seed: int, count: int) -> None:
    cycles = plan(random.Random(seed), count)
    assert cycles == plan(random.Random(seed), count)
    assert [cycle.number for cycle in cycles] == list(range(1, count + 1))
    moments = Counter(cycle.moment for cycle in cycles)
    assert moments["acknowledging"] >= 0.4 * count
    assert all(moments[moment] == count * share // 100 for moment, share in SHARES.items())


def test_other_seeds_give_other_plans() -> None:
    assert plan(random.Random(1), 50) != plan(random.Random(2), 50)


def test_a_press_is_outstanding_from_its_writing_to_its_acknowledgement() -> None:
    ledger = Ledger()
    ledger.add(PRESS)
    assert ledger.outstanding() == frozenset()
    ledger.written(PRESS.key)
    assert ledger.outstanding() == {PRESS.key}
    ledger.acknowledged(PRESS.key, COUNTED)
    assert ledger.outstanding() == frozenset()
    ledger.written(PRESS.key)  # asked again: it has its answer already
    assert ledger.outstanding() == frozenset()


def test_a_request_that_ended_without_an_answer_is_no_longer_on_its_way() -> None:
    ledger = Ledger()
    ledger.add(PRESS)
    ledger.written(PRESS.key)
    assert not ledger.wait_sockets_quiet(0)
    ledger.unanswered(PRESS.key)
    assert ledger.wait_sockets_quiet(0)
    assert not ledger.is_acknowledged(PRESS.key)


def test_another_answer_to_the_same_press_is_a_contradiction() -> None:
    ledger = Ledger()
    ledger.add(PRESS)
    ledger.acknowledged(PRESS.key, COUNTED)
    ledger.acknowledged(PRESS.key, COUNTED, replayed=True)
    assert ledger.contradictions == []
    ledger.acknowledged(PRESS.key, Answer("e2", "excluded", "repeat"), replayed=True)
    assert len(ledger.contradictions) == 1
    assert ledger.replays == 2


def test_waiting_for_a_press_sees_only_one_that_is_written_from_now_on() -> None:
    ledger = Ledger()
    ledger.add(PRESS)
    ledger.written(PRESS.key)
    assert ledger.wait_written(0) is None
    other = Press("panel-3/00000001/1", "wire", "1", 2)
    ledger.add(other)
    timer = threading.Timer(0.05, ledger.written, [other.key])
    timer.start()
    assert ledger.wait_written(10) == other.key
    timer.join()


def test_waiting_for_an_acknowledgement_sees_only_one_that_comes_from_now_on() -> None:
    ledger = Ledger()
    for press in (PRESS, Press("http:b", "http", "1", 2)):
        ledger.add(press)
    ledger.acknowledged(PRESS.key, COUNTED)
    assert not ledger.wait_next_acknowledged(0)
    timer = threading.Timer(0.05, ledger.acknowledged, ["http:b", COUNTED])
    timer.start()
    assert ledger.wait_next_acknowledged(10)
    timer.join()


def test_a_key_is_pressed_once() -> None:
    ledger = Ledger()
    ledger.add(PRESS)
    with pytest.raises(ValueError, match="two presses"):
        ledger.add(PRESS)
