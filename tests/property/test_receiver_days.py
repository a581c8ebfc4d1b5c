"""Provisional, final, late, closed: the rules of a day's figures, by example and over random tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_py.core.clock import iso, iso_hour
from sync.receiver.days import LATE_AFTER, DayMark, Heard, is_final, is_late, status_of, statuses
from sync.receiver.periods import DAY, day_end, day_start

MONDAY = date(2026, 11, 23)
END = datetime(2026, 11, 23, 17, tzinfo=UTC)  # midnight in Vietnam
FIRST = "2026-11-01T00:00:00Z"
DONE = Heard(FIRST, "2026-11-24T00:00:00Z")


def mark(received: datetime, day: date = MONDAY, final: datetime | None = None, node: int = 1) -> DayMark:
    return DayMark(node, day, iso(received), None if final is None else iso(final))


def monday(received: datetime, next_final: datetime | None = None, heard: Heard = DONE) -> str | None:
    day_after = None if next_final is None else mark(next_final, MONDAY + DAY, next_final)
    return status_of(MONDAY, [(mark(received), day_after)], {1: heard})


def test_a_day_is_vietnams() -> None:
    assert (day_start(MONDAY), day_end(MONDAY)) == (END - timedelta(hours=24), END)


@pytest.mark.parametrize(
    ("final_until", "expected"),
    [
        (None, "provisional"),
        ("2026-11-23T09:00:00Z", "provisional"),  # the last hour it worked is final; more of the day may come
        ("2026-11-23T16:00:00Z", "final"),  # the day's last hour, 23:00 in Vietnam
        ("2026-11-24T00:00:00Z", "final"),  # the next morning
    ],
)
def test_a_day_is_final_when_its_last_hour_is(final_until: str | None, expected: str) -> None:
    assert monday(END - timedelta(hours=7), heard=Heard(FIRST, final_until)) == expected


def test_what_came_more_than_a_day_after_the_day_is_late() -> None:
    assert monday(END + LATE_AFTER) == "final"
    assert monday(END + LATE_AFTER + timedelta(milliseconds=1)) == "late"


def test_a_change_after_the_day_was_final_is_late_however_soon() -> None:
    final_at = END + timedelta(hours=8)
    assert monday(final_at, final_at) == "final"  # the batch that made it final may bring its last buckets
    assert monday(final_at + timedelta(seconds=1), final_at) == "late"


def test_every_node_that_spoke_must_be_final() -> None:
    spoke = [(mark(END), None), (mark(END, node=2), None)]
    assert status_of(MONDAY, spoke, {1: DONE, 2: Heard(FIRST)}) == "provisional"
    assert status_of(MONDAY, spoke, {1: DONE, 2: DONE}) == "final"


def test_a_node_that_did_not_speak_for_a_day_does_not_keep_it_open() -> None:
    assert status_of(MONDAY, [(mark(END), None)], {1: DONE, 2: Heard(FIRST)}) == "final"


def test_provisional_wins_over_late() -> None:
    spoke = [(mark(END + timedelta(days=9)), None), (mark(END, node=2), None)]
    assert status_of(MONDAY, spoke, {1: DONE, 2: Heard(FIRST)}) == "provisional"


def test_a_day_of_which_nobody_told_was_closed_if_it_is_final() -> None:
    assert status_of(MONDAY, [], {1: DONE}) == "closed"
    assert status_of(MONDAY, [], {1: Heard(FIRST, "2026-11-20T00:00:00Z")}) is None  # lost, as far as anyone knows
    assert status_of(MONDAY, [], {1: Heard("2026-11-24T00:00:00Z", "2026-11-30T00:00:00Z")}) is None  # not there yet
    assert status_of(MONDAY, [], {1: Heard()}) is None


# Over random tables: nodes, days, hours with their epochs' final flags and the moments when they came

moments = st.integers(0, 10 * 24).map(lambda hours: day_start(MONDAY) + timedelta(hours=hours))
rows = st.lists(
    st.tuples(st.integers(1, 3), st.integers(0, 4 * 24 - 1), st.booleans(), moments), max_size=40
)  # node, hour after the start of Monday, final, received
DAYS = [MONDAY + number * DAY for number in range(4)]


def table(of: list[tuple[int, int, bool, datetime]]) -> tuple[list[DayMark], dict[int, Heard]]:
    """What `reading` makes of a table of buckets, reckoned the slow way."""
    start = day_start(MONDAY)
    marks = []
    for node in (1, 2, 3):
        for day in DAYS:
            its = [row for row in of if row[0] == node and DAYS[row[1] // 24] == day]
            final = [row[3] for row in its if row[2]]
            if its:
                newest = max(row[3] for row in its)
                marks.append(DayMark(node, day, iso(newest), iso(min(final)) if final else None))
    heard = {}
    for node in (1, 2, 3):
        hours = [iso_hour(start + timedelta(hours=row[1])) for row in of if row[0] == node]
        finals = [iso_hour(start + timedelta(hours=row[1])) for row in of if row[0] == node and row[2]]
        heard[node] = Heard(min(hours, default=None), max(finals, default=None))
    return marks, heard


@given(rows)
def test_a_day_that_is_final_stays_final_whatever_else_comes(of: list[tuple[int, int, bool, datetime]]) -> None:
    before = statuses(*table(of), DAYS)
    for node in (1, 2, 3):
        after = statuses(*table([*of, (node, 4 * 24 - 1, True, END + timedelta(days=4))]), DAYS)
        for day in DAYS[:-1]:
            if before[day] in ("final", "late", "closed"):
                assert after[day] == before[day]


@given(rows)
def test_before_a_day_that_is_final_no_day_of_a_lone_node_is_open(of: list[tuple[int, int, bool, datetime]]) -> None:
    alone = [(1, hour, final, at) for _, hour, final, at in of]
    found = statuses(*table(alone), DAYS)
    settled = [day for day in DAYS if found[day] in ("final", "late", "closed")]
    assert all(found[day] != "provisional" for day in DAYS if settled and day < max(settled))


@given(rows)
def test_a_status_is_of_days_that_were_told_of(of: list[tuple[int, int, bool, datetime]]) -> None:
    marks, heard = table(of)
    told = {one.day for one in marks}
    for day, status in statuses(marks, heard, DAYS).items():
        assert (status in ("provisional", "final", "late")) == (day in told)


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_what_is_read_does_not_matter(of: list[tuple[int, int, bool, datetime]], random: object) -> None:
    marks, heard = table(of)
    shuffled = list(marks)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert statuses(shuffled, heard, DAYS) == statuses(marks, heard, DAYS)


@given(moments, moments, moments)
def test_later_is_never_less_late(first: datetime, second: datetime, final: datetime) -> None:
    day_after = mark(final, MONDAY + DAY, final)
    early, late = sorted((first, second))
    assert is_late(mark(early), day_after) <= is_late(mark(late), day_after)
    assert is_late(mark(early), None) <= is_late(
        mark(early), day_after
    )  # to know when it was final can only add lateness


@given(st.integers(0, 96))
def test_final_is_by_the_hour_and_never_taken_back(hours: int) -> None:
    until = iso_hour(day_start(MONDAY) + timedelta(hours=hours))
    assert is_final(until, MONDAY) == (hours >= 23)
