"""POST /api/v1/ratings over a real socket: counted once, and every bad input a problem."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_client import Answer, Served, serving
from fake_node import FakeJournal, FakeNode, settings
from flask import Flask

from firmware_py.core.contracts import GiveRating
from firmware_py.core.errors import JournalBroken, JournalClosed, JournalRefusing
from local_api.problems import answer_with_problems
from local_api.ratings import ratings_blueprint

GOOD = {"counter": "1", "level": 5}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(FakeNode(), tmp_path_factory.mktemp("node")) as one:
        yield one


@pytest.fixture
def served(server: Served) -> Served:
    server.node.journal = FakeJournal()
    return server


def refused(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """The answer is that problem, in the full shape of RFC 9457."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json
    assert (answer.status, problem["status"], problem["code"]) == (status, status, code)
    assert problem["type"] == f"urn:nucuoi:problem:{code}"
    assert problem["title"]
    assert problem["detail"]
    assert b"Traceback" not in answer.body
    return problem


def test_a_rating_is_answered_by_what_the_journal_decided_and_nothing_more(served: Served) -> None:
    answer = served.rate(GOOD | {"ticket": None})
    assert answer.status == 201
    assert answer.json == {"id": "id-1", "outcome": "counted", "reason": None}
    assert "idempotency-replayed" not in answer.headers
    (command,) = served.node.journal.commands
    assert command == GiveRating(source="http", key="http:k-1", simulated=True, counter="1", level=5)


def test_in_production_a_rating_is_not_marked_simulated(tmp_path: Path) -> None:
    with serving(FakeNode(settings("production")), tmp_path) as served:
        assert served.rate(GOOD).status == 201
        assert not served.node.journal.commands[0].simulated


def test_the_same_key_again_gets_the_first_answer_and_counts_nothing(served: Served) -> None:
    first, second = served.rate(GOOD), served.rate(GOOD)
    assert (second.status, second.json) == (201, first.json)
    assert second.headers["idempotency-replayed"] == "true"
    assert len(served.node.journal.commands) == 1


def test_the_same_key_with_another_body_is_refused(served: Served) -> None:
    served.rate(GOOD)
    refused(served.rate(GOOD | {"level": 1}), 422, "key_reused")


@pytest.mark.parametrize("key", [None, "", "x" * 201, "tab\there", "caf\xe9"])
def test_a_missing_or_unprintable_or_long_key_is_refused(served: Served, key: str | None) -> None:
    refused(served.rate(GOOD, key=key), 400, "bad_idempotency_key")
    assert not served.node.journal.commands


@pytest.mark.parametrize("key", ["x", "x" * 200, "a key with ~ and !"])
def test_any_printable_key_up_to_200_characters_is_good(served: Served, key: str) -> None:
    assert served.rate(GOOD, key=key).status == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (GOOD | {"counter": "9"}, "unknown_counter"),
        (GOOD | {"level": 6}, "unknown_level"),
        (GOOD | {"level": 0}, "unknown_level"),
    ],
)
def test_what_the_journal_refuses_is_a_422_with_its_code(served: Served, body: Any, code: str) -> None:
    refused(served.rate(body), 422, code)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"counter": "1"}, "level"),
        ({"level": 5}, "counter"),
        (GOOD | {"level": "5"}, "level"),
        (GOOD | {"level": 5.0}, "level"),
        (GOOD | {"level": True}, "level"),
        (GOOD | {"level": None}, "level"),
        (GOOD | {"level": -1}, "level"),
        (GOOD | {"level": 10**30}, "level"),
        (GOOD | {"counter": 1}, "counter"),
        (GOOD | {"counter": ""}, "counter"),
        (GOOD | {"counter": "x" * 65}, "counter"),
        (GOOD | {"ticket": 7}, "ticket"),
        (GOOD | {"levle": 5}, "levle"),
    ],
)
def test_a_wrong_field_is_named(served: Served, body: Any, field: str) -> None:
    problem = refused(served.rate(body), 422, "invalid_body")
    assert field in [error["field"] for error in problem["errors"]]
    assert not served.node.journal.commands


@pytest.mark.parametrize("body", [[], "x", 5, None])
def test_json_that_is_no_object_is_refused(served: Served, body: Any) -> None:
    refused(served.ask("POST", "/api/v1/ratings", json.dumps(body).encode(), _HEADERS), 422, "invalid_body")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"counter=1&level=5",
        b'{"counter": "1", "level": 5',
        b'\xff\xfe{"counter": "1", "level": 5}',
        b'{"counter": "\xc3\x28", "level": 5}',
        b'{"counter": "\\ud800", "level": 5}',
        b'{"a":' * 3000,
        b"[" * 10_000,
    ],
    ids=["empty", "cut", "form", "unclosed", "utf-16", "bad utf-8", "lone surrogate", "deep objects", "deep lists"],
)
def test_a_body_that_is_no_json_is_refused(served: Served, body: bytes) -> None:
    refused(served.ask("POST", "/api/v1/ratings", body, _HEADERS), 400, "not_json")


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5000])
def test_a_number_that_is_none_is_refused(served: Served, number: bytes) -> None:
    answer = served.ask("POST", "/api/v1/ratings", b'{"counter": "1", "level": ' + number + b"}", _HEADERS)
    assert answer.status in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_another_content_type_is_refused(served: Served, headers: dict[str, str]) -> None:
    answer = served.ask("POST", "/api/v1/ratings", b"{}", {"Idempotency-Key": "k"} | headers)
    refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("size", [16 * 1024 + 1, 200 * 1024, 300 * 1024])
def test_a_body_too_large_is_refused_by_flask_or_by_waitress_alike(served: Served, size: int) -> None:
    answer = served.ask("POST", "/api/v1/ratings", b" " * size, _HEADERS)
    refused(answer, 413, "request_entity_too_large")


@pytest.mark.parametrize("error", [JournalRefusing("đĩa đầy"), JournalClosed("dừng"), JournalBroken("hỏng")])
def test_while_the_journal_takes_nothing_the_caller_is_told_to_come_back(served: Served, error: Exception) -> None:
    served.node.journal.fails = error
    answer = served.rate(GOOD)
    refused(answer, 503, "journal_refusing")
    assert int(answer.headers["retry-after"]) > 0


def test_an_error_inside_the_node_is_a_500_without_its_cause(served: Served) -> None:
    served.node.journal.fails = RuntimeError("the secret cause")
    answer = served.rate(GOOD)
    refused(answer, 500, "internal_error")
    assert b"secret" not in answer.body


def test_a_journal_that_does_not_answer_in_time_is_a_503_that_says_to_repeat() -> None:
    node = FakeNode()
    node.journal.hangs = True
    app = Flask("test")
    answer_with_problems(app)
    app.register_blueprint(ratings_blueprint(node, deadline_s=0.01))
    answer = app.test_client().post("/api/v1/ratings", json=GOOD, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (503, "no_answer_in_time")
    assert "same Idempotency-Key" in answer.get_json(force=True)["detail"]


_HEADERS = {"Content-Type": "application/json", "Idempotency-Key": "k"}
