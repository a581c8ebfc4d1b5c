"""The agent between a real journal and cities of every mood: nothing lost, nothing twice, the state visible."""

import logging
from concurrent.futures import Future
from datetime import datetime

import pytest
from support.cities import (
    TOKEN,
    City,
    client_of,
    eventually,
    http_answer,
    running_agent,
    running_city,
    scripted_city,
)
from support.fake_clock import FakeClock
from support.journals import press, running_journal

from firmware_py.core.errors import JournalRefusing
from firmware_py.core.health import Status
from firmware_py.core.worker import Life
from sync.agent import SyncAgent
from sync.outbox import figures
from sync.receiver.credentials import add_node
from sync.receiver.home import renew_store


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def journal(tmp_path, clock):
    (tmp_path / "node").mkdir()
    with running_journal(tmp_path / "node", clock) as it:
        yield it


@pytest.fixture
def city(database):
    # The fake clock stands on a Monday that may be ahead of the real one.
    with running_city(database, now=lambda: FakeClock().utc) as it:
        yield it


@pytest.fixture
def agent_for(journal, clock):
    """Agents without a thread: `send_pending` is one round."""
    agents = []

    def make(url, node=journal, **options):
        agent = SyncAgent(node, clock, client_of(url), **{"send_every_s": 60, "retry_max_s": 300} | options)
        agents.append(agent)
        return agent

    yield make
    for agent in agents:
        agent._client.close()


def pending(journal, clock):
    return figures(journal.reader(), clock.utc).pending


def test_a_press_arrives_once_and_a_correction_follows(journal, clock, city):
    with running_agent(journal, clock, city.url) as agent:
        press(journal, 2)
        eventually(lambda: city.ratings()["n"] == 1, "the press arrives")
        clock.advance(1)
        assert press(journal, 5) == "corrected"
        eventually(lambda: city.ratings()["by_level"]["5"] == 1, "the correction arrives")
        eventually(lambda: pending(journal, clock) == 0, "the outbox is empty")
        ratings = city.ratings()
        assert (ratings["n"], ratings["corrected"], ratings["by_level"]["2"]) == (1, 1, 0)
        assert agent.check().status is Status.PASS
        assert agent.state.last_failure_kind is None


def test_nothing_is_lost_while_the_city_is_down_and_only_the_change_is_logged(journal, clock, city, caplog):
    caplog.set_level(logging.INFO, logger="sync.agent")
    with scripted_city(lambda *_: None) as broken:
        down = broken.url
    with running_agent(journal, clock, down) as agent:
        press(journal, 5)
        eventually(lambda: agent.state.consecutive_failures >= 5, "it goes on trying")
        assert agent.state.last_failure_kind == "unreachable"
        check = agent.check()
    assert check.status is Status.WARN
    assert check.text.startswith("Mất kết nối máy chủ thành phố, dữ liệu được giữ lại (2 mục, cũ nhất ")
    assert len(caplog.records) == 1
    with running_agent(journal, clock, city.url):
        eventually(lambda: pending(journal, clock) == 0, "the outbox is empty")
    assert city.ratings()["n"] == 1


def test_an_outage_is_one_line_for_each_kind_of_trouble_and_one_for_its_end(journal, clock, caplog, agent_for):
    caplog.set_level(logging.INFO, logger="sync.agent")
    moods = [http_answer(500), None, http_answer(500), None, http_answer(500)]

    def script(request, _):
        return moods.pop() if moods else request.accept_all()

    with scripted_city(script) as city:
        agent = agent_for(city.url)
        press(journal, 5)
        for failures in (1, 2, 3, 4, 5):
            agent.send_pending(Life())
            assert agent.state.consecutive_failures == failures
        began = agent.state.since
        assert began is not None
        agent.send_pending(Life())
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 3
    assert "server_error" in said[0]
    assert "unreachable" in said[1]
    assert "answers again" in said[2]
    assert began in said[2]
    assert agent.state.last_failure_kind is None


