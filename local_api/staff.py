"""The page for staff, and the figures behind it: what needs a person, the day, every device, the path to the city."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from flask import Response, jsonify, render_template, stream_with_context
from flask_babel import get_locale
from flask_openapi3 import APIBlueprint, Tag

from firmware_py.core.ports import NodePort
from local_api import sse
from local_api.frames import state_frames
from local_api.listeners import Listeners
from local_api.openapi import problems, text_answer
from local_api.pages import page_context
from local_api.staff_model import TodayAnswer
from local_api.staff_words import today_answer
from local_api.today import Facts, TodayBoard

LOOK_S = 0.2  # at most five snapshots a second


class Teller:
    """What is told to all who look, in their language; made anew only when there is something new to tell."""

    def __init__(self, node: NodePort) -> None:
        self._settings = node.settings
        self._board = TodayBoard(node)
        self._lock = threading.Lock()
        self._told: dict[str, tuple[Facts, TodayAnswer, dict[str, Any]]] = {}

    def answer(self) -> TodayAnswer:
        """For the page's template."""
        return self._newest()[1]

    def state(self) -> dict[str, Any]:
        """The same as JSON. Shared by all who listen: nobody changes it."""
        return self._newest()[2]

    def _newest(self) -> tuple[Facts, TodayAnswer, dict[str, Any]]:
        facts, language = self._board.look(), str(get_locale())
        with self._lock:
            told = self._told.get(language)
            if told is None or told[0] != facts:
                answer = today_answer(facts, self._settings)
                told = self._told[language] = (facts, answer, answer.model_dump())
            return told


def staff_blueprint(node: NodePort, listeners: Listeners) -> APIBlueprint:
    """The staff's page of `node`."""
    area = APIBlueprint("staff", __name__, abp_tags=[Tag(name="today")])
    area.context_processor(lambda: page_context(node))
    teller = Teller(node)

    @area.get("/", doc_ui=False)
    def index() -> str:
        simulation = node.settings.site.mode == "simulation"
        return render_template("staff.html", today=teller.answer(), simulation=simulation)

    @area.get("/api/v1/today", responses={200: TodayAnswer, **problems()})
    def figures() -> Response:
        """What the staff's page shows, in the language of `?lang=` or the cookie. Answers by level come in groups only."""
        return jsonify(teller.state())

    @area.get("/api/v1/today/stream", responses={200: text_answer(sse.TYPE, "Server-sent events"), **problems(503)})
    def stream() -> Response:
        """The same, live: `event: state` on change, and every two seconds."""

        def frames(pause: Callable[[float], bool]) -> Iterator[str]:
            return stream_with_context(state_frames(teller.state, pause, look_s=LOOK_S))

        return listeners.stream(frames)

    return area
