"""The page for staff, and the figures behind it: what needs a person, the day, every device, the path to the city."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, stream_with_context

from firmware_py.core.ports import NodePort
from local_api.frames import state_frames
from local_api.listeners import Listeners
from local_api.pages import page_context
from local_api.staff_words import TodayAnswer, today_answer
from local_api.today import TodayBoard

LOOK_S = 0.2  # at most five snapshots a second


def staff_blueprint(node: NodePort, listeners: Listeners) -> Blueprint:
    """The staff's page of `node`."""
    area = Blueprint("staff", __name__)
    area.context_processor(lambda: page_context(node))
    board = TodayBoard(node)

    def today() -> TodayAnswer:
        return today_answer(board.look(), node.settings)

    @area.get("/")
    def index() -> str:
        return render_template("staff.html", today=today(), simulation=node.settings.site.mode == "simulation")

    @area.get("/api/v1/today")
    def figures() -> Response:
        return jsonify(today().model_dump())

    @area.get("/api/v1/today/stream")
    def stream() -> Response:
        def look() -> dict[str, Any]:
            return today().model_dump()

        def frames(pause: Callable[[float], bool]) -> Iterator[str]:
            return stream_with_context(state_frames(look, pause, look_s=LOOK_S))

        return listeners.stream(frames)

    return area
