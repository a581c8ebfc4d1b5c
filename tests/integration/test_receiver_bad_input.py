"""What bad input gets at the receiver: problem+json with 4xx, never 5xx, and nothing kept."""

import gzip
import json
import socket
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.cities import NODE, TOKEN, batch, bucket, running_city

from sync.protocol import MAX_BODY_BYTES, MAX_RECEIVED_BUCKETS, MAX_UNPACKED_BYTES
from sync.receiver.body import unpack
from sync.receiver.problems import ProblemError

PATH = f"/v1/nodes/{NODE}/buckets"


@pytest.fixture(scope="module")
def city(module_database):
    with running_city(module_database) as it:
        yield it


def post(city, body, **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return city.request("POST", PATH, body, {"Authorization": f"Bearer {TOKEN}", **names})


def assert_problem(answer, status, code):
    assert (answer.status, answer.json["code"]) == (status, code), answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["type"] == f"urn:nucuoi:problem:{code}"
    assert answer.json["title"]
    assert answer.json["detail"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "json"),
        (b"\xff\xfe{}", 400, "utf8"),
        ('{"schema": 1}'.encode("utf-16"), 400, "utf8"),
        (b"hello", 400, "json"),
        (b'{"schema": NaN}', 400, "json"),
        (b'{"schema": Infinity}', 400, "json"),
        (b"[" * 100_000, 400, "json"),
        (b'{"schema": ' + b"9" * 10_000 + b"}", 400, "json"),
        (b"null", 422, "batch"),
        (b"[]", 422, "batch"),
        (b"{}", 422, "batch"),
        (b"5e999", 422, "batch"),
        (json.dumps(batch() | {"schema": 2}).encode(), 422, "batch"),
        (json.dumps(batch() | {"buckets": {}}).encode(), 422, "batch"),
        (json.dumps(batch() | {"buckets": [1]}).encode(), 422, "batch"),
        (json.dumps(batch() | {"chain_head": "no hex"}).encode(), 422, "batch"),
        (json.dumps(batch() | {"batch": "x" * 65}).encode(), 422, "batch"),
        (json.dumps(batch() | {"batch": "\ud800\ud800\ud800\ud800\ud800\ud800\ud800\ud800"}).encode(), 422, "batch"),
        (json.dumps(batch() | {"site": "a/b"}).encode(), 422, "batch"),
    ],
)
def test_a_body_that_is_no_batch_is_refused_in_words(city, body, status, code):
    assert_problem(post(city, body), status, code)


def test_a_batch_of_another_site_is_forbidden(city):
    assert_problem(post(city, json.dumps(batch() | {"site": "elsewhere"}).encode()), 403, "wrong_node")


def test_what_is_wrong_is_named_without_repeating_the_input(city):
    answer = post(city, json.dumps(batch() | {"node": "SECRET/SECRET"}).encode())
    assert answer.json["errors"][0]["field"] == "node"
    assert b"SECRET" not in answer.body


def test_other_encodings_and_types_are_refused(city):
    body = json.dumps(batch(bucket())).encode()
    assert_problem(post(city, body, Content_Encoding="br"), 415, "encoding")
    assert post(city, body, Content_Encoding="br").headers["accept-encoding"] == "gzip"
    assert_problem(post(city, body, Content_Type="text/xml"), 415, "type")
    assert_problem(post(city, body, Content_Encoding="gzip"), 400, "gzip")
    assert_problem(post(city, gzip.compress(body)[:-9], Content_Encoding="gzip"), 400, "gzip")
    assert post(city, gzip.compress(body), Content_Encoding="GZIP", Content_Type="application/json").status == 200
    assert post(city, body).status == 200


def test_too_large_is_413_so_that_the_node_halves(city):
    assert_problem(post(city, b" " * (MAX_BODY_BYTES + 1)), 413, "too_large")
    many = json.dumps(batch() | {"buckets": [{}] * (MAX_RECEIVED_BUCKETS + 1)}).encode()
    assert_problem(post(city, many), 413, "too_large")


def test_a_small_body_cannot_become_a_large_memory(city):
    bomb = gzip.compress(b" " * (MAX_UNPACKED_BYTES + 1))
    assert len(bomb) < 50_000
    assert_problem(post(city, bomb, Content_Encoding="gzip"), 413, "too_large")


def test_unpacking_stops_at_the_limit():
    bomb = gzip.compress(bytes(6 * MAX_UNPACKED_BYTES), compresslevel=1)
    tracemalloc.start()
    try:
        with pytest.raises(ProblemError) as raised:
            unpack(bomb, "gzip")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert raised.value.status == 413
    assert peak < 4 * MAX_UNPACKED_BYTES


def test_more_than_the_server_reads_at_all_is_a_problem_too(city):
    with socket.create_connection(city.url.removeprefix("http://").split(":"), timeout=10) as connection:
        head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {10**12}\r\n\r\n"
        connection.sendall(head.encode())
        answer = connection.makefile("rb").read()
    assert b" 413 " in answer.splitlines()[0]
    assert b"application/problem+json" in answer


def test_a_broken_request_line_is_a_problem(city):
    with socket.create_connection(city.url.removeprefix("http://").split(":"), timeout=10) as connection:
        connection.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
        answer = connection.makefile("rb").read()
    assert b" 400 " in answer.splitlines()[0]
    assert b"application/problem+json" in answer


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", PATH, 405, "method_not_allowed"),
        ("DELETE", "/v1/scoreboard", 405, "method_not_allowed"),
        ("GET", "/v1/scoreboard?simulated=yes", 400, "argument"),
        ("GET", "/v1/scoreboard?from=yesterday", 400, "argument"),
        ("GET", "/v1/scoreboard?from=2026-11-23T00:00:00", 400, "argument"),
        ("GET", "/v1/scoreboard?from=2026-11-23T00:00:00+07:00", 400, "argument"),
        ("GET", "/v1/scoreboard?from=2026-11-24&to=2026-11-23", 400, "argument"),
        ("GET", "/?lang=fr", 400, "argument"),
    ],
)
def test_other_requests_that_cannot_be_answered(city, method, path, status, code):
    assert_problem(city.request(method, path), status, code)


# Anything JSON can hold, in the place of a bucket or of one of its parts: never a 5xx, and always one result per bucket.
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(sorted(bucket())), values, max_size=3), max_size=4))
def test_no_bucket_whatever_it_holds_is_a_server_error(city, changes):
    answer = city.send(*(bucket() | change for change in changes))
    assert answer.status == 200
    assert [result["index"] for result in answer.json["results"]] == list(range(len(changes)))
    assert city.get("/v1/scoreboard").status == 200


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(sorted(batch())), values, min_size=1, max_size=3))
def test_no_batch_whatever_it_holds_is_a_server_error(city, changes):
    assert post(city, json.dumps(batch() | changes).encode()).status in (200, 403, 413, 422)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_no_bytes_are_a_server_error(city, body):
    assert post(city, body).status in (400, 422)
    assert post(city, body, Content_Encoding="gzip").status in (400, 422)