@pytest.mark.parametrize(
    ("answer", "kind", "status", "at_least_s"),
    [
        (http_answer(500, b"oops"), "server_error", Status.WARN, 0),
        (http_answer(503, b"", {"Retry-After": "900"}), "server_error", Status.WARN, 900),
        (http_answer(429, b"", {"Retry-After": "Mon, 23 Nov 2026 01:10:00 GMT", "Date": "Mon, 23 Nov 2026 01:00:00 GMT"}), "server_error", Status.WARN, 600),
        (http_answer(401), "unauthorised", Status.FAIL, 150),
        (http_answer(403), "unauthorised", Status.FAIL, 150),
        (http_answer(422), "refused", Status.FAIL, 150),
        (http_answer(200, b"<html>login"), "not_an_answer", Status.WARN, 0),
        (http_answer(302, b"", {"Location": "http://127.0.0.1:9/"}), "not_an_answer", Status.WARN, 0),
        (http_answer(200, {"batch": "another", "store": "s", "results": []}), "not_an_answer", Status.WARN, 0),
        (None, "unreachable", Status.WARN, 0),
    ],
)  # fmt: skip
def test_every_failure_keeps_everything_and_is_visible(journal, clock, agent_for, answer, kind, status, at_least_s):
    with scripted_city(lambda *_: answer) as city:
        agent = agent_for(city.url)
        press(journal, 5)
        wait_s = agent.send_pending(Life())
        assert len(city.requests) == 1
    assert at_least_s <= wait_s <= at_least_s + 300
    assert agent.state.last_failure_kind == kind
    assert agent.check().status is status
    assert "dữ liệu được giữ lại (2 mục" in agent.check().text
    assert pending(journal, clock) == 2


def forwarding(city: City, request):
    """What the city answers to a request that another server received."""
    head = request.head.split(b"\r\n")
    headers = dict(line.decode().split(": ", 1) for line in head[1:])
    answer = city.request("POST", head[0].split()[1].decode(), request.body, headers)
    return http_answer(answer.status, answer.body)


def test_an_answer_lost_after_the_commit_is_asked_for_again_and_counts_once(journal, clock, city, agent_for):
    lost = []

    def lose_the_first_two(request, _):
        answer = forwarding(city, request)
        if len(lost) < 2:
            lost.append(answer)
            return None
        return answer

    with scripted_city(lose_the_first_two) as path:
        agent = agent_for(path.url)
        press(journal, 5)
        agent.send_pending(Life())
        assert city.ratings()["n"] == 1  # the city has it, and nobody told the node
        assert pending(journal, clock) == 2
        clock.advance(30)
        press(journal, 1)
        for _ in range(2):
            agent.send_pending(Life())
    assert city.ratings()["n"] == 2
    assert pending(journal, clock) == 0


def test_batches_that_arrive_again_and_late_change_nothing(journal, clock, city, agent_for):
    seen = []

    def remember(request, _):
        seen.append(request)
        return forwarding(city, request)

    with scripted_city(remember) as path:
        agent = agent_for(path.url)
        for level in (1, 3, 5):
            press(journal, level)
            agent.send_pending(Life())
            clock.advance(60)
    before = city.ratings()
    assert before["n"] == 3
    for request in [*reversed(seen), *seen]:
        forwarding(city, request)
    assert city.ratings() == before


def test_too_large_is_halved_until_it_fits(journal, clock, agent_for):
    sizes = []

    def at_most_three(request, _):
        count = len(request.batch["buckets"])
        sizes.append(count)
        return http_answer(413) if count > 3 else request.accept_all()

    with scripted_city(at_most_three) as city:
        agent = agent_for(city.url)
        for _ in range(8):  # eight hours of two buckets each
            press(journal, 5)
            clock.advance(3600)
        agent.send_pending(Life())
    assert sizes[0] == 16
    assert sum(size for size in sizes if size <= 3) == 16
    assert figures(journal.reader(), clock.utc).rejected == 0
    assert pending(journal, clock) == 0


