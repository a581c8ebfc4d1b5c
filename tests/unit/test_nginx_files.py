"""What the shipped nginx files say is what the program does: limits, times, headers, names. No nginx is needed for that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from support.pages import DOCS, ROOT, text_of
from waitress.adjustments import Adjustments

from config.settings import ApiSettings
from firmware_py.core.problem import RETRY_AFTER_S
from local_api import ratings
from local_api.events import HEARTBEAT_S
from local_api.guard import HEADERS
from local_api.inputs import MAX_BODY_BYTES
from local_api.listeners import MAX_LISTENERS
from local_api.listening import MAX_HEADER_BYTES
from local_api.server import THREADS

SYSTEM = ROOT / "config" / "system"
NGINX = SYSTEM / "nginx"
OURS = sorted((NGINX / "nucuoi").glob("*.conf"))
CORES = 4  # of a Raspberry Pi; Debian's nginx has a process for each
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
BYTES = {"": 1, "k": 1024, "m": 1024 * 1024}


def text(name: str) -> str:
    """A shipped file without its comments."""
    lines = text_of(NGINX / name).splitlines()
    return "\n".join(re.sub(r"(^|\s)#.*", "", line) for line in lines)


def said(name: str, directive: str) -> list[str]:
    """The words of every such directive in a file."""
    return [words.strip() for words in re.findall(rf"^\s*{re.escape(directive)}\s+([^;]+);", text(name), re.MULTILINE)]


def said_once(name: str, directive: str) -> str:
    [words] = said(name, directive)
    return words


def seconds(words: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([smh]?)", words).groups()  # type: ignore[union-attr]
    return int(number) * UNITS[unit]


def size(words: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([km]?)", words).groups()  # type: ignore[union-attr]
    return int(number) * BYTES[unit]


def test_a_body_may_be_as_large_as_the_node_takes_it_and_never_goes_to_the_card() -> None:
    assert size(said_once("nucuoi/slow-clients.conf", "client_max_body_size")) == MAX_BODY_BYTES
    assert size(said_once("nucuoi/slow-clients.conf", "client_body_buffer_size")) == MAX_BODY_BYTES


def test_headers_may_be_as_large_as_the_node_takes_them() -> None:
    number, each = said_once("nucuoi/slow-clients.conf", "large_client_header_buffers").split()
    assert int(number) * size(each) == MAX_HEADER_BYTES


def test_streams_are_fewer_than_the_nodes_places() -> None:
    limits = dict(words.split() for words in said("nucuoi/stream.conf", "limit_conn"))
    assert 0 < int(limits["nucuoi_listeners"]) < int(limits["nucuoi_streams"]) < MAX_LISTENERS


def test_a_living_stream_is_not_cut_off() -> None:
    assert seconds(said_once("nucuoi/stream.conf", "proxy_read_timeout")) > 3 * HEARTBEAT_S
    assert seconds(said_once("nucuoi/slow-clients.conf", "send_timeout")) > HEARTBEAT_S


def test_the_nodes_own_answer_comes_before_nginx_loses_patience() -> None:
    assert seconds(said_once("nucuoi/to-the-node.conf", "proxy_read_timeout")) > ratings.DEADLINE_S


def test_nginx_closes_idle_connections_before_the_node_does() -> None:
    assert seconds(said_once("nucuoi-local/node.conf", "keepalive_timeout")) < Adjustments.channel_timeout


def test_idle_connections_and_streams_leave_the_node_room_for_all_its_threads() -> None:
    """Waitress stops accepting at its limit: idle connections would hold up those in work."""
    idle = int(said_once("nucuoi-local/node.conf", "keepalive")) * CORES
    streams = int(dict(words.split() for words in said("nucuoi/stream.conf", "limit_conn"))["nucuoi_streams"])
    assert idle + streams + THREADS < Adjustments.connection_limit


def test_the_node_is_asked_where_it_listens_by_default() -> None:
    api = ApiSettings()
    assert said_once("nucuoi-local/node.conf", "server") == f"{api.host}:{api.port}"


def test_what_nginx_answers_by_itself_has_the_nodes_headers() -> None:
    policy = re.search(
        r"location = /\.nucuoi/problem \{.*?Content-Security-Policy \"(.*?)\" always",
        text("nucuoi/answers.conf"),
        re.DOTALL,
    )
    assert policy
    assert policy[1] == HEADERS["Content-Security-Policy"]
    ours = dict(re.findall(r"add_header (\S+) \"(.*)\" always;", text("nucuoi/own-answer.conf")))
    assert ours.pop("Cache-Control") == "no-store"
    assert ours == {name: value for name, value in HEADERS.items() if name != "Content-Security-Policy"}


def test_who_is_sent_away_comes_again_when_the_node_would_say() -> None:
    block = re.search(r"map \$status \$nucuoi_retry_after_s \{(.*?)\}", text("nucuoi/problems.conf"), re.DOTALL)
    assert block
    assert set(re.findall(r"^\s+\d+\s+(\d+);", block[1], re.MULTILINE)) == {str(RETRY_AFTER_S)}


def locations() -> list[str]:
    """Every location's lines, in all files."""
    return [
        block
        for name in ("nucuoi/locations.conf", "nucuoi/answers.conf", "sites-available/nucuoi")
        for block in re.findall(r"location [^{]+\{[^}]*\}", text(name))
    ]


