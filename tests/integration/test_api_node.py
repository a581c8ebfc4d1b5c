"""Health, readiness, devices and outbox as machines read them, and the pages as people do."""

from __future__ import annotations

import pytest
from fake_node import FakeNode, settings
from flask.testing import FlaskClient

from firmware_py.core.health import CheckResult, Status
from firmware_py.core.ports import OutboxFigures
from firmware_py.look import STATIC
from local_api.app import create_app


def client(node: FakeNode) -> FlaskClient:
    return create_app(node).test_client()


@pytest.fixture
def node() -> FakeNode:
    return FakeNode()


def test_alive_and_ready(node: FakeNode) -> None:
    assert client(node).get("/livez").json == {"status": "alive"}
    assert client(node).get("/readyz").json == {"status": "ready"}


def test_not_ready_says_why_and_is_alive_all_the_same(node: FakeNode) -> None:
    node.not_ready = "Đĩa đầy."
    answer = client(node).get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.get_json(force=True)["detail"] == "Đĩa đầy."
    assert client(node).get("/livez").status_code == 200


@pytest.mark.parametrize("status", list(Status))
def test_health_is_the_worst_of_its_checks_with_their_texts_and_figures(node: FakeNode, status: Status) -> None:
    node.checks.append(CheckResult("disk", status, "Đĩa còn 3 GB", {"free_bytes": 3}))
    answer = client(node).get("/api/v1/health")
    assert answer.status_code == 200  # the question was answered, whatever was found
    assert answer.json is not None
    assert answer.json["status"] == status.name.lower()
    assert answer.json["checks"][1] == {
        "name": "disk",
        "status": status.name.lower(),
        "text": "Đĩa còn 3 GB",
        "figures": {"free_bytes": 3},
    }


def test_devices_are_listed_in_order_with_reason_and_light(node: FakeNode) -> None:
    body = client(node).get("/api/v1/devices").json
    assert body is not None
    assert [one["id"] for one in body["devices"]] == ["panel-1", "panel-2"]
    assert body["devices"][1]["reason"] == "Không có chân GPIO trên máy này."
    assert [one["state"] for one in body["devices"]] == ["AVAILABLE", "UNAVAILABLE"]


def test_outbox_figures(node: FakeNode) -> None:
    node.figures = OutboxFigures(3, 12.5, "2026-11-23T01:00:00.000Z", 1)
    assert client(node).get("/api/v1/outbox").json == {
        "pending": 3,
        "oldest_age_s": 12.5,
        "last_accepted_at": "2026-11-23T01:00:00.000Z",
        "rejected": 1,
    }


def test_a_real_centre_has_no_simulator() -> None:
    node = FakeNode(settings("production"))
    assert client(node).get("/simulator").status_code == 404
    for path in ("/api/v1/simulate/stream", "/api/v1/simulate/devices/panel-1", "/api/v1/simulate/scoreboard"):
        answer = client(node).get(path)
        assert answer.status_code == 403
        assert answer.get_json(force=True)["code"] == "simulation_only"


def test_the_language_is_vietnamese_until_asked_and_then_remembered(node: FakeNode) -> None:
    visitor = client(node)
    first = visitor.get("/simulator", headers={"Accept-Language": "en-US"})
    assert 'lang="vi"' in first.text
    assert "Bấm một khuôn mặt" in first.text
    visitor.get("/simulator?lang=en")
    assert "Press a face" in visitor.get("/simulator").text
    visitor.get("/simulator?lang=vi")
    assert "Bấm một khuôn mặt" in visitor.get("/simulator").text


def test_a_page_has_no_inline_script_or_style_that_its_own_policy_would_block(node: FakeNode) -> None:
    for path in ("/simulator", "/simulator?lang=en", "/", "/rate/1", "/rate/1?lang=en", "/rate/9"):
        page = client(node).get(path, headers={"Accept": "text/html"}).text
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick=" not in page
        assert page.count("<script") == page.count("<script src=")


def test_every_file_a_page_asks_for_is_served_by_the_node(node: FakeNode) -> None:
    visitor = client(node)
    for name in (
        "look/base.css",
        "staff.css",
        "staff.js",
        "rate.css",
        "rate.js",
        "simulator.css",
        "simulator.js",
        "look/charts/chart.js",
        "look/charts/chart.css",
        "look/icon.svg",
        "look/fonts/OFL.txt",
    ):
        with visitor.get(f"/static/{name}") as answer:
            assert answer.status_code == 200
    css = (STATIC / "base.css").read_text()
    for font in (STATIC / "fonts").glob("*.woff2"):
        assert f"fonts/{font.name}" in css
        with visitor.get(f"/static/look/fonts/{font.name}") as answer:
            assert answer.mimetype == "font/woff2"
    assert "http" not in css