def test_an_hour_that_is_too_large_goes_in_parts(journal, clock, agent_for):
    """A proxy in between lets only three buckets through: four counters' ratings of one hour arrive all the same."""
    sizes = []

    def at_most_three(request, _):
        sizes.append(len(request.batch["buckets"]))
        return http_answer(413) if sizes[-1] > 3 else request.accept_all()

    with scripted_city(at_most_three) as city:
        agent = agent_for(city.url)
        for counter in ("1", "2"):
            press(journal, 5, counter=counter)
            clock.advance(60)
            press(journal, 4, counter=counter)
        agent.send_pending(Life())
    assert sum(size for size in sizes if size <= 3) == 6
    assert pending(journal, clock) == 0


def test_a_backlog_goes_no_faster_than_the_site_file_says(journal, clock, agent_for):
    for _ in range(8):  # eight hours of two buckets each
        press(journal, 5)
        clock.advance(3600)
    began_s, sent = clock.uptime_s(), []
    with scripted_city(lambda request, _: request.accept_all()) as city:
        agent = agent_for(city.url, max_buckets_per_s=2)
        agent._max_buckets = 4
        while pending(journal, clock):
            wait_s = agent.send_pending(Life())
            sent.append(len(city.requests[-1].batch["buckets"]))
            assert wait_s == sent[-1] / 2
            clock.advance(wait_s)
        assert sum(sent) == 16
        assert len(sent) == len(city.requests) > 1  # a round for each batch: it looks around in between
        assert clock.uptime_s() - began_s == 16 / 2
        press(journal, 5)  # no presses had to wait, nor does what they changed once the backlog is gone
        assert agent.send_pending(Life()) == 1
        assert agent.send_pending(Life()) == 60


def test_what_cannot_be_made_smaller_waits_and_hinders_nobody(journal, clock, agent_for):
    narrow = [True]

    def not_that_hour(request, _):
        too_much = any(item["hour"] == "2026-11-23T01:00:00Z" for item in request.batch["buckets"])
        return http_answer(413) if too_much and narrow[0] else request.accept_all()

    with scripted_city(not_that_hour) as city:
        agent = agent_for(city.url)
        press(journal, 5)
        clock.advance(3600)
        press(journal, 5)
        agent.send_pending(Life())
        got = figures(journal.reader(), clock.utc)
        assert (got.pending, got.rejected) == (2, 0)  # of the hour that the city does not take; it is kept
        narrow[0] = False
        clock.advance(3600)
        agent.send_pending(Life())
    assert pending(journal, clock) == 0


def test_a_city_restored_from_its_backup_gets_everything_again(journal, clock, tmp_path, agent_for):
    with running_city(tmp_path, now=lambda: clock.utc, name="a.db") as first:
        agent = agent_for(first.url)
        press(journal, 5)
        agent.send_pending(Life())
        assert first.ratings()["n"] == 1
    with running_city(tmp_path, now=lambda: clock.utc, name="b.db") as restored:
        renew_store(restored.engine)
        agent = agent_for(restored.url)
        clock.advance(60)
        press(journal, 4, counter="2")
        agent.send_pending(Life())
        assert restored.ratings()["n"] == 2
    assert pending(journal, clock) == 0


def test_a_wrong_credential_is_an_alarm_and_mended_without_loss(journal, clock, city, agent_for):
    add_node(city.engine, "ward-1", "hub", "another-token")
    agent = agent_for(city.url)
    press(journal, 5)
    assert agent.send_pending(Life()) >= 150
    assert agent.check().status is Status.FAIL
    assert "city_token" in agent.check().text
    add_node(city.engine, "ward-1", "hub", "token-of-ward-1-hub")
    agent.send_pending(Life())
    assert city.ratings()["n"] == 1


def test_a_relays_hours_rest_and_stay_pending_until_the_city_has_them(journal, clock, agent_for):
    outcome = ["relayed"]

    def relay(request, _):
        results = [
            {"index": index, "outcome": outcome[0], "revision": item["revision"], "code": None}
            for index, item in enumerate(request.batch["buckets"])
        ]
        return http_answer(200, {"batch": request.batch["batch"], "store": "relay", "results": results})

    with scripted_city(relay) as hub:
        agent = agent_for(hub.url, retry_max_s=300)
        press(journal, 5)
        for _ in range(3):
            agent.send_pending(Life())
        assert len(hub.requests) == 1  # not hammered
        assert pending(journal, clock) == 2
        clock.advance(301)
        outcome[0] = "accepted"
        agent.send_pending(Life())
        assert len(hub.requests) == 2
    assert pending(journal, clock) == 0


