"""The simulation's way to the city: each trouble is a real one at the socket."""

import select
import socket
import threading
import time

import pytest
from support.cities import bucket, client_of, eventually, running_city, scripted_city

from firmware_py.core.worker import Life
from sync.answers import Answered
from sync.faulty_path import FaultyPath
from sync.relay_loop import is_whole_request

DELAY_S = 0.3


@pytest.fixture
def city(tmp_path):
    with running_city(tmp_path) as it:
        yield it


@pytest.fixture
def path(city):
    made = FaultyPath(city.url, time.monotonic, slow_s=DELAY_S)
    life = Life()
    thread = threading.Thread(target=made.run, args=(life,))
    thread.start()
    eventually(lambda: made._applied == "up", "the path listens")
    yield made
    life.stopping.set()
    made.wake()
    thread.join(10)
    assert not thread.is_alive()
    made.close()


@pytest.fixture
def client(path):
    made = client_of(path.url)
    yield made
    made.close()


def send(client, revision=1):
    return client.send("00ff00ff", [bucket(revision, revision=revision)])


def test_up_is_as_if_it_were_not_there(city, client):
    for revision in (1, 2, 3):
        assert isinstance(send(client, revision), Answered)
    assert city.ratings()["n"] == 3


def test_down_refuses_and_keeps_its_port(path, city, client):
    for revision in (1, 2, 3):
        path.set("down")
        assert send(client, revision).kind == "unreachable"
        path.set("up")
        assert isinstance(send(client, revision), Answered)
    assert city.ratings()["n"] == 3


def test_error_and_portal_are_answered_by_the_path_itself(path, city, client):
    path.set("error")
    got = send(client)
    assert (got.kind, got.status) == ("server_error", 500)
    path.set("portal")
    assert send(client).kind == "not_an_answer"
    assert city.ratings()["n"] == 0
    path.set("up")
    assert isinstance(send(client), Answered)


def test_slow_delays_the_answer_and_a_short_patience_gives_up(path, city):
    path.set("slow")
    patient, hasty = client_of(path.url), client_of(path.url, read_timeout_s=DELAY_S / 6)
    try:
        started = time.monotonic()
        assert isinstance(send(patient), Answered)
        assert time.monotonic() - started >= DELAY_S
        assert send(hasty, 2).kind == "timeout"
        eventually(lambda: city.ratings()["n"] == 2, "the city has what nobody heard it accept")
    finally:
        patient.close()
        hasty.close()


def test_it_answers_itself_only_when_the_whole_request_is_there(path):
    """An answer sent before, with the rest unread, would be lost in a reset."""
    path.set("error")
    with socket.create_connection(path.url.removeprefix("http://").split(":"), timeout=10) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345")
        assert select.select([connection], [], [], 0.3)[0] == []
        connection.sendall(b"67890")
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 500 ")


def test_an_unknown_state_is_refused_in_words(path):
    with pytest.raises(ValueError, match="up, down, slow, error, portal"):
        path.set("sideways")
    assert path.state == "up"


def test_a_city_that_is_gone_is_unreachable_through_the_path():
    with scripted_city(lambda *_: None) as city:
        pass
    path = FaultyPath(city.url, time.monotonic)
    life = Life()
    thread = threading.Thread(target=path.run, args=(life,))
    thread.start()
    client = client_of(path.url)
    eventually(lambda: path._applied == "up", "the path listens")
    assert send(client).kind == "unreachable"
    life.stopping.set()
    path.wake()
    thread.join(10)
    client.close()
    path.close()


def test_a_state_set_before_it_runs_holds_from_the_start(city):
    path = FaultyPath(city.url, time.monotonic)
    path.set("down")
    assert path.state == "down"
    path.close()
    path.close()


@pytest.mark.parametrize("url", ["https://127.0.0.1:1", "http://127.0.0.1", "nonsense"])
def test_only_a_plain_http_address_is_relayed(url):
    with pytest.raises(ValueError, match="http://host:port"):
        FaultyPath(url, time.monotonic)


def test_the_end_of_a_request_is_its_content_length():
    head = b"POST / HTTP/1.1\r\nHost: x\r\ncontent-LENGTH: 4\r\n\r\n"
    assert [is_whole_request(head[:-1]), is_whole_request(head + b"abc"), is_whole_request(head + b"abcd")] == [
        False,
        False,
        True,
    ]
    assert is_whole_request(b"GET / HTTP/1.1\r\n\r\n")
