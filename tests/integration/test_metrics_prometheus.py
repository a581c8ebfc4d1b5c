"""The real Prometheus (Debian's package) scrapes the real node; promtool looks at what it gets, and finds nothing to say."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.nodes import Node, running_node
from support.workers import until

pytestmark = pytest.mark.timeout(120)
DEADLINE_S = 60.0
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: nucuoi
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: prometheus)")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def text_of(url: str, accept: str = "") -> str:
    request = urllib.request.Request(url, headers={"Accept": accept} if accept else {})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
        return str(answer.read().decode())


class Prometheus:
    """One server with a storage folder of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def api(self, path: str, **query: str) -> Any:
        answer = json.loads(text_of(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"))
        assert answer["status"] == "success"
        return answer["data"]

    def ready(self) -> bool:
        try:
            return "Ready" in text_of(f"{self.url}/-/ready")
        except OSError:
            return False

    def target(self) -> Any:
        """The node, as its scraper sees it."""
        active = self.api("targets")["activeTargets"]
        return active[0] if active else {"health": "unknown", "lastError": "", "lastScrape": ""}

    def value(self, expression: str) -> float | None:
        """An expression's only value now; None if there is none."""
        found = self.api("query", query=expression)["result"]
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None

    def scraped_again(self) -> None:
        """Wait until a scrape has ended that began after this was asked."""
        asked = time.time()
        until(lambda: (self.value("timestamp(up)") or 0) > asked, "another scrape", DEADLINE_S)


@contextmanager
def prometheus(folder: Path, node_port: int) -> Iterator[Prometheus]:
    folder.mkdir()
    config = folder / "prometheus.yml"
    config.write_text(CONFIG.format(port=node_port))
    port = free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        server = Prometheus(f"http://127.0.0.1:{port}")
        until(lambda: server.ready() or process.poll() is not None, "Prometheus is ready", DEADLINE_S)
        assert process.poll() is None, (folder / "log").read_text()
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    program("prometheus")  # before a node is started in vain
    return tmp_path


def rated(node: Node, level: int, counter: str) -> str:
    status, answer = node.rate(level, counter)
    assert status == 201
    return str(answer["reason"] or answer["outcome"])


def test_promtool_has_nothing_to_say(tmp_path: Path) -> None:
    promtool = program("promtool")
    with running_node(tmp_path / "data") as node:
        rated(node, 5, "1")
        rated(node, 2, "1")
        text = text_of(f"{node.url}/metrics")
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert 'nucuoi_ratings_total{counter="1",level="5"} 1.0' in text


@pytest.mark.slow
def test_a_scraped_node_counts_on_over_a_restart(folder: Path) -> None:
    data, port = folder / "data", free_port()
    gross = 'nucuoi_ratings_total{counter="1",level="5"}'
    with prometheus(folder / "prometheus", port) as server:
        with running_node(data, "--port", str(port)) as node:
            until(lambda: server.target()["health"] == "up", "the node is up", DEADLINE_S)
            server.scraped_again()  # a target is said to be up a moment before its first samples can be asked for
            assert server.value(gross) == 0  # there before the first press: so that the first press is an increase
            assert rated(node, 5, "1") == "counted"
            assert rated(node, 3, "1") == "corrected"
            assert rated(node, 4, "2") == "counted"
            server.scraped_again()
            assert server.value(gross) == 1
            assert server.value(f"{gross} - nucuoi_ratings_corrected_total") == 0
            assert server.value("sum(nucuoi_ratings_total) - sum(nucuoi_ratings_corrected_total)") == 2
            assert server.value("count(nucuoi_device_up)") == 4
            assert server.value("nucuoi_build_info") == 1
            assert node.stop() == 0
        until(lambda: server.target()["health"] == "down", "the node is seen to be down", DEADLINE_S)
        until(lambda: server.value("up") == 0, "that it is down can be asked for", DEADLINE_S)
        with running_node(data, "--port", str(port)) as node:
            until(lambda: server.value("up") == 1, "the node is up again", DEADLINE_S)
            assert rated(node, 5, "3") == "counted"
            server.scraped_again()
            assert server.value(gross) == 1
            assert server.value("sum(resets(nucuoi_ratings_total[10m]))") == 0
            assert server.value('sum by (level) (nucuoi_ratings_total{level="5"})') == 2