def test_every_request_carries_its_sender_to_the_node() -> None:
    """nginx drops the outer proxy_set_header where a location has its own: the hall would be this computer."""
    holders = [path.name for path in OURS if "proxy_set_header" in text(f"nucuoi/{path.name}")]
    assert holders == ["to-the-node.conf"]
    assert "proxy_set_header" not in text("nucuoi/locations.conf") + text("sites-available/nucuoi")
    assert "X-Forwarded-For $remote_addr" in said("nucuoi/to-the-node.conf", "proxy_set_header")
    _, plain, secure = text("sites-available/nucuoi").split("\nserver {")
    assert "include nucuoi/to-the-node.conf;" in secure
    assert "proxy_pass" not in plain + "".join(
        text(f"nucuoi/{path.name}") for path in OURS if path.name != "locations.conf"
    )


def test_a_location_with_a_header_of_its_own_keeps_those_from_outside() -> None:
    with_header = [block for block in locations() if "add_header" in block]
    assert with_header
    assert [block for block in with_header if "include nucuoi/every-answer.conf;" not in block] == []
    assert [block for block in locations() if "proxy_pass" in block and "own-answer" in block] == []


def test_a_list_of_addresses_is_always_followed_by_deny_all() -> None:
    lists = [block for block in locations() if "include nucuoi-local/" in block]
    assert len(lists) >= 4
    assert [block for block in lists if not re.search(r"include nucuoi-local/[a-z-]+\.conf;\s+deny all;", block)] == []


def test_the_hall_reads_no_figures_until_somebody_says_so() -> None:
    assert said("nucuoi-local/city.conf", "allow") == ["127.0.0.1", "::1"]


@pytest.mark.parametrize(
    "code", sorted(set(re.findall(r"^\s+\S.*\s([a-z_]+);$", text("nucuoi/problems.conf").split("}")[0], re.MULTILINE)))
)
def test_a_problem_of_nginx_is_in_the_documentation(code: str) -> None:
    assert f"`{code}`" in text_of(DOCS / "api.md") + text_of(DOCS / "nginx.md")


def test_every_file_that_ships_is_listed() -> None:
    here = {str(path.relative_to(SYSTEM)) for path in SYSTEM.rglob("*") if path.is_file() and path.name != "README.md"}
    listed = set(re.findall(r"^\| `([^`]+)` \|", text_of(SYSTEM / "README.md"), re.MULTILINE))
    assert here == listed


def test_the_page_of_the_restart_has_the_looks_colours() -> None:
    look = {
        colour.upper()
        for colour in re.findall(r"#[0-9A-Fa-f]{6}\b", text_of(ROOT / "firmware_py/look/static/base.css"))
    }
    page = re.findall(r"#[0-9A-Fa-f]{6}\b", text_of(NGINX / "nucuoi/restarting.html"))
    assert page
    assert {colour.upper() for colour in page} <= look


def test_an_installed_node_has_the_files() -> None:
    """The wheel carries them: who installs it need not look for the repository."""
    builder = WheelBuilder(str(ROOT))
    packed = {Path(file.distribution_path) for file in builder.recurse_included_files()}
    here = {path.relative_to(ROOT) for path in SYSTEM.rglob("*") if path.is_file()}
    assert here
    assert here - packed == set()
