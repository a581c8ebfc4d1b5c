"""Four kinds of silence, told apart by example."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from firmware_py.core.clock import iso_hour
from sync.receiver.figures import DeviceKey, Opening, Operation
from sync.receiver.reading import LastWord
from sync.receiver.scoreboard import NodeLine, needs_of, score_of
from sync.receiver.silence import Habit, NodeSilence, device_state, node_silence

HOUR_MS = 3_600_000
#: 24/11/2026 is a Tuesday. Open from 07:00 to 11:00 and from 13:00 to 17:00 in Vietnam, Monday to Friday.
OPEN_UTC = (0, 1, 2, 3, 6, 7, 8, 9)


def two_weeks() -> Habit:
    hours = {}
    for day in range(9, 24):
        for hour in OPEN_UTC:
            moment = datetime(2026, 11, day, hour, tzinfo=UTC)
            if moment.weekday() < 5:
                hours[iso_hour(moment)] = HOUR_MS
    return Habit(hours)


def at(text: str) -> datetime:
    """A Vietnamese time of November 2026, as `24 10:20`."""
    day, clock = text.split()
    return datetime.fromisoformat(f"2026-11-{day}T{clock}:00+07:00").astimezone(UTC)


def told(last_seen: str, now: str, habit: Habit | None = None, holidays: tuple[date, ...] = ()) -> str:
    return node_silence(at(last_seen), at(now), habit or two_weeks(), lambda day: day in holidays).state


def test_a_node_that_never_sent_anything() -> None:
    assert node_silence(None, at("24 10:20"), Habit(), lambda _: False) == NodeSilence("never")


@pytest.mark.parametrize(
    ("last_seen", "now", "state"),
    [
        ("24 10:10", "24 10:20", "heard"),
        ("24 08:42", "24 10:20", "lost"),
        ("24 08:42", "24 08:58", "lost"),  # more than a quarter of an hour, within an hour that is open
        ("24 11:00", "24 12:30", "quiet"),  # noon
        ("24 11:00", "24 13:10", "quiet"),  # the doors have just opened, the next tick may be on its way
        ("24 11:00", "24 13:20", "lost"),
        ("23 17:00", "24 06:30", "quiet"),  # night
        ("23 17:00", "24 07:10", "quiet"),
        ("23 17:00", "24 09:00", "lost"),
        ("20 17:00", "22 12:00", "quiet"),  # a weekend
        ("20 17:00", "23 09:00", "lost"),
        ("01 17:00", "24 09:00", "lost"),
    ],
)
def test_a_lost_node_is_told_from_a_closed_site(last_seen: str, now: str, state: str) -> None:
    assert told(last_seen, now) == state


def test_how_much_of_the_opening_hours_passed_without_a_word() -> None:
    found = node_silence(at("23 16:30"), at("24 09:15"), two_weeks(), lambda _: False)
    assert found == NodeSilence("lost", at("23 16:30"), 2 * HOUR_MS + 45 * 60_000)


def test_on_a_public_holiday_nothing_is_expected() -> None:
    assert told("23 17:00", "24 10:00", holidays=(date(2026, 11, 24),)) == "quiet"


def test_a_holiday_a_week_ago_does_not_excuse_today() -> None:
    hours = {hour: ms for hour, ms in (two_weeks().open_ms or {}).items() if not hour.startswith("2026-11-17")}
    assert told("23 17:00", "24 10:00", Habit(hours)) == "lost"


def test_of_an_hour_that_is_open_in_part_only_what_is_sure_is_missed() -> None:
    half = Habit({"2026-11-17T00:00:00Z": HOUR_MS // 2})  # from 07:30, as it happens; the city does not know which half
    assert told("23 17:00", "24 07:40", half) == "quiet"
    assert told("23 17:00", "24 08:00", half) == "lost"


def test_a_new_node_without_a_habit_has_a_day() -> None:
    assert told("23 11:00", "24 10:00", Habit(None)) == "quiet"
    assert told("23 10:00", "24 10:00", Habit(None)) == "lost"


def test_after_two_weeks_no_habit_excuses_silence() -> None:
    assert told("09 17:00", "24 10:00", Habit({})) == "lost"
    assert told("11 17:00", "24 10:00", Habit({})) == "quiet"


# Devices


HEARD, LOST = NodeSilence("heard"), NodeSilence("lost", at("24 08:42"))
DAY = Opening(up_ms=4 * HOUR_MS)


@pytest.mark.parametrize(
    ("node", "operation", "opening", "n", "state"),
    [
        # (a) nothing is known, whatever was told before
        (LOST, Operation(HOUR_MS), DAY, 3, "lost"),
        (NodeSilence("never"), Operation(), Opening(), None, "lost"),
        # (b) the node speaks, the device is out in opening hours
        (HEARD, Operation(HOUR_MS, 7_800_000), DAY, 3, "unavailable"),
        (HEARD, Operation(0, HOUR_MS), DAY, 0, "unavailable"),
        (HEARD, Operation(HOUR_MS, 5_000), DAY, 3, "working"),  # opening it at the node's start takes a moment
        # (c) it works, nobody rated
        (HEARD, Operation(HOUR_MS), DAY, 0, "unused"),
        (HEARD, Operation(HOUR_MS), DAY, 5, "working"),
        (HEARD, Operation(HOUR_MS), DAY, None, "working"),  # which counter it serves is not told
        # (d) outside opening hours, or nobody said anything of it
        (NodeSilence("quiet"), Operation(), Opening(), 0, "closed"),
        (HEARD, Operation(), DAY, 0, "untold"),
    ],
)
def test_what_a_devices_figures_mean(
    node: NodeSilence, operation: Operation, opening: Opening, n: int | None, state: str
) -> None:
    assert device_state(node, operation, opening, n) == state


# What needs a person


def site(name: str, silence: NodeSilence) -> object:
    return score_of(name, [], [NodeLine("hub", None, silence)])


def test_lost_nodes_come_first_and_then_devices_that_are_still_out() -> None:
    panel, other = DeviceKey("hub", "panel-1", "1"), DeviceKey("hub", "panel-2", "2")
    scores = [site("a", HEARD), site("b", LOST), site("c", NodeSilence("never")), site("d", NodeSilence("quiet"))]
    today = {"a": {panel: Operation(0, 6_000_000), other: Operation(0, 7_800_000)}}
    words = {("a", "hub", "panel-1"): LastWord(None, "2026-11-24T03:00:00Z")}
    found = needs_of(scores, today, words)  # type: ignore[arg-type]
    assert [(need.kind, need.site, need.is_over) for need in found] == [
        ("lost", "b", False), ("never", "c", False), ("unavailable", "a", False), ("unavailable", "a", True),
    ]  # fmt: skip
    assert [need.device for need in found[2:]] == [panel, other]


def test_a_short_outage_and_a_lost_nodes_devices_need_nobody_of_their_own() -> None:
    panel = DeviceKey("hub", "panel-1", "1")
    scores = [site("a", HEARD), site("b", LOST)]
    today = {"a": {panel: Operation(0, 200_000)}, "b": {panel: Operation(0, 9_000_000)}}
    assert [need.kind for need in needs_of(scores, today, {})] == ["lost"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "is_out"),
    [
        (LastWord(None, "2026-11-24T03:00:00Z"), True),
        (LastWord("2026-11-24T02:00:00Z", "2026-11-24T03:00:00Z"), True),
        (
            LastWord("2026-11-24T03:00:00Z", "2026-11-24T03:00:00Z"),
            False,
        ),  # both in one hour: nobody knows, and it worked
        (LastWord("2026-11-24T03:00:00Z", None), False),
    ],
)
def test_the_newest_hour_says_whether_a_device_is_still_out(word: LastWord, is_out: bool) -> None:
    assert word.is_unavailable == is_out


def test_a_span_of_silence_is_reckoned_by_time_and_not_by_the_number_of_hours() -> None:
    long = node_silence(at("24 07:00"), at("24 07:00") + timedelta(hours=4), two_weeks(), lambda _: False)
    assert long.missed_ms == 4 * HOUR_MS
