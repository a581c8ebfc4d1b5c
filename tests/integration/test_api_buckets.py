"""GET /api/v1/buckets over HTTP: its arguments, its answer, and its refusals. What is in a page: tests/unit/test_sync_pull.py."""

from __future__ import annotations

from typing import Any

import pytest
from fake_node import FakeNode
from flask.testing import FlaskClient
from support.fake_clock import FakeClock
from support.journals import press, running_journal

from firmware_py.core.errors import BadCursor, JournalClosed
from firmware_py.core.ports import BucketPage
from local_api.app import create_app
from local_api.buckets import MAX_LIMIT, USUAL_LIMIT, Bucket, BucketsAnswer
from sync.protocol import WireBucket
from sync.pull import read_page

WIRE = {
    "epoch": "5d41402abc4b2a76", "series": "ratings", "labels": {"counter": "1", "level": "5"},
    "hour": "2026-11-23T01:00:00Z", "revision": 123, "definition": 1, "final": False, "partial": False,
    "simulated": True, "value": {"count": 12},
}  # fmt: skip
HISTOGRAM = {**WIRE, "series": "rating_delay", "value": {"bounds_s": [0.1, 1.0], "counts": [1, 0, 2], "sum_s": 7.5}}
SECONDS = {**WIRE, "series": "open_seconds", "value": {"seconds": 3600.0}}


@pytest.fixture
def node() -> FakeNode:
    return FakeNode()


@pytest.fixture
def client(node: FakeNode) -> FlaskClient:
    return create_app(node).test_client()


def test_a_page_is_the_wires_buckets_the_next_place_and_whether_there_is_more(
    node: FakeNode, client: FlaskClient
) -> None:
    node.page = BucketPage([WIRE, HISTOGRAM, SECONDS], "further", more=True)
    answer = client.get("/api/v1/buckets?after=here&limit=7")
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.json == {"buckets": [WIRE, HISTOGRAM, SECONDS], "next": "further", "more": True}
    assert BucketsAnswer.model_validate_json(answer.data, strict=True).model_dump() == answer.json
    assert node.asked == [("here", 7)]


@pytest.mark.parametrize("query", ["", "?after=", f"?limit={USUAL_LIMIT}"])
def test_from_the_beginning_is_the_default(node: FakeNode, client: FlaskClient, query: str) -> None:
    assert client.get(f"/api/v1/buckets{query}").json == {"buckets": [], "next": "here", "more": False}
    assert node.asked == [("", USUAL_LIMIT)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        (f"limit={MAX_LIMIT + 1}", "limit"),
        ("limit=many", "limit"),
        ("limit=", "limit"),
        ("limit=1.5", "limit"),
        ("affer=x", "affer"),  # else a misspelt place would be read as the beginning
    ],
)
def test_an_argument_that_does_not_fit_is_named(node: FakeNode, client: FlaskClient, query: str, field: str) -> None:
    answer = client.get(f"/api/v1/buckets?{query}")
    assert answer.status_code == 422
    problem = answer.get_json(force=True)
    assert problem["code"] == "invalid_query"
    assert [one["field"] for one in problem["errors"]] == [field]
    assert node.asked == []


@pytest.mark.parametrize(
    ("trouble", "status", "code"),
    [(BadCursor("no cursor"), 400, "bad_cursor"), (JournalClosed("đang dừng"), 503, "not_ready")],
)
def test_troubles_are_problems(node: FakeNode, client: FlaskClient, trouble: Exception, status: int, code: str) -> None:
    node.bucket_trouble = trouble
    answer = client.get("/api/v1/buckets?after=x")
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.get_json(force=True)["code"] == code


def test_the_answers_bucket_has_the_fields_of_the_wire() -> None:
    """Two models of one thing, since the local API and the sync do not know each other."""
    assert set(Bucket.model_fields) == set(WireBucket.model_fields)


def test_what_a_real_journal_gives_is_what_arrives(tmp_path: Any, node: FakeNode, client: FlaskClient) -> None:
    with running_journal(tmp_path, FakeClock()) as journal:
        press(journal, 5)
        node.page = read_page(journal, "", 10)
    answer = client.get("/api/v1/buckets")
    assert answer.json is not None
    assert answer.json["buckets"] == node.page.buckets
    for bucket in answer.json["buckets"]:
        WireBucket.model_validate(bucket)
