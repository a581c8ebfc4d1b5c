"""What the hall's network gets through the real nginx with the shipped files: pages, presses, and what stays closed."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.nginxes import NAME, PROGRAM, PULL_TOKEN, Answer, Nginx, hall
from support.nodes import Node

from local_api.guard import HEADERS
from local_api.inputs import MAX_BODY_BYTES

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="needs nginx: apt-get install nginx")

PHONE = "127.0.0.2"  # an address that is not in city.conf
FONT = "/static/look/fonts/be-vietnam-pro-latin-400-normal.woff2"
CLOSED = ("/metrics", "/api/v1/buckets", "/api/v1/outbox", "/api/v1/health", "/api/v1/devices")


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Nginx]]:
    with hall(tmp_path_factory.mktemp("hall")) as both:
        yield both


@pytest.fixture(scope="module")
def node(centre: tuple[Node, Nginx]) -> Node:
    return centre[0]


@pytest.fixture(scope="module")
def nginx(centre: tuple[Node, Nginx]) -> Nginx:
    return centre[1]


def rate(nginx: Nginx, *options: str, body: bytes | None = None, source: str = PHONE) -> Answer:
    """A press over HTTP, from a touch screen."""
    text = body or json.dumps({"counter": "1", "level": 5}).encode()
    return nginx.ask(
        "/api/v1/ratings",
        "--data-binary", text.decode(), "-H", "Content-Type: application/json",
        "-H", f"Idempotency-Key: {uuid.uuid4().hex}", *options, source=source,
    )  # fmt: skip


def problem(answer: Answer) -> tuple[int, str]:
    """Status and code of an answer that must be a problem."""
    assert answer.one("content-type") == "application/problem+json"
    told = json.loads(answer.body)
    assert told["status"] == answer.status
    assert told["type"] == f"urn:nucuoi:problem:{told['code']}"
    assert told["title"]
    assert told["detail"]
    return answer.status, told["code"]


def test_a_page_comes_over_http2(nginx: Nginx) -> None:
    answer = nginx.ask("/livez", source=PHONE)
    assert (answer.version, answer.status, json.loads(answer.body)) == ("HTTP/2", 200, {"status": "alive"})


def test_a_press_of_a_touch_screen_counts(node: Node, nginx: Nginx) -> None:
    answer = rate(nginx, "-H", f"Origin: {nginx.url}", "-H", "Sec-Fetch-Site: same-origin")
    assert answer.status == 201
    assert json.loads(answer.body)["outcome"] == "counted"


def test_a_page_of_another_site_cannot_press(nginx: Nginx) -> None:
    assert problem(rate(nginx, "-H", "Origin: https://evil.example")) == (403, "foreign_origin")


def test_the_node_alone_decides_its_names(nginx: Nginx) -> None:
    answer = nginx.ask("/livez", "-H", "Host: evil.example")
    assert problem(answer) == (421, "wrong_host")


def test_plain_http_shows_the_way_and_keeps_the_method(nginx: Nginx) -> None:
    answer = nginx.ask(f"http://{NAME}:{nginx.http_port}/rate/1?lang=en", "-X", "POST")
    assert (answer.status, answer.one("location")) == (308, f"https://{NAME}/rate/1?lang=en")


def test_who_renews_the_certificate_is_answered_over_plain_http(nginx: Nginx) -> None:
    place = nginx.folder / "lib" / "nucuoi-acme" / ".well-known" / "acme-challenge"
    place.mkdir(parents=True)
    (place / "token").write_text("proof")
    answer = nginx.ask(f"http://{NAME}:{nginx.http_port}/.well-known/acme-challenge/token")
    assert (answer.status, answer.body) == (200, b"proof")


@pytest.mark.parametrize(("version", "taken"), [("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)])
def test_tls_begins_at_1_2(nginx: Nginx, version: str, taken: bool) -> None:
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{nginx.port}", "-servername", NAME, version,
         "-cipher", "ALL:@SECLEVEL=0", "-CAfile", nginx.certificate, "-verify_return_error"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode == 0) is taken, done.stderr
    if not taken:
        assert "alert protocol version" in done.stderr


@pytest.mark.parametrize(
    "path", ["/livez", "/nope", "/simulator", "/static/look/base.css", FONT, "/metrics", "/.nucuoi/problem"]
)
def test_every_header_is_there_once(nginx: Nginx, path: str) -> None:
    answer = nginx.ask(path, source=PHONE)
    counted = Counter(name.lower() for name, _ in answer.headers)
    assert [name for name, times in counted.items() if times > 1] == []
    assert {name: answer.one(name) for name in HEADERS} == dict(HEADERS)
    assert answer.one("strict-transport-security") == "max-age=2592000"
    assert answer.one("cache-control")
    assert "1." not in answer.one("server")  # no version


@pytest.mark.parametrize(
    "lie",
    [
        [],
        ["X-Forwarded-For;"],  # the header, empty
        ["X-Forwarded-For: 127.0.0.1"],
        ["Forwarded: for=127.0.0.1"],
        ["X_Forwarded_For: 127.0.0.1"],
        ["X-Real-IP: 127.0.0.1", "Client-IP: 127.0.0.1"],
        ["Connection: close, X-Forwarded-For"],
        ["Host: localhost"],
        ["Host: 127.0.0.1:8080"],
    ],
    ids=str,
)
@pytest.mark.parametrize("source", [PHONE, "127.0.0.1"])
def test_nobody_behind_nginx_is_this_computer(nginx: Nginx, lie: list[str], source: str) -> None:
    options = [word for header in lie for word in ("-H", header)]
    http = "--http1.1" if any("Connection" in header for header in lie) else "--http2"
    answer = nginx.ask("/api/v1/simulate/devices/panel-1", http, *options, source=source)
    assert problem(answer) == (403, "loopback_only")


@pytest.mark.parametrize("path", ["/api/v1/simulate/stream", "/api/v1/simulate/scoreboard", "/simulator"])
def test_the_simulator_stays_on_the_node(nginx: Nginx, path: str) -> None:
    assert problem(nginx.ask(path)) == (403, "loopback_only")


def test_no_press_is_simulated_through_nginx(nginx: Nginx) -> None:
    answer = nginx.ask("/api/v1/simulate/devices/panel-1/press", "--json", '{"button": 5}')
    assert problem(answer) == (403, "loopback_only")


@pytest.mark.parametrize("path", CLOSED)
def test_figures_are_closed_to_the_hall_and_open_to_the_citys_machines(nginx: Nginx, path: str) -> None:
    token = ("-H", f"Authorization: Bearer {PULL_TOKEN}")
    assert problem(nginx.ask(path, source=PHONE)) == (403, "not_for_this_address")
    assert problem(nginx.ask(path, *token, source=PHONE)) == (403, "not_for_this_address")
    assert nginx.ask(path, *token).status == 200  # from an address in city.conf


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/buckets"])
def test_an_address_alone_opens_no_figures_by_level(nginx: Nginx, path: str) -> None:
    """The node takes nobody behind nginx for its own computer, and asks for its pull token."""
    assert problem(nginx.ask(path)) == (403, "loopback_only")


@pytest.mark.parametrize(
    "spelling",
    [
        "//metrics", "/./metrics", "/x/../metrics", "/%6detrics", "/metrics/", "/metrics/x", "/metrics?x=1", "/metrics#x", "/metrics%3fx",
        "/metrics%00", "/metrics%2f", "/static/../metrics", "/static/..%2fmetrics", "/api//v1/health", "/api/v1/./health",
        "/api/v1/events/../health", "/api/v1/health/", "/api/v1/%68ealth", "/api/v1/health;x", "/api/v1/health%20", "/API/V1/health",
    ],
)  # fmt: skip
def test_another_spelling_opens_nothing(nginx: Nginx, spelling: str) -> None:
    assert nginx.ask(spelling, source=PHONE).status in {400, 403, 404}


def test_who_asks_for_a_whole_address_gets_no_more(nginx: Nginx) -> None:
    answer = nginx.ask(
        "/", "--http1.1", "--request-target", f"https://{NAME}/api/v1/health", source=PHONE
    )  # as one asks a proxy
    assert problem(answer) == (403, "not_for_this_address")


def test_too_large_a_body_is_refused_before_the_node_sees_it(nginx: Nginx) -> None:
    answer = rate(nginx, body=b" " * (MAX_BODY_BYTES + 1))
    assert problem(answer) == (413, "request_entity_too_large")
    assert rate(nginx, body=b" " * MAX_BODY_BYTES).status == 400  # this one the node itself judges: it is no JSON


def test_too_large_headers_are_a_problem(nginx: Nginx) -> None:
    """Over HTTP/1.1; with HTTP/2 nginx ends the stream without a word."""
    assert nginx.ask("/livez", "--http1.1", "-H", f"X: {'x' * 8000}").status == 200
    answer = nginx.ask("/livez", "--http1.1", "-H", f"X: {'x' * 8200}")
    assert problem(answer) == (431, "request_header_fields_too_large")


def test_a_method_that_nobody_offers_is_a_problem(nginx: Nginx) -> None:
    assert problem(nginx.ask("/livez", "-X", "TRACE")) == (405, "method_not_allowed")


def test_static_files_are_compressed_and_fonts_kept(nginx: Nginx) -> None:
    style = nginx.ask("/static/look/base.css", "-H", "Accept-Encoding: gzip")
    assert (style.one("content-encoding"), style.one("vary")) == ("gzip", "Accept-Encoding")
    assert style.one("cache-control") == "no-cache"
    assert nginx.ask("/static/look/base.css", "-H", f"If-None-Match: {style.one('etag')}").status == 304
    assert "immutable" in nginx.ask(FONT).one("cache-control")
    assert nginx.ask("/livez", "-H", "Accept-Encoding: gzip").all("content-encoding") == []


def test_the_log_does_not_know_who_voted(tmp_path: Path) -> None:
    with hall(tmp_path) as (_, nginx):
        assert rate(nginx).status == 201
        assert nginx.ask("/livez").status == 200
    log = (nginx.folder / "log" / "nucuoi.log").read_text()
    assert "GET /livez" in log
    assert "ratings" not in log


def test_one_address_cannot_ask_without_end(tmp_path: Path) -> None:
    """The shipped burst, and a rate at which nothing is forgiven while the test runs."""
    with hall(tmp_path, {"zone=nucuoi_requests:1m rate=30r/s": "zone=nucuoi_requests:1m rate=1r/m"}) as (_, nginx):
        asked = subprocess.run(
            nginx.command("/livez?[1-302]", "-o", "/dev/null", "-w", "%{http_code}\n"),
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert Counter(asked.stdout.split()) == {"200": 301, "429": 1}
        answer = nginx.ask("/livez")
        assert (problem(answer), answer.one("retry-after")) == ((429, "too_many_requests"), "5")
        assert nginx.ask("/livez", source=PHONE).status == 200  # another address is not meant
