"""GET /api/v1/events: the live stream of what the journal committed, with resume.

It carries of each event only what `contracts.STREAMED_FIELDS` allows: a vote's level never leaves here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from firmware_py.core.contracts import STREAMED_FIELDS
from firmware_py.core.events import Event
from firmware_py.core.ports import JournalPort, NodePort
from local_api import sse
from local_api.cursor import event_id, start_of
from local_api.inputs import Headers, Query
from local_api.listeners import SLICE_S, Listeners
from local_api.openapi import problems, text_answer

HEARTBEAT_S = 10.0
PAGE = 500  # events read from the disk at once, for a listener that fell behind the bus


class ResumeHeaders(Headers):
    """What a browser sends by itself when it comes back."""

    last_id: str | None = Field(None, alias="Last-Event-ID", description="The id that was seen last: JOURNAL_ID:SEQ")


class ResumeQuery(Query):
    """The same for who cannot set headers."""

    last_event_id: str | None = Field(None, description="See the header Last-Event-ID, which goes before")


def events_blueprint(node: NodePort, listeners: Listeners) -> APIBlueprint:
    """The live stream of `node`."""
    area = APIBlueprint("events", __name__, abp_tags=[Tag(name="events")])
    made = Frames(node.journal.id)

    @area.get("/api/v1/events", responses={200: text_answer(sse.TYPE, "Server-sent events"), **problems(503)})
    def stream(header: ResumeHeaders, query: ResumeQuery) -> Response:
        """What the journal commits, live. An `event: reset` says that it cannot resume: fetch the state anew."""
        last_id = header.last_id or query.last_event_id
        return listeners.stream(lambda pause: event_frames(node.journal, made, last_id, pause))

    return area


class Frames:
    """The text of an event on the stream, made once for all who listen: the bus gives all of them the same object.

    Callable from any thread without a lock: two that make the same text at the same moment make the same.
    """

    def __init__(self, journal_id: str, keep: int = 256) -> None:
        self._journal_id = journal_id
        self._made: list[tuple[Event | None, str]] = [(None, "")] * keep  # an event's place: its seq modulo the length

    def of(self, event: Event) -> str:
        """The event's frame, with what `STREAMED_FIELDS` lets out and nothing else."""
        place = event.seq % len(self._made)
        known, text = self._made[place]
        if known is not event:
            text = _frame(self._journal_id, event)
            self._made[place] = (event, text)
        return text


def event_frames(
    journal: JournalPort,
    frames: Frames,
    last_id: str | None,
    pause: Callable[[float], bool],
    heartbeat_s: float = HEARTBEAT_S,
) -> Iterator[str]:
    """The stream's text, from where `last_id` says until `pause` returns False or the journal closes."""
    bus = journal.bus
    start = start_of(last_id, journal.id, bus.head)
    yield sse.opening()
    if start.kind != "resume":
        yield _place(start.kind, journal.id, start.seq)
    cursor = start.seq
    spoke_at = time.monotonic()
    wait_s = min(SLICE_S, heartbeat_s)
    while pause(0):
        events = bus.next(cursor, PAGE, wait_s)
        if events is None:
            events = journal.events_after(cursor, PAGE)
            if not events:  # retention took what this listener still lacked
                cursor = bus.head
                yield _place("reset", journal.id, cursor)
        if events:
            yield "".join(map(frames.of, events))
            cursor = events[-1].seq
            spoke_at = time.monotonic()
        elif bus.closed:
            return
        elif time.monotonic() - spoke_at >= heartbeat_s:
            yield sse.HEARTBEAT
            spoke_at = time.monotonic()


def _place(kind: str, journal_id: str, seq: int) -> str:
    here = event_id(journal_id, seq)
    return sse.frame(kind, {"id": here}, here)


def _frame(journal_id: str, event: Event) -> str:
    allowed = STREAMED_FIELDS.get(event.type, ())
    return sse.frame(
        event.type,
        {
            "seq": event.seq,
            "time": event.time,
            "type": event.type,
            "source": event.source,
            "simulated": event.simulated,
            "data": {name: event.data[name] for name in allowed if name in event.data},
        },
        event_id(journal_id, event.seq),
    )
