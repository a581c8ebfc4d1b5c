"""Who may ask: Host, Origin, broken HTTP, and the headers on every answer."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_client import Served, serving
from fake_node import FakeNode, settings
from hypothesis import given
from hypothesis import strategies as st

from local_api.guard import host_allowed, host_name, origin_allowed

PRESS = "/api/v1/simulate/devices/panel-1/press"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(FakeNode(), tmp_path_factory.mktemp("node")) as one:
        yield one


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "[::1]"])
def test_loopbacks_names_are_always_answered(host: str) -> None:
    assert host_allowed(host, "127.0.0.1")


@pytest.mark.parametrize(
    "host", ["", "evil.example", "localhost.evil.example", "127.0.0.1@evil.example", "a b", "[::1", "x:y"]
)
def test_other_names_are_not(host: str) -> None:
    assert not host_allowed(host, "127.0.0.1")


def test_the_configured_host_is_answered_and_on_all_addresses_any_address_but_no_name() -> None:
    assert host_allowed("nucuoi.local:8080", "nucuoi.local")
    assert host_allowed("192.168.1.5:8080", "0.0.0.0")
    assert not host_allowed("192.168.1.5:8080", "127.0.0.1")
    assert not host_allowed("rebound.example:8080", "0.0.0.0")


def test_a_reverse_proxys_name_is_answered_when_it_is_configured() -> None:
    assert host_allowed("node.hall", "127.0.0.1", ["node.hall"])
    assert host_allowed("Node.Hall:8443", "127.0.0.1", ["node.hall"])
    assert not host_allowed("node.hall.evil.example", "127.0.0.1", ["node.hall"])


@given(st.text(max_size=40))
def test_a_host_header_is_never_an_error(text: str) -> None:
    host_name(text)


@pytest.mark.parametrize(
    ("origin", "fetch_site", "allowed"),
    [
        (None, None, True),  # no browser
        ("http://localhost:8080", "same-origin", True),
        ("http://localhost:8080", None, True),
        ("http://evil.example", None, False),
        ("http://localhost:9999", None, False),
        ("null", None, False),
        (None, "cross-site", False),
        (None, "same-site", False),
        (None, "none", True),  # typed into the address bar
    ],
)
def test_only_our_own_pages_may_change_anything(origin: str | None, fetch_site: str | None, allowed: bool) -> None:
    assert origin_allowed(origin, fetch_site, "localhost:8080") is allowed


@pytest.mark.parametrize(
    ("origin", "fetch_site", "allowed"),
    [
        ("https://node.hall", "same-origin", True),
        ("https://node.hall", None, True),
        ("http://NODE.hall:8443", None, True),
        ("http://localhost", None, True),  # the Host itself
        ("https://node.hall", "cross-site", False),
        ("https://node.hall.evil.example", None, False),
        ("https://evil.example/node.hall", None, False),
        ("https://node.hall@evil.example", None, False),
        ("ftp://node.hall", None, False),
        ("node.hall", None, False),
        ("http://localhost:9999", None, False),  # another program of this computer
    ],
)
def test_behind_a_proxy_the_pages_of_the_configured_names_are_ours(
    origin: str, fetch_site: str | None, allowed: bool
) -> None:
    assert origin_allowed(origin, fetch_site, "localhost", ["node.hall"]) is allowed


@given(st.text(max_size=40) | st.text(max_size=20).map(lambda text: f"http://[{text}"))
def test_an_origin_header_is_never_an_error(text: str) -> None:
    origin_allowed(text, None, "localhost:8080", ["node.hall"])


@pytest.mark.parametrize("origin", ["http://[bad", "http://localhost:port", "http://[::1", "null"])
def test_an_origin_that_is_no_address_is_foreign(served: Served, origin: str) -> None:
    answer = served.raw(f"POST {PRESS} HTTP/1.0\r\nHost: localhost\r\nOrigin: {origin}\r\n\r\n".encode())
    assert b" 403 " in answer.splitlines()[0]
    assert b'"foreign_origin"' in answer


def test_a_browser_behind_nginx_can_change_something(tmp_path: Path) -> None:
    node = FakeNode(settings(names=["node.hall"]))
    headers = {"Origin": "https://node.hall", "Sec-Fetch-Site": "same-origin"}
    with serving(node, tmp_path) as served:
        for host in ("localhost", "node.hall", f"127.0.0.1:{served.server.port}"):
            assert served.ask("POST", PRESS, {"button": 5}, headers | {"Host": host}).status == 200
            foreign = headers | {"Host": host, "Origin": "https://evil.example"}
            assert served.ask("POST", PRESS, {"button": 5}, foreign).status == 403
    assert len(node.devices.wire.presses) == 3


def test_a_rebound_name_gets_a_problem_instead_of_data(served: Served) -> None:
    answer = served.get("/api/v1/devices", {"Host": "evil.example"})
    assert (answer.status, answer.json["code"]) == (421, "wrong_host")


def test_a_foreign_page_cannot_press_a_button(served: Served) -> None:
    answer = served.ask("POST", PRESS, {"button": 5}, {"Origin": "http://evil.example"})
    assert (answer.status, answer.json["code"]) == (403, "foreign_origin")
    assert not served.node.devices.wire.presses


def test_a_request_that_a_proxy_passed_on_is_not_from_this_computer(served: Served) -> None:
    answer = served.ask("POST", PRESS, {"button": 5}, {"X-Forwarded-For": "192.168.1.9"})
    assert (answer.status, answer.json["code"]) == (403, "loopback_only")


@pytest.mark.parametrize(
    "path", ["/livez", "/simulator", "/nope", "/static/look/base.css", "/api/v1/events?last_event_id=x"]
)
def test_every_answer_is_dressed(served: Served, path: str) -> None:
    headers = served.ask("HEAD", path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nope", 404, "not_found"),
        ("GET", "/api/v1/ratings", 405, "method_not_allowed"),
        ("DELETE", "/api/v1/devices", 405, "method_not_allowed"),
        ("POST", "/livez", 405, "method_not_allowed"),
        ("GET", "/static/../app.py", 404, "not_found"),
        ("GET", "/simulator?lang=fr", 400, "unknown_language"),
    ],
)
def test_every_error_is_a_problem(served: Served, method: str, path: str, status: int, code: str) -> None:
    answer = served.ask(method, path)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json["code"] == code
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Header\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
    ],
    ids=["garbage", "no colon", "header too long", "negative length", "unknown encoding"],
)
def test_broken_http_gets_a_problem_too(served: Served, request_bytes: bytes) -> None:
    head, _, body = served.raw(request_bytes).partition(b"\r\n\r\n")
    assert head.split()[1] in {b"400", b"431", b"501"}
    assert b"application/problem+json" in head
    assert ast.literal_eval(body.decode())["code"]


def test_a_request_without_host_is_refused(served: Served) -> None:
    assert b" 421 " in served.raw(b"GET /livez HTTP/1.0\r\n\r\n").splitlines()[0]
