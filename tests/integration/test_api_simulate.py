"""The simulator's routes: presses, plugs, the city's line, and the page's live state."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from api_client import Answer, Served, serving, until
from fake_node import FakeNode, FakeWire, event

from firmware_py.core.contracts import DEVICE_UNAVAILABLE, NODE_TICK, RATING_GIVEN
from firmware_py.core.ports import CITY_STATES, OutboxFigures
from local_api.scoreboard import CityScoreboard, CityUnreachableError
from local_api.simulate import BUSY_S, MAX_LONG_HOLDS

PANEL = "/api/v1/simulate/devices/panel-1"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(FakeNode(), tmp_path) as one:
        yield one


def test_a_press_reaches_the_wire_with_bounces_and_hold(served: Served) -> None:
    assert served.ask("POST", f"{PANEL}/press", {"button": 4}).status == 200
    assert served.ask("POST", f"{PANEL}/press", {"button": 1, "bounces": 10, "hold_s": 0.5}).status == 200
    assert served.node.devices.wire.presses == [(4, 0, 0.1), (1, 10, 0.5)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"button": "5"},
        {"button": 5, "bounces": -1},
        {"button": 5, "bounces": 2001},
        {"button": 5, "hold_s": 60.1},
        {"button": 5, "hold_s": -0.1},
        {"button": 5, "force": 1},
    ],
)
def test_a_press_out_of_range_is_named_and_not_done(served: Served, body: Any) -> None:
    answer = served.ask("POST", f"{PANEL}/press", body)
    assert (answer.status, answer.json["code"]) == (422, "invalid_body")
    assert not served.node.devices.wire.presses


@pytest.mark.parametrize("device", ["panel-2", "nobody", "%2e%2e"])
def test_a_device_without_a_simulated_wire_is_unknown(served: Served, device: str) -> None:
    for method, end in (("POST", "/press"), ("POST", "/unplug"), ("POST", "/plug"), ("GET", "")):
        answer = served.ask(
            method, f"/api/v1/simulate/devices/{device}{end}", {"button": 1} if end == "/press" else None
        )
        assert (answer.status, answer.json["code"]) == (404, "unknown_device")


def test_what_the_wire_cannot_do_is_a_conflict_in_its_own_words(served: Served) -> None:
    answer = served.ask("POST", f"{PANEL}/press", {"button": 9})
    assert (answer.status, answer.json["code"]) == (409, "wire_error")
    assert answer.json["detail"] == "Bảng này không có nút 9."


def test_unplug_plug_and_what_can_be_seen_there(served: Served) -> None:
    assert served.ask("POST", f"{PANEL}/unplug").json == {"device": "panel-1", "plugged": False}
    seen = served.get(PANEL).json
    assert (seen["device"], seen["plugged"], seen["buttons"]["5"]) == ("panel-1", False, False)
    assert served.ask("POST", f"{PANEL}/press", {"button": 1}).status == 409
    assert served.ask("POST", f"{PANEL}/plug").json["plugged"] is True
    assert served.get(PANEL).json["plugged"] is True


def hold(served: Served, panel: str, button: int, answers: list[Answer]) -> threading.Thread:
    """Keep a button down until the test lets go; returns once it is down."""
    path = f"/api/v1/simulate/devices/{panel}/press"
    body = {"button": button, "hold_s": 30}
    thread = threading.Thread(target=lambda: answers.append(served.ask("POST", path, body)))
    thread.start()
    wire = served.node.devices.simulated(panel)
    assert wire is not None
    assert wire.holding.acquire(timeout=5)
    return thread


def test_only_a_few_buttons_can_be_held_at_once_and_short_presses_still_work(served: Served) -> None:
    wire, other = served.node.devices.wire, FakeWire()
    other.let_go = wire.let_go
    served.node.devices.more["panel-9"] = other
    wire.let_go.clear()
    answers: list[Answer] = []
    fingers = [(panel, button) for panel in ("panel-1", "panel-9") for button in range(1, 5)]
    assert len(fingers) == MAX_LONG_HOLDS
    held = [hold(served, panel, button, answers) for panel, button in fingers]
    refused = served.ask("POST", f"{PANEL}/press", {"button": 5, "hold_s": 30})
    assert (refused.status, refused.json["code"]) == (503, "too_many_holds")
    assert served.ask("POST", f"{PANEL}/press", {"button": 5}).status == 200
    wire.let_go.set()
    for thread in held:
        thread.join(5)
    assert [answer.status for answer in answers] == [200] * MAX_LONG_HOLDS
    assert served.ask("POST", f"{PANEL}/press", {"button": 1, "hold_s": 2}).status == 200


def test_a_press_on_a_held_button_does_not_wait_for_it_and_others_need_not(served: Served) -> None:
    wire = served.node.devices.wire
    wire.let_go.clear()
    answers: list[Answer] = []
    held = hold(served, "panel-1", 1, answers)
    for hold_s in (0.1, 30):
        began = time.monotonic()
        refused = served.ask("POST", f"{PANEL}/press", {"button": 1, "hold_s": hold_s})
        assert (refused.status, refused.json["code"]) == (409, "panel_busy")
        assert time.monotonic() - began < BUSY_S + 2
    assert served.ask("POST", f"{PANEL}/press", {"button": 2}).status == 200
    wire.let_go.set()
    held.join(5)
    assert served.ask("POST", f"{PANEL}/press", {"button": 1}).status == 200
    assert [press[0] for press in wire.presses] == [2, 1, 1]


def test_the_citys_line_can_be_broken_and_mended(served: Served) -> None:
    assert served.node.city_faults is not None
    for state in CITY_STATES:
        assert served.ask("POST", "/api/v1/simulate/city", {"state": state}).json == {"state": state}
        assert served.node.city_faults.state == state
    answer = served.ask("POST", "/api/v1/simulate/city", {"state": "sideways"})
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "state")


def test_without_an_embedded_city_its_line_cannot_be_broken(served: Served) -> None:
    served.node.city_faults = None
    answer = served.ask("POST", "/api/v1/simulate/city", {"state": "down"})
    assert (answer.status, answer.json["code"]) == (409, "no_embedded_city")


def test_the_pages_stream_says_the_state_in_words_and_again_on_change(served: Served) -> None:
    node = served.node
    node.journal.publish(
        event(1, RATING_GIVEN, {"counter": "1", "level": 1}),
        event(2, NODE_TICK),
        event(3, DEVICE_UNAVAILABLE, {"device": "panel-2", "reason": "Rút dây."}),
    )
    with served.listen("/api/v1/simulate/stream") as stream:
        _, _, state = stream.event()
        assert state["ready"] is True
        assert [one["id"] for one in state["devices"]] == ["panel-1"]  # what has no simulated wire is not shown
        assert state["devices"][0]["text"] == "Sẵn sàng, mời bấm."
        assert state["devices"][0]["frames"] == ["      2.500  →  :0101", "          …  ←  :8101"]
        assert [one["text"] for one in state["events"]] == [
            "panel-2: Rút dây.",
            "Quầy 1 - Hộ tịch: đã ghi nhận một lượt đánh giá",
        ]
        assert "level" not in json.dumps(state)
        node.devices.wire.unplug()
        node.figures = OutboxFigures(2, 65.0, None, 0)
        until(lambda: stream.event()[2]["devices"][0]["plugged"] is False, "the unplugged panel is shown")
        _, _, state = stream.event()
        assert state["devices"][0]["text"] == "Bảng nút bị rút dây, hãy cắm lại."
        assert state["outbox"] == "2 mục số liệu đang chờ gửi, cũ nhất 1 phút. Dữ liệu được giữ lại."


def test_the_pages_stream_speaks_english_when_asked(served: Served) -> None:
    with served.listen("/api/v1/simulate/stream?lang=en") as stream:
        assert stream.event()[2]["devices"][0]["text"] == "Ready, please press."


def test_a_node_that_takes_no_presses_is_said_on_the_page(served: Served) -> None:
    served.node.not_ready = "Đĩa đầy, chưa nhận đánh giá."
    with served.listen("/api/v1/simulate/stream") as stream:
        state = stream.event()[2]
    assert (state["ready"], state["ready_text"]) == (False, "Đĩa đầy, chưa nhận đánh giá.")


# ---- the city's scoreboard ----


class City:
    """A small city whose answer the test chooses."""

    def __init__(self) -> None:
        self.body = b""
        self.asked: list[str] = []
        city = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                city.asked.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(city.body)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def says(self, *sites: dict[str, Any]) -> None:
        self.body = json.dumps({"sites": list(sites)}).encode()


@pytest.fixture
def city() -> Iterator[City]:
    one = City()
    one.thread.start()
    yield one
    one.server.shutdown()
    one.thread.join(5)
    one.server.server_close()


def site(n: int, rate: float | None, by_level: dict[str, int], **more: Any) -> dict[str, Any]:
    ratings = {"n": n, "by_level": by_level, "satisfaction_rate": rate, "corrected": 2, "excluded": {"lockout": 3}}
    return {"site": "phuong-thu", "ratings": ratings, "last_seen": None, "data_age_s": 4.2} | more


def test_the_citys_figures_in_words_a_rate_never_without_its_n(served: Served, city: City) -> None:
    city.says(site(143, 0.8671, {"1": 5, "2": 5, "3": 9, "4": 60, "5": 64}))
    served.node.city_url = city.url
    score = served.get("/api/v1/simulate/scoreboard").json
    assert city.asked == ["/v1/scoreboard?site=phuong-thu&simulated=true"]
    assert (score["n"], score["rate"]) == (143, "87 % (n = 143)")
    assert [(row["level"], row["n"]) for row in score["levels"]] == [(5, 64), (4, 60), (3, 9), (2, 5), (1, 5)]
    assert score["notes"] == [
        "Không tính 3 lượt: bấm quá sớm sau lượt trước",
        "Đã sửa lại: 2 lượt",
        "Số liệu mới nhất cách đây 4 giây",
    ]
    assert served.get("/api/v1/simulate/scoreboard?lang=en").json["text"] == "ratings have reached the city"


def test_no_data_is_neither_0_nor_100_percent(served: Served, city: City) -> None:
    served.node.city_url = city.url
    city.says()
    assert served.get("/api/v1/simulate/scoreboard").json["rate"] == "Chưa có dữ liệu"


def test_an_unreachable_city_is_said_in_words(served: Served) -> None:
    score = served.get("/api/v1/simulate/scoreboard").json
    assert score == {"reachable": False, "text": "Không đọc được bảng điểm của thành phố, đang thử lại."}


@pytest.mark.parametrize("body", [b"<html>login</html>", b"{}", b'{"sites": [{"site": "x"}]}', b"\xff"])
def test_what_is_no_scoreboard_is_not_taken_for_one(city: City, body: bytes) -> None:
    city.body = body
    with pytest.raises(CityUnreachableError, match="not a scoreboard"):
        CityScoreboard("phuong-thu", simulated=True).read(city.url)


def test_many_readers_cost_the_city_one_call(city: City) -> None:
    city.says(site(1, 1.0, {"5": 1}))
    board = CityScoreboard("phuong-thu", simulated=True)
    assert len({board.read(city.url) is not None for _ in range(20)}) == 1
    assert len(city.asked) == 1


def test_an_address_that_is_no_http_is_refused() -> None:
    with pytest.raises(CityUnreachableError, match="no http address"):
        CityScoreboard("s", simulated=True).read("file:///etc/passwd")
