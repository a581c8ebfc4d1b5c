"""What counts as the city's word, and what is somebody else's."""

import json
from datetime import UTC, datetime

import pytest

from sync.answers import TEXTS, Answered, Failure, read_response

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
DATE = "Mon, 23 Nov 2026 01:00:00 GMT"


def read(status=200, body=None, headers=None, revisions=(7, 9)):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_response(status, headers or {}, text, batch="batch-01", revisions=revisions, now=NOW)


def answer(*results, batch="batch-01", **more):
    return {"batch": batch, "store": "s-1", "results": list(results), **more}


def result(index, outcome="accepted", revision=None, code=None):
    return {"index": index, "outcome": outcome, "revision": revision, "code": code}


def test_an_answer_to_this_batch_about_every_bucket_is_believed():
    got = read(body=answer(result(1, revision=9), result(0, "stale", 12)), headers={"Date": DATE})
    assert isinstance(got, Answered)
    assert got.city_time == NOW
    assert [item.outcome for item in got.answer.results] == ["accepted", "stale"]


def test_a_newer_city_may_say_more():
    got = read(body=answer({**result(0), "more": 1}, result(1), hint="x"))
    assert isinstance(got, Answered)


@pytest.mark.parametrize(
    "body",
    [
        b"<!doctype html><title>Wi-Fi</title>",
        b"",
        b"null",
        b"{}",
        b"\xff\xfe",
        b'{"batch": "batch-01", "store": "s", "results": [',
        answer(result(0), result(1), batch="batch-02"),
        answer(result(0)),
        answer(result(0), result(0)),
        answer(result(0), result(1), result(2)),
        answer(result(0), result(7)),
        answer(result(0, "thanks"), result(1)),
        answer(result(0, revision=6), result(1)),
        {"batch": "batch-01", "store": "", "results": []},
    ],
)
def test_whatever_does_not_speak_of_every_bucket_of_this_batch_once_is_no_answer(body):
    got = read(body=body)
    assert isinstance(got, Failure)
    assert got.kind == "not_an_answer"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, "not_an_answer"), (302, "not_an_answer"), (204, "not_an_answer"), (511, "not_an_answer"),
        (401, "unauthorised"), (403, "unauthorised"), (413, "too_large"),
        (408, "server_error"), (429, "server_error"), (500, "server_error"), (502, "server_error"), (503, "server_error"),
        (400, "refused"), (404, "refused"), (422, "refused"),
    ],
)  # fmt: skip
def test_each_status_has_its_kind(status, kind):
    got = read(status=status, body=b"whatever", headers={"Retry-After": "30"})
    assert isinstance(got, Failure)
    assert (got.kind, got.retry_after_s, got.status) == (kind, 30.0, status)
    assert got.text == f"{TEXTS[kind]} (HTTP {status})"


def test_the_log_has_the_form_of_an_answer_and_not_its_words():
    got = read(status=502, body=b"Authorization: Bearer SECRET", headers={"Content-Type": "text/html"})
    assert got.detail == "HTTP 502, 28 bytes of 'text/html'"
    assert read(status=502, body=b"").detail == "HTTP 502, 0 bytes of 'no type'"
