"""The day as staff see it, over a real journal: live numbers, answers in groups, and what needs a person first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from api_client import serving, until
from fake_node import FakeNode, settings
from flask.testing import FlaskClient
from support.fake_clock import FakeClock
from support.journals import press, running_journal

from firmware_py.core.health import CheckResult, Status
from firmware_py.core.journal.writer import Journal
from firmware_py.core.ports import OutboxFigures, Reader
from firmware_py.features.ratings import figures, releases
from local_api.app import create_app
from local_api.attention import SYNC_CAUSES
from local_api.today import TodayBoard
from sync.answers import FailureKind

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
APART_S = 20.0  # beyond correction and lockout: each press is another citizen's


class Hall:
    """A node whose journal is real and whose clock the test turns."""

    def __init__(self, journal: Journal, clock: FakeClock) -> None:
        self.clock = clock
        self.node = FakeNode()
        self.node.journal = journal  # type: ignore[assignment]
        self.node.clock = clock
        self.journal = journal

    def rate(self, *levels: int, counter: str = "1") -> None:
        for level in levels:
            press(self.journal, level, counter, simulated=True)
            self.clock.advance(APART_S)

    def look(self) -> dict[str, Any]:
        """What a newly opened page says: nothing is kept from an earlier look but what the journal's database keeps."""
        answer: Any = create_app(self.node).test_client().get("/api/v1/today").json
        return dict(answer)

    def card(self, index: int = 0) -> dict[str, Any]:
        return dict(self.look()["counters"][index])


@contextmanager
def open_hall(folder: Path, clock: FakeClock) -> Iterator[Hall]:
    with running_journal(folder, clock) as journal:
        yield Hall(journal, clock)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()  # Monday 23/11/2026, 08:00


@pytest.fixture
def hall(tmp_path: Path, clock: FakeClock) -> Iterator[Hall]:
    with open_hall(tmp_path, clock) as one:
        yield one


