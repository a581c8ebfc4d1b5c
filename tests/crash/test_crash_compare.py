"""The reckoning finds what it must find: a crash trial that can only succeed proves nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from compare import Figures, Journal, Kept, compare, figures_of, read_journal
from presses import Answer, Press

PRESSES = [
    Press("http:a", "http", "1", 5),
    Press("http:b", "http", "1", 4),
    Press("panel-3/00000001/1", "wire", "2", 1),
]
EVENTS = [
    Kept("e1", "2026-11-22T01:00:00.000Z", "1", 5, "counted", None),
    Kept("e2", "2026-11-22T01:00:01.000Z", "1", 4, "corrected", None),
    Kept("e3", "2026-11-22T01:00:02.000Z", "2", 1, "excluded", "lockout"),
]
RECEIPTS = {press.key: event.id for press, event in zip(PRESSES, EVENTS, strict=True)}
ANSWERS = {
    "http:a": Answer("e1", "counted", None),
    "http:b": Answer("e2", "corrected", None),
    "panel-3/00000001/1": None,
}
CITY = Figures({"4": 1, "5": 0}, corrected=1, excluded={"lockout": 1})


def test_all_is_well_when_every_press_is_there_once_and_the_city_agrees() -> None:
    assert CITY.total == 3
    assert compare(PRESSES, ANSWERS, Journal(EVENTS, RECEIPTS), CITY).good


def test_a_correction_takes_the_counters_newest_level_back() -> None:
    assert figures_of(EVENTS) == Figures({"5": 0, "4": 1}, 1, {"lockout": 1})


def test_an_acknowledged_press_without_its_event_is_lost() -> None:
    verdict = compare(PRESSES, ANSWERS, Journal(EVENTS[:2], {"http:a": "e1", "http:b": "e2"}), CITY)
    assert verdict.lost == ["panel-3/00000001/1"]


def test_a_receipt_whose_event_is_gone_is_lost_too() -> None:
    assert compare(PRESSES, ANSWERS, Journal(EVENTS[:2], RECEIPTS), CITY).lost == ["panel-3/00000001/1"]


def test_an_event_that_nobody_pressed_is_doubled() -> None:
    twice = [*EVENTS, replace(EVENTS[0], id="e4")]
    verdict = compare(PRESSES, ANSWERS, Journal(twice, RECEIPTS), CITY)
    assert len(verdict.doubled) == 1
    assert "e4" in verdict.doubled[0]


def test_two_presses_behind_one_event_are_found() -> None:
    receipts = {**RECEIPTS, "http:b": "e1"}
    verdict = compare(PRESSES, ANSWERS, Journal(EVENTS, receipts), CITY)
    assert len(verdict.doubled) == 2  # e1 twice, e2 without a press


@pytest.mark.parametrize(
    "answer", [Answer("e9", "counted", None), Answer("e1", "excluded", None), Answer("e1", "counted", "x")]
)
def test_an_answer_that_differs_from_what_is_kept_is_told(answer: Answer) -> None:
    verdict = compare(PRESSES, {**ANSWERS, "http:a": answer}, Journal(EVENTS, RECEIPTS), CITY)
    assert len(verdict.different) == 1
    assert "http:a" in verdict.different[0]


def test_a_press_that_was_kept_as_another_is_told() -> None:
    wrong = [replace(EVENTS[0], level=3), *EVENTS[1:]]
    assert not compare(PRESSES, ANSWERS, Journal(wrong, RECEIPTS), CITY).good


def test_a_press_that_was_never_acknowledged_is_told() -> None:
    answers = {key: answer for key, answer in ANSWERS.items() if key != "http:b"}
    verdict = compare(PRESSES, answers, Journal(EVENTS, RECEIPTS), CITY)
    assert "http:b was never acknowledged" in verdict.different


@pytest.mark.parametrize(
    "city",
    [
        replace(CITY, by_level={"4": 2}),
        replace(CITY, by_level={"5": 1}),
        replace(CITY, corrected=0),
        replace(CITY, excluded={}),
        replace(CITY, excluded={"repeat": 1}),
    ],
)
def test_any_other_figure_at_the_city_is_told(city: Figures) -> None:
    verdict = compare(PRESSES, ANSWERS, Journal(EVENTS, RECEIPTS), city)
    assert verdict.different
    assert not verdict.lost


def test_a_data_folder_that_a_cut_left_empty_holds_no_rating(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "journal.db") == Journal([], {})
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection:
        connection.execute("CREATE TABLE meta (key TEXT)")
    assert read_journal(tmp_path / "journal.db") == Journal([], {})
