"""GET /api/v1/events over real sockets: resume, reset, secrecy, the cap, and an end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_client import Served, serving, until
from fake_node import FakeJournal, FakeNode, event

from firmware_py.core.contracts import DEVICE_UNAVAILABLE, RATING_GIVEN
from local_api.cursor import MAX_BEHIND
from local_api.events import Frames, event_frames
from local_api.listeners import MAX_LISTENERS


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(FakeNode(), tmp_path_factory.mktemp("node")) as one:
        yield one


@pytest.fixture
def served(server: Served) -> Served:
    """One server for all, an empty journal for each."""
    server.node.journal = FakeJournal()
    return server


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Served]:
    """A server of one's own, where nobody else's stream still ends."""
    with serving(FakeNode(), tmp_path) as one:
        yield one


def test_a_new_listener_starts_at_the_head_and_hears_what_comes_after(served: Served) -> None:
    journal = served.node.journal
    journal.publish(event(1), event(2))
    with served.listen() as stream:
        assert stream.block() == {"retry": "2000"}
        assert stream.comments == 1
        assert stream.event() == ("hello", "j0urnal:2", {"id": "j0urnal:2"})
        journal.publish(event(3, DEVICE_UNAVAILABLE, {"device": "d", "reason": "rút dây", "inner": 1}))
        kind, identity, data = stream.event()
    assert (kind, identity) == (DEVICE_UNAVAILABLE, "j0urnal:3")
    assert data == {
        "seq": 3,
        "time": "2026-11-23T01:02:03.456Z",
        "type": DEVICE_UNAVAILABLE,
        "source": "test",
        "simulated": True,
        "data": {"device": "d", "reason": "rút dây"},
    }


def test_a_votes_level_and_outcome_never_leave_on_the_stream(served: Served) -> None:
    with served.listen() as stream:
        stream.event()
        served.rate({"counter": "1", "level": 1})
        kind, _, data = stream.event()
    assert (kind, data["data"]) == (RATING_GIVEN, {"counter": "1"})


def test_an_event_of_a_type_nobody_declared_goes_out_without_its_data(served: Served) -> None:
    with served.listen() as stream:
        stream.event()
        served.node.journal.publish(event(1, "later.feature", {"phone": "0900"}))
        assert stream.event()[2]["data"] == {}


@pytest.mark.parametrize("way", ["header", "query"])
def test_a_listener_that_comes_back_misses_nothing(served: Served, way: str) -> None:
    served.node.journal.publish(*(event(seq) for seq in range(1, 6)))
    path = "/api/v1/events" + ("?last_event_id=j0urnal:2" if way == "query" else "")
    headers = {"Last-Event-ID": "j0urnal:2"} if way == "header" else {}
    with served.listen(path, headers) as stream:
        assert [stream.event()[1] for _ in range(3)] == ["j0urnal:3", "j0urnal:4", "j0urnal:5"]


@pytest.mark.parametrize("last_id", ["other:2", "j0urnal:99", "nonsense"])
def test_what_cannot_be_resumed_is_reset_and_goes_on_from_the_head(served: Served, last_id: str) -> None:
    served.node.journal.publish(event(1), event(2))
    with served.listen(headers={"Last-Event-ID": last_id}) as stream:
        assert stream.event() == ("reset", "j0urnal:2", {"id": "j0urnal:2"})
        served.node.journal.publish(event(3))
        assert stream.event()[1] == "j0urnal:3"


def frames(journal: FakeJournal, last_id: str | None, asks: int, heartbeat_s: float = 10.0) -> list[str]:
    """The stream's text, ended when it has asked `asks` times whether it may go on."""
    left = [asks]

    def pause(_seconds: float) -> bool:
        left[0] -= 1
        return left[0] >= 0

    return list(event_frames(journal, Frames(journal.id), last_id, pause, heartbeat_s))


def test_who_fell_behind_the_bus_is_served_from_the_disk_in_order() -> None:
    journal = FakeJournal(keep=4)
    journal.publish(*(event(seq) for seq in range(1, 1201)))
    text = "".join(frames(journal, "j0urnal:10", asks=4))
    assert [line for line in text.splitlines() if line.startswith("id: ")] == [
        f"id: j0urnal:{n}" for n in range(11, 1201)
    ]
    assert journal.disk_reads == 3  # 500, 500, 190: then the bus reaches it again


def test_who_lacks_what_retention_removed_is_reset() -> None:
    journal = FakeJournal(keep=2)
    journal.publish(*(event(seq) for seq in range(1, 10)))
    journal.stored.clear()
    assert "event: reset\n" in "".join(frames(journal, "j0urnal:3", asks=1))


def test_an_events_text_is_made_once_for_all_who_listen() -> None:
    made = Frames("j0urnal", keep=4)
    first = event(3, DEVICE_UNAVAILABLE, {"device": "d"})
    text = made.of(first)
    assert made.of(first) is text
    assert made.of(event(7)).startswith("id: j0urnal:7\n")  # it takes the place of 3
    assert made.of(first) == text


def test_more_than_ten_thousand_behind_is_reset_without_reading_the_disk() -> None:
    journal = FakeJournal(head=MAX_BEHIND + 2)
    text = "".join(frames(journal, "j0urnal:1", asks=1))
    assert "event: reset\n" in text
    assert journal.disk_reads == 0


def test_starting_at_the_head_of_two_million_events_reads_no_disk() -> None:
    journal = FakeJournal(head=2_000_000)
    assert "event: hello\n" in "".join(frames(journal, None, asks=1))
    assert journal.disk_reads == 0


def test_a_silent_stream_carries_a_comment_so_that_a_lost_client_is_noticed() -> None:
    text = frames(FakeJournal(), None, asks=20, heartbeat_s=0.01)
    assert ": alive\n\n" in text


def test_a_stream_ends_when_the_journal_closes(served: Served) -> None:
    with served.listen() as stream:
        stream.event()
        served.node.journal.bus.close()
        assert stream.block() == {}


def test_listeners_beyond_the_cap_get_a_problem_and_a_place_comes_free_again(alone: Served) -> None:
    with contextlib.ExitStack() as open_streams:
        for _ in range(MAX_LISTENERS):
            assert open_streams.enter_context(alone.listen()).status == 200
        refused = alone.get("/api/v1/events")
        assert (refused.status, refused.json["code"]) == (503, "too_many_listeners")
        assert int(refused.headers["retry-after"]) > 0
        assert alone.get("/livez").status == 200  # the other threads still serve

    def can_listen() -> bool:
        with alone.listen() as stream:
            return stream.status == 200

    until(can_listen, "a closed stream gives its place back", deadline_s=5)


def test_a_head_request_takes_no_place(alone: Served) -> None:
    for _ in range(MAX_LISTENERS + 1):
        assert alone.ask("HEAD", "/api/v1/events").status == 200
    until(lambda: alone.get("/livez").status == 200, "it still serves")
    with alone.listen() as stream:
        assert stream.status == 200


def test_an_event_reaches_a_listener_at_once(served: Served) -> None:
    with served.listen() as stream:
        stream.event()
        began = time.monotonic()
        served.node.journal.publish(event(1))
        stream.event()
        assert time.monotonic() - began < 0.3  # well below the slice that streams sleep in
