"""The receiver as a process of its own: it says when it is ready, and never outlives its parent."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from support.cities import DEADLINE_S, bucket, client_of, eventually

from sync.answers import Answered

SERVE = """
import logging, os, sys
from sync.receiver.server import serve
logging.basicConfig(level=logging.INFO)
serve(sys.argv[1], "127.0.0.1", int(sys.argv[2]), environ=os.environ, exit_with_parent=True)
"""
#: As it is run by hand: arguments, then stdin is not looked at.
BY_HAND = """
import sys
from firmware_py.cli.commands import nucuoi
nucuoi(["receiver", "--database", sys.argv[1], "--port", sys.argv[2], *sys.argv[3:]])
"""
#: A parent that starts the receiver as the node does, passes its words on, and waits.
PARENT = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {SERVE!r}, *sys.argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(child.pid, child.stdout.readline().decode().strip(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def start(tmp_path):
    """Start a program with the receiver's arguments; everything is ended afterwards."""
    started = []

    def call(program, *more, nodes="ward-1/hub=token-of-ward-1-hub", readers="", port=0):
        environment = {**os.environ, "NUCUOI_RECEIVER_NODES": nodes, "NUCUOI_RECEIVER_READERS": readers}
        process = subprocess.Popen(
            [sys.executable, "-c", program, f"sqlite:///{tmp_path / 'city.db'}", str(port), *more],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        started.append(process)
        return process

    yield call
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def url_of(process):
    line = process.stdout.readline().strip()
    assert line.startswith("ready http://127.0.0.1:"), (line, process.stderr.read())
    return line.split()[1]


def ratings(url):
    with urllib.request.urlopen(f"{url}/v1/scoreboard", timeout=DEADLINE_S) as answer:
        return json.load(answer)["sites"][0]["ratings"]


def test_it_is_ready_when_it_says_so_and_ends_with_its_stdin(start):
    process = start(SERVE)
    url = url_of(process)
    client = client_of(url)
    assert isinstance(client.send("00ff00ff", [bucket(3)]), Answered)
    client.close()
    assert ratings(url)["n"] == 3
    process.stdin.close()
    assert process.wait(DEADLINE_S) == 0
    log = process.stderr.read()
    assert "registered node ward-1/hub (token ***)" in log
    assert "token-of-ward-1-hub" not in log


def test_it_dies_with_a_parent_that_was_killed(start):
    parent = start(PARENT)
    pid, word, url = parent.stdout.readline().split()
    assert word == "ready"
    ratings(url)
    parent.kill()
    parent.wait()
    eventually(lambda: not alive(int(pid)), "the orphan ends")


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_sigterm_ends_it_cleanly_and_what_was_answered_is_there_after(start):
    process = start(SERVE)
    client = client_of(url_of(process))
    client.send("00ff00ff", [bucket(3)])
    client.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(DEADLINE_S) == 0
    assert ratings(url_of(start(SERVE)))["n"] == 3


def test_what_was_answered_survives_sigkill(start):
    process = start(SERVE)
    client = client_of(url_of(process))
    for revision in range(1, 6):
        assert isinstance(client.send("00ff00ff", [bucket(revision, revision=revision)]), Answered)
    client.close()
    process.kill()
    process.wait()
    assert ratings(url_of(start(SERVE)))["n"] == 5


def test_nodes_that_cannot_be_read_stop_it_before_it_listens_and_no_token_is_told(start):
    process = start(SERVE, nodes="ward-1=SECRET")
    out, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode != 0
    assert out == ""
    assert "NUCUOI_RECEIVER_NODES: entry 1 is not of the form site/node=token" in err
    assert "SECRET" not in err


def test_a_port_that_is_taken_is_an_error_and_no_ready_line(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start(SERVE, port=taken.getsockname()[1])
        out, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode != 0
    assert out == ""
    assert "Address already in use" in err


def status_of(url, token=None, **headers):
    request = urllib.request.Request(f"{url}/v1/scoreboard", headers=headers)
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def said(process):
    process.terminate()
    process.wait(DEADLINE_S)
    return process.stderr.read()


def test_run_by_hand_on_loopback_nobody_reads_the_scoreboard_and_stderr_says_how_one_would(start):
    # What nginx's default proxy_pass sends is this very request: from loopback, to a loopback host, without a header more.
    process = start(BY_HAND)
    assert status_of(url_of(process)) == 401
    log = said(process)
    assert 'nobody can read the scoreboard yet: start again with NUCUOI_RECEIVER_READERS="name=token"' in log
    assert "--open-scoreboard" in log


def test_it_is_open_to_this_machine_when_that_is_asked_for(start):
    process = start(BY_HAND, "--open-scoreboard")
    url = url_of(process)
    assert status_of(url) == 200
    assert status_of(url, **{"X-Forwarded-For": "192.0.2.1"}) == 401
    assert "open to this machine" in said(process)


def test_readers_of_the_variable_read_with_their_token_and_no_token_is_told(start):
    process = start(BY_HAND, "--open-scoreboard", readers="mayor=TOKEN=OF=MAYOR, press=TOKEN-OF-PRESS")
    url = url_of(process)
    assert [status_of(url, token) for token in ("TOKEN=OF=MAYOR", "TOKEN-OF-PRESS")] == [200, 200]
    assert [status_of(url, token) for token in (None, "TOKEN", "token-of-ward-1-hub")] == [401, 401, 401]
    log = said(process)
    assert "registered reader mayor (token ***)" in log
    assert "TOKEN" not in log


def test_readers_that_cannot_be_read_stop_it_and_no_token_is_told(start):
    process = start(BY_HAND, readers="mayor=SECRET,=SECRET")
    out, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, out) == (1, "")
    assert "NUCUOI_RECEIVER_READERS: entry 2 is not of the form name=token" in err
    assert "SECRET" not in err


def test_an_address_that_others_reach_is_never_open(start):
    process = start(BY_HAND, "--open-scoreboard", "--host", "0.0.0.0")
    out, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, out) == (1, "")
    assert "--open-scoreboard is for a loopback address only, not for 0.0.0.0" in err


def test_one_whose_parent_was_killed_while_it_started_ends_without_an_error(start):
    process = start(SERVE)
    process.stdout.close()  # before it could say that it is ready
    process.stdin.close()
    assert process.wait(DEADLINE_S) == 0
    assert "Traceback" not in process.stderr.read()