class CountingJournal:
    """A journal that counts how often it is read."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.bus = journal.bus
        self.asked = 0

    def reader(self) -> Reader:
        self.asked += 1
        return self._journal.reader()


def client(node: FakeNode) -> FlaskClient:
    return create_app(node).test_client()


def faces(card: dict[str, Any]) -> list[int]:
    return [face["n"] for face in card["faces"]]


def test_without_a_rating_there_is_no_data_and_no_rate(hall: Hall) -> None:
    card = hall.card()
    assert (card["n"], card["rate"], card["rate_note"]) == (0, "", "Chưa có dữ liệu")
    assert hall.look()["centre"]["rate_ratio"] is None


def test_the_number_is_live_and_answers_wait_for_a_group_of_five(hall: Hall) -> None:
    hall.rate(5, 5, 5, 1)
    card = hall.card()
    assert (card["n"], card["rate"], faces(card)) == (4, "", [0] * 5)
    assert card["rate_note"] == "Chưa đủ 5 lượt để hiện tỷ lệ"
    hall.rate(5)
    card = hall.card()
    assert (card["n"], card["rate"], card["rate_note"]) == (5, "80 %", "hài lòng (n = 5)")
    assert faces(card) == [4, 0, 0, 0, 1]
    hall.rate(1, 1, 1, 1)
    assert (hall.card()["n"], hall.card()["rate"]) == (9, "80 %")
    hall.rate(1)
    assert (hall.card()["n"], hall.card()["rate_note"], faces(hall.card())) == (
        10,
        "hài lòng (n = 10)",
        [4, 0, 0, 0, 6],
    )


def test_a_restart_in_between_tells_no_vote_either(tmp_path: Path, clock: FakeClock) -> None:
    """A release in memory alone would begin anew with what is counted then: one vote later, and that vote is told."""
    with open_hall(tmp_path, clock) as hall:
        hall.rate(5, 5, 5, 5, 5)
        assert hall.card()["rate"] == "100 %"
        hall.rate(1)
    with open_hall(tmp_path, clock) as hall:
        assert (hall.card()["n"], hall.card()["rate"], hall.card()["rate_n"]) == (6, "100 %", 5)


def test_a_correction_after_the_release_changes_only_the_next_one(hall: Hall) -> None:
    hall.rate(5, 5, 5, 5)
    press(hall.journal, 5, simulated=True)
    assert hall.card()["rate"] == "100 %"
    hall.clock.advance(2)
    assert press(hall.journal, 1, simulated=True) == "corrected"
    card = hall.card()
    assert (card["n"], card["rate"], card["notes"]) == (5, "100 %", "Đã sửa lại: 1 lượt")


def test_a_counter_below_five_is_in_no_sum_of_the_centre(hall: Hall) -> None:
    hall.rate(5, 5, 5, 5, 5)
    hall.rate(1, 1, counter="2")
    centre = hall.look()["centre"]
    assert (centre["n"], centre["rate"], centre["rate_n"]) == (7, "100 %", 5)


def test_real_ratings_are_not_a_simulations(hall: Hall) -> None:
    for _ in range(6):
        press(hall.journal, 1, simulated=False)
        hall.clock.advance(APART_S)
    assert hall.card()["n"] == 0


def test_what_was_kept_and_not_counted_stands_apart(hall: Hall) -> None:
    press(hall.journal, 4, simulated=True)
    hall.clock.advance(1)
    assert press(hall.journal, 4, simulated=True) == "repeat"
    card = hall.card()
    assert (card["n"], card["notes"]) == (1, "Không tính 1 lượt: bấm lại cùng một mức")


def test_a_day_ends_at_the_sites_midnight(hall: Hall) -> None:
    hall.rate(5, 5, 5, 5, 5)
    hall.clock.advance((datetime(2026, 11, 24, 0, 0, 1, tzinfo=ZONE) - hall.clock.utc).total_seconds())
    today = hall.look()
    assert (today["day"], today["counters"][0]["n"]) == ("Hôm nay, thứ Ba 24/11/2026", 0)
    assert [(bar["title"], bar["n"], bar["rate_text"]) for bar in today["days"][-2:]] == [
        ("23/11/2026", 5, "100 % (n = 5)"),
        ("24/11/2026 (hôm nay)", 0, "–"),
    ]


def test_what_remains_of_a_day_is_counted_and_never_shown_by_answer(hall: Hall) -> None:
    hall.rate(5, 5, 5, 5, 5)
    hall.look()
    hall.rate(1, 1)
    hall.clock.advance(86_400)
    yesterday = hall.look()["days"][-2]
    assert (yesterday["n"], yesterday["rate_text"]) == (7, "100 % (n = 5)")


def test_a_day_that_nobody_looked_at_is_shown_whole_afterwards(hall: Hall) -> None:
    hall.rate(5, 5, 5, 5, 5, 1, 1)
    hall.clock.advance(86_400)
    assert hall.look()["days"][-2]["rate_text"] == "71 % (n = 7)"


def test_only_hours_that_are_over_are_drawn(hall: Hall) -> None:
    hall.rate(5, 5)
    assert [bar["n"] for bar in hall.look()["hours"] if bar["label"] == "08"] == []
    hall.clock.advance(3600)
    assert [bar["n"] for bar in hall.look()["hours"] if bar["label"] == "08"] == [2]
    assert hall.look()["hours"][-1]["title"] == "08:00 – 09:00"


def test_while_the_day_is_unknown_there_are_no_figures(tmp_path: Path) -> None:
    with open_hall(tmp_path, FakeClock(trusted=False)) as hall:
        hall.node.checks.append(CheckResult("clock", Status.WARN, "?"))
        today = hall.look()
    assert (today["day"], today["hours"], today["days"]) == ("Hôm nay", [], [])
    assert today["notices"][-1]["what"] == "Chưa biết giờ đúng"


def test_a_day_is_read_through_the_hours_of_the_index_alone(hall: Hall) -> None:
    """Whatever the age of the journal."""
    plan = hall.journal.reader().rows("EXPLAIN QUERY PLAN " + figures._SUMS, ("a", "b", "c", "d", "e", 1))
    assert any("SEARCH bucket USING INDEX bucket_key (hour>? AND hour<?)" in str(row) for row in plan)


def test_looking_again_reads_nothing_while_nothing_happened(hall: Hall) -> None:
    counting = CountingJournal(hall.journal)
    hall.node.journal = counting  # type: ignore[assignment]
    board = TodayBoard(hall.node)  # type: ignore[arg-type]
    board.look()
    asked = counting.asked
    assert asked > 0
    hall.clock.advance(1)
    assert board.look().counters[0].n == 0
    assert counting.asked == asked
    hall.rate(5)
    until(lambda: board.look().counters[0].n == 1, "the press is seen")


def test_old_releases_go(hall: Hall) -> None:
    hall.rate(5, 5, 5, 5, 5)
    hall.look()
    hall.clock.advance(86_400 * (releases.KEPT_DAYS + 1))
    hall.rate(5, 5, 5, 5, 5)
    hall.look()
    kept = hall.journal.reader().rows("SELECT day FROM rating_release")
    assert kept == [((date(2026, 11, 23) + timedelta(days=releases.KEPT_DAYS + 1)).isoformat(),)]


# ---- what needs a person ----


def test_when_nothing_is_wrong_the_page_is_calm() -> None:
    node = FakeNode()
    node.devices.statuses = lambda: ()  # type: ignore[method-assign]
    page = client(node).get("/").text
    assert "Mọi thứ hoạt động bình thường" in page
    assert 'class="calm"' in page
    english = client(node).get("/?lang=en").text
    assert "Everything works" in english


@pytest.mark.parametrize("mode", ["simulation", "production"])
def test_the_first_page_says_first_what_needs_a_person_in_every_mode(mode: str) -> None:
    node = FakeNode(settings(mode))
    node.checks.append(CheckResult("disk", Status.FAIL, "Đĩa đầy, hãy xoá bớt."))
    page = client(node).get("/").text
    assert page.index("Đĩa đầy, hãy xoá bớt.") < page.index("Đánh giá hôm nay") < page.index("Gửi về thành phố")
    assert "Không có chân GPIO trên máy này." in page
    assert ("trang mô phỏng" in page) == (mode == "simulation")


def test_the_worst_comes_first() -> None:
    node = FakeNode()
    node.checks = [
        CheckResult("clock", Status.WARN, "?"),
        CheckResult("workers", Status.FAIL, "?", {"sync": "RuntimeError()"}),
    ]
    answer: Any = client(node).get("/api/v1/today").json
    assert [notice["severe"] for notice in answer["notices"]] == [True, True, False]


def test_no_connection_to_the_city_says_that_the_data_is_kept_and_what_to_do() -> None:
    node = FakeNode()
    node.figures = OutboxFigures(12, 200, None, 0)
    held = {"pending": 12, "oldest_age_s": 200, "rejected": 0, "last_failure": "unreachable"}
    node.checks = [CheckResult("sync", Status.WARN, "...", held)]
    answer: Any = client(node).get("/api/v1/today").json
    told = answer["notices"][-1]
    assert told["what"] == "Mất kết nối máy chủ thành phố"
    assert told["why"] == "Dữ liệu được giữ lại: 12 mục, cũ nhất 3 phút."
    assert "mạng Internet" in told["todo"]
    assert (answer["city"]["pending"], answer["city"]["oldest"]) == (12, "3 phút")


def test_a_refusing_journal_is_the_first_thing_said_and_said_once() -> None:
    node = FakeNode()
    node.not_ready = "Thẻ nhớ hoặc ổ đĩa đầy hoặc không cho ghi; chưa ghi gì. Hãy giải phóng chỗ trống."
    node.checks = [CheckResult("journal", Status.FAIL, "Không nhận được lượt đánh giá: " + node.not_ready)]
    answer: Any = client(node).get("/api/v1/today?lang=en").json
    assert answer["notices"][0]["what"] == "No ratings can be taken"
    assert len([notice for notice in answer["notices"] if "taken" in notice["what"]]) == 1
    assert answer["notices"][0]["why"].endswith("Free some space.")


def test_a_stuck_button_is_told_without_which_one() -> None:
    node = FakeNode()
    status = node.devices.statuses()[0]
    node.devices.statuses = lambda: [replace(status, faults=("button 3 stuck",))]  # type: ignore[method-assign]
    node.checks = [CheckResult("device panel-1", Status.WARN, "Tạm ngắt: nút 3 bị kẹt.")]
    page = client(node).get("/").text
    assert "một nút bị kẹt hoặc rung" in page
    assert "nút 3" not in page
    assert "button 3" not in page


@pytest.mark.parametrize("kind", get_args(FailureKind))
def test_every_trouble_with_the_city_has_words_of_its_own(kind: str) -> None:
    node = FakeNode()
    node.checks = [CheckResult("sync", Status.WARN, "...", {"pending": 1, "oldest_age_s": 60, "last_failure": kind})]
    answer: Any = client(node).get("/api/v1/today").json
    assert answer["notices"][-1]["what"] == SYNC_CAUSES[kind][0]


@pytest.mark.parametrize(
    ("status", "found", "told"),
    [
        (Status.WARN, {"rejected": 2}, "Thành phố từ chối 2 mục số liệu"),
        (Status.WARN, {"pending": 2, "oldest_age_s": 1000}, "Số liệu gửi về thành phố chậm"),
        (Status.WARN, {"pending": 0}, "Đã lâu không có số liệu mới cho thành phố"),
        (Status.FAIL, {}, "Chưa có mã kết nối máy chủ thành phố (city_token)"),
        (Status.WARN, {}, "Máy chủ thành phố mô phỏng chưa chạy"),
    ],
)
def test_a_city_that_answers_can_lack_figures_too(status: Status, found: dict[str, Any], told: str) -> None:
    node = FakeNode()
    node.checks = [CheckResult("sync", status, "...", found)]
    answer: Any = client(node).get("/api/v1/today").json
    assert answer["notices"][-1]["what"] == told


# ---- live ----


def test_a_press_is_on_the_stream_and_no_answer_is(tmp_path: Path) -> None:
    with (
        open_hall(tmp_path, FakeClock()) as hall,
        serving(hall.node, tmp_path) as served,
        served.listen("/api/v1/today/stream?lang=en") as stream,
    ):
        kind, _, first = stream.event()
        hall.rate(1)
        while (state := stream.event()[2])["counters"][0]["n"] == 0:
            pass
    assert kind == "state"
    assert first["day"] == "Today, Monday 23/11/2026"
    assert state["counters"][0]["n_text"] == "1 rating today"
    assert {face["n"] for face in state["counters"][0]["faces"]} == {0}
