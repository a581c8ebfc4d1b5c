"""The node as a process: how it starts, how it stops, and what a kill costs."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from support.nodes import gone, running_node, scoreboard
from support.workers import until

pytestmark = pytest.mark.timeout(120)


def nucuoi(*words):
    return subprocess.run(
        [sys.executable, "-m", "firmware_py", *map(str, words)], capture_output=True, text=True, check=False, timeout=60
    )


def kept(folder, kind="rating.given"):
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        return [
            json.loads(data) for (data,) in db.execute("SELECT data FROM event WHERE type = ? ORDER BY seq", (kind,))
        ]


def city_is_up(node, times=1):
    until(lambda: node.children() and node.log.count("embedded city listens on") == times, "the embedded city is up")


def no_trouble_in(log):
    for word in ("ERROR", "CRITICAL", "Traceback"):
        assert word not in log, log


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """One that runs all the time, for what need not end it."""
    with running_node(tmp_path_factory.mktemp("running") / "data") as node:
        yield node


def test_ready_means_that_presses_are_taken_at_once(node):
    assert node.rate(5)[0] == 201
    assert node.ask("GET", "/readyz")[0] == 200


def test_a_second_node_in_the_same_folder_is_refused_and_the_first_is_not_disturbed(node):
    second = nucuoi("run", "--data", node.folder, "--port", "0")
    assert second.returncode == 1
    assert second.stdout == ""
    assert "another node already runs in" in second.stderr
    assert "Traceback" not in second.stderr
    assert node.rate(5)[0] == 201


def test_a_node_in_another_folder_is_another_node(node, tmp_path):
    before = len(kept(node.folder))
    with running_node(tmp_path / "data") as other:
        assert other.rate(4, "2")[0] == 201
        assert other.stop() == 0
    assert [data["level"] for data in kept(tmp_path / "data")] == [4]
    assert len(kept(node.folder)) == before


def test_a_port_that_is_taken_is_told_and_nothing_stays_behind(node, tmp_path):
    port = node.url.rpartition(":")[2]
    ended = nucuoi("run", "--data", tmp_path / "data", "--port", port, "--receiver-port", "0")
    assert ended.returncode == 1
    assert port in ended.stderr.splitlines()[-1]
    assert "--port" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    # It was stopped as any node is: the folder is free, and the journal says that it ended.
    assert len(kept(tmp_path / "data", "node.stopped")) == 1
    assert nucuoi("journal", "verify", "--data", tmp_path / "data").returncode == 0


def test_the_command_line_asks_the_running_node(node):
    listed = nucuoi("devices", "--json", "--data", node.folder)
    devices = [device["id"] for device in json.loads(listed.stdout)["devices"]]
    assert devices == ["panel-1", "panel-2", "panel-3", "panel-4"]
    figures = json.loads(nucuoi("outbox", "--json", "--data", node.folder).stdout)
    assert set(figures) == {"pending", "oldest_age_s", "last_accepted_at", "rejected"}


def test_the_embedded_city_that_was_killed_comes_back_and_gets_what_waited(node):
    city_is_up(node)
    node.all_sent()
    os.kill(node.children()[0], signal.SIGKILL)
    assert node.rate(5, "3")[1]["outcome"] == "counted"
    city_is_up(node, times=2)
    node.all_sent()
    assert node.ask("GET", "/readyz")[0] == 200


@pytest.fixture
def systemd(tmp_path):
    """What systemd would hear, and the environment in which it listens; it wants to be fed every 1.5 s."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(20)
        yield listening, {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1500000"}


def test_asked_to_stop_it_stops_cleanly_and_says_so_in_the_journal(tmp_path, systemd):
    listening, environment = systemd
    with running_node(tmp_path / "data", environment=environment) as node:
        assert listening.recv(100) == b"READY=1"
        assert [listening.recv(100) for _ in range(2)] == [b"WATCHDOG=1"] * 2
        assert node.rate(5)[0] == 201
        assert nucuoi("journal", "verify", "--data", tmp_path / "data").returncode == 0  # beside the running node
        assert node.stop(signal.SIGTERM) == 0
        assert node.process.stdout.read() == ""  # one line, and no other
        no_trouble_in(node.log)
        while (told := listening.recv(100)) == b"WATCHDOG=1":
            pass
        assert told == b"STOPPING=1"
    files = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}
    assert files["journal.db"] == 0o640  # and no -wal beside it: who copies the one file has everything
    assert set(files) == {"journal.db", "city.db", "city.db-mark", "node.lock"}
    assert not any(mode & 0o007 for mode in files.values())  # nothing for other users
    assert len(kept(tmp_path / "data", "node.stopped")) == 1
    assert len(kept(tmp_path / "data")) == 1
    verified = nucuoi("journal", "verify", "--data", tmp_path / "data")
    assert verified.returncode == 0, verified.stderr