class RefusingJournal:
    """The real journal, whose disk is full for everything that the sync writes."""

    def __init__(self, journal):
        self._journal = journal

    def __getattr__(self, name):
        return getattr(self._journal, name)

    def run(self, _job):
        future = Future()
        future.set_exception(JournalRefusing("full"))
        return future


def test_an_answer_that_cannot_be_written_down_is_not_believed(journal, clock, city, agent_for):
    agent = agent_for(city.url, RefusingJournal(journal))
    press(journal, 5)
    agent.send_pending(Life())
    assert agent.state.last_failure_kind == "journal"
    assert pending(journal, clock) == 2
    agent_for(city.url).send_pending(Life())
    assert city.ratings()["n"] == 1
    assert pending(journal, clock) == 0


def echo(where):
    """A proxy that repeats the request, credential and all, in this part of its answer."""

    def script(request, _):
        return {
            "body": http_answer(502, request.head, {"Content-Type": "text/plain"}),
            "body of a success": http_answer(200, request.head),
            "json of a success": http_answer(200, {"batch": request.head.decode(), "results": request.head.decode()}),
            "type": http_answer(502, b"", {"Content-Type": f"x/{TOKEN}"}),
            "status line": f"Bearer {TOKEN}\r\n\r\n".encode(),
            "broken header": f"HTTP/1.1 502 X\r\nContent-Length: 0\r\n: {TOKEN}\r\nBearer {TOKEN}\r\n\r\n".encode(),
            "chunk": f"HTTP/1.1 502 X\r\nTransfer-Encoding: chunked\r\n\r\n{TOKEN}\r\n".encode(),
            "length": f"HTTP/1.1 502 X\r\nContent-Length: {TOKEN}\r\n\r\n".encode(),
        }[where]

    return script


@pytest.mark.parametrize(
    "where",
    ["body", "body of a success", "json of a success", "type", "status line", "broken header", "chunk", "length"],
)
def test_the_credential_is_in_no_log_whatever_a_proxy_repeats(journal, clock, caplog, agent_for, where):
    caplog.set_level(logging.DEBUG)
    with scripted_city(echo(where)) as proxy:
        agent = agent_for(proxy.url)
        press(journal, 5)
        agent.send_pending(Life())
        assert TOKEN.encode() in proxy.requests[0].head
    assert agent.state.last_failure_kind is not None
    assert "the city gave no answer" in caplog.text
    assert TOKEN not in caplog.text
    assert TOKEN not in agent.state.text


def test_while_nobody_trusts_the_clock_the_citys_answer_tells_the_time(journal, clock, city, agent_for):
    told = []
    clock.reboot("boot-2")
    agent = agent_for(city.url, on_city_time=told.append)
    press(journal, 5)  # belongs to no hour: nothing can be sent
    agent.send_pending(Life())
    [time] = told
    assert isinstance(time, datetime)
    assert time.tzinfo is not None
    assert city.ratings()["n"] == 0


def test_with_a_trusted_clock_an_empty_outbox_asks_nothing(journal, clock, agent_for):
    with scripted_city(lambda request, _: request.accept_all()) as city:
        agent = agent_for(city.url, on_city_time=lambda _: None)
        assert agent.send_pending(Life()) == 60
        assert city.requests == []


def test_every_batch_carries_the_chains_head(journal, clock, agent_for):
    with scripted_city(lambda request, _: request.accept_all()) as city:
        agent = agent_for(city.url)
        press(journal, 5)
        head = journal.chain_head()
        agent.send_pending(Life())
        assert city.requests[0].batch["chain_head"] == head


def test_it_stops_at_once_while_waiting(journal, clock, agent_for):
    with scripted_city(lambda *_: None) as city, running_agent(journal, clock, city.url, send_every_s=3600):
        pass  # `running_agent` asserts that the thread ends
