"""The node goes and comes again behind the real nginx: a calm page for people, a problem for machines, and nothing lost."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
from pathlib import Path

import pytest
from support.nginxes import PROGRAM, Answer, Nginx, node_options, port_of, running_nginx
from support.nodes import running_node
from support.workers import until

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="needs nginx: apt-get install nginx")

KEYED = ("--json", '{"counter": "1", "level": 5}', "-H", "Idempotency-Key: once")


def is_the_page(answer: Answer) -> bool:
    """Whether people are told, in their language, and the page comes back by itself."""
    text = answer.body.decode()
    return (
        answer.status == 503
        and answer.one("content-type") == "text/html; charset=utf-8"
        and '<html lang="vi">' in text
        and "Đang khởi động lại, xin chờ" in text
        and '<meta http-equiv="refresh" content="5">' in text
    )


def is_the_problem(answer: Answer) -> bool:
    """Whether a machine is told, and when to come again."""
    assert answer.one("content-type") == "application/problem+json"
    assert answer.one("retry-after") == "5"
    return (answer.status, json.loads(answer.body)["code"]) == (503, "node_restarting")


def test_while_the_node_is_away_people_get_a_page_and_machines_a_problem_and_then_all_goes_on(tmp_path: Path) -> None:
    options = node_options(tmp_path)
    with running_node(tmp_path / "node", *options) as node:
        port = port_of(node)
        with running_nginx(tmp_path / "nginx", port) as nginx:
            assert nginx.ask("/api/v1/ratings", *KEYED).status == 201
            assert nginx.ask("/static/look/base.css").status == 200
            node.kill()
            assert is_the_page(nginx.ask("/"))
            assert is_the_page(nginx.ask("/rate/1", "-X", "POST"))
            for path in ("/api/v1/events", "/livez", "/metrics", "/api/v1/health"):
                assert is_the_problem(nginx.ask(path))
            assert is_the_problem(nginx.ask("/api/v1/ratings", *KEYED))
            assert nginx.ask("/static/look/base.css").status == 200  # from nginx's own copy
            with running_node(tmp_path / "node", *options, "--port", str(port)):
                until(lambda: nginx.ask("/livez").status == 200, "nginx finds the node again")
                again = nginx.ask("/api/v1/ratings", *KEYED)
                assert (again.status, again.one("idempotency-replayed")) == (201, "true")


def test_a_node_that_hangs_is_told_as_one_that_is_away(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        changes = {"proxy_read_timeout 15s;": "proxy_read_timeout 1s;"}
        with running_nginx(tmp_path / "nginx", silent.getsockname()[1], changes) as nginx:
            assert is_the_page(nginx.ask("/"))
            assert is_the_problem(nginx.ask("/api/v1/ratings", *KEYED))


def test_the_page_is_complete_in_itself_and_its_policy_allows_its_style_alone(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with running_nginx(tmp_path / "nginx", port) as nginx:
        answer = nginx.ask("/")
        again = nginx.ask("/", "-H", "If-None-Match: *", "-H", "Range: bytes=0-9")
    text = answer.body.decode()
    assert is_the_page(answer)
    assert again.body == answer.body
    [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.one("content-security-policy")
    assert re.findall(r"\b(?:src|href|url)\b", text) == []
    assert "<script" not in text


def test_nginx_starts_without_the_node(tmp_path: Path) -> None:
    """After a power cut nobody knows who is first."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    options = node_options(tmp_path)
    with running_nginx(tmp_path / "nginx", port) as nginx:
        assert is_the_problem(nginx.ask("/livez"))
        with running_node(tmp_path / "node", *options, "--port", str(port)):
            until(lambda: _alive(nginx), "nginx finds the node")


def _alive(nginx: Nginx) -> bool:
    return nginx.ask("/livez").status == 200