def test_what_was_answered_survives_a_kill_and_reaches_the_city_once_and_no_child_is_left(tmp_path):
    """SIGKILL: what a crash, the kernel's memory killer or a power switch does to the process."""
    folder = tmp_path / "dữ liệu? #1 50%20"  # a folder is any folder
    with running_node(folder) as node:
        city_is_up(node)
        answers = [node.rate(level, counter)[1] for counter, level in (("1", 5), ("2", 4), ("3", 3))]
        children = node.children()
        node.kill()
    assert len(children) == 1
    until(lambda: all(gone(pid) for pid in children), "the embedded city has ended")
    assert [answer["outcome"] for answer in answers] == ["counted"] * 3
    assert [data["level"] for data in kept(folder)] == [5, 4, 3]
    assert kept(folder, "node.stopped") == []
    with running_node(folder) as node:
        city_is_up(node, times=2)
        assert node.rate(2, "4")[1]["outcome"] == "counted"
        node.all_sent()
        city_url = node.log.rpartition("embedded city listens on ")[2].split()[0]
        found = {int(level): count for level, count in scoreboard(city_url)["by_level"].items() if count}
        assert found == {5: 1, 4: 1, 3: 1, 2: 1}
        assert node.stop(signal.SIGHUP) == 0  # the terminal was closed: a stop like any other
    assert len(kept(folder, "node.stopped")) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["city.db", "city.db-mark", "journal.db", "node.lock"]
    assert nucuoi("journal", "verify", "--data", folder).returncode == 0


def test_a_taken_port_of_the_embedded_city_costs_no_press(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with running_node(tmp_path / "data", "--receiver-port", port) as node:
            assert node.rate(5)[0] == 201
            assert node.outbox()["pending"] > 0


@pytest.mark.parametrize("text", ["[site\n", "[site]\nid = 5\nmode = 'simulation'\n"])
def test_a_broken_site_file_starts_nothing(tmp_path, text):
    (tmp_path / "site.toml").write_text(text)
    ended = nucuoi("run", "--config", tmp_path / "site.toml", "--data", tmp_path / "data", "--port", "0")
    assert ended.returncode == 2
    assert "nothing was started" in ended.stderr
    assert ended.stdout == ""
    assert not (tmp_path / "data").exists()


def test_a_production_site_without_its_token_runs_and_says_what_is_missing(tmp_path):
    (tmp_path / "site.toml").write_text(
        """
        [site]
        id = "phuong"
        name = "Phường"
        mode = "production"
        [[site.opening]]
        days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        spans = ["00:00-24:00"]
        [site.holidays]
        country = ""
        [city]
        url = "https://city.example"
        [[counter]]
        id = "1"
        name = "Quầy 1"
        """
    )
    with running_node(tmp_path / "data", "--config", str(tmp_path / "site.toml")) as node:
        assert node.ask("GET", "/readyz")[0] == 200
        assert node.check("sync")["status"] == "fail"
        assert "city_token" in node.check("sync")["text"]
        assert node.children() == []
        assert node.ask("POST", "/api/v1/simulate/city", {"state": "down"})[0] == 403
        assert node.stop() == 0
