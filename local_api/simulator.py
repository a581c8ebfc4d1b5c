"""What the simulator page sees live: the panels' far ends, the line to the city, the city's scoreboard.

All words are made here, in the page's language; the page's script only puts them in their places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, stream_with_context
from flask_babel import gettext, ngettext

from firmware_py.core.ports import DeviceStatus, NodePort, SimulatedWire
from local_api.faces import faces
from local_api.frames import state_frames
from local_api.listeners import Listeners
from local_api.scoreboard import CityScoreboard, CitySite, CityUnreachableError
from local_api.simulate import require_simulation
from local_api.words import clock_time, device_words, event_words, excluded_words, frame_line, outbox_words, span

LOOK_S = 0.1  # at most ten snapshots a second
EVENTS_READ = 40
EVENTS_SHOWN = 12
FRAMES_SHOWN = 12


def simulator_blueprint(node: NodePort, listeners: Listeners) -> Blueprint:
    """The live side of the simulator page of `node`."""
    area = Blueprint("simulator", __name__, url_prefix="/api/v1/simulate")
    area.before_request(lambda: require_simulation(node))
    city = CityScoreboard(node.settings.site.id, simulated=True)

    @area.get("/stream")
    def stream() -> Response:
        def frames(pause: Callable[[float], bool]) -> Iterator[str]:
            return stream_with_context(state_frames(lambda: state_of(node), pause, look_s=LOOK_S))

        return listeners.stream(frames)

    @area.get("/scoreboard")
    def scoreboard() -> Response:
        try:
            site = city.read(node.city_url)
        except CityUnreachableError:
            return jsonify(reachable=False, text=gettext("Không đọc được bảng điểm của thành phố, đang thử lại."))
        return jsonify(scoreboard_of(site, node.settings.ratings.levels))

    return area


def state_of(node: NodePort) -> dict[str, Any]:
    """Everything on the page but the city's scoreboard, in the request's language."""
    zone = ZoneInfo(node.settings.site.timezone)
    reason = node.ready()
    return {
        "ready": reason is None,
        "ready_text": reason or "",
        "devices": [
            _device(status, wire)
            for status in node.devices.statuses()
            if (wire := node.devices.simulated(status.id)) is not None
        ],
        "city": None if node.city_faults is None else node.city_faults.state,
        "outbox": outbox_words(node.outbox(), zone),
        "events": _news(node, zone),
    }


def scoreboard_of(site: CitySite | None, levels: int) -> dict[str, Any]:
    """The city's figures in words. A rate never stands without its n, and nothing is not 0 %."""
    counts = site.ratings.by_level if site is not None else {}
    n = site.ratings.n if site is not None else 0
    rate = site.ratings.satisfaction_rate if site is not None else None
    shown: dict[str, Any] = {
        "reachable": True,
        "text": ngettext("lượt đánh giá đã đến thành phố", "lượt đánh giá đã đến thành phố", n),
        "n": n,
        "rate": gettext("Chưa có dữ liệu") if rate is None else f"{round(rate * 100)} % (n = {n})",
        "levels": [
            {"level": face.level, "n": counts.get(face.level, 0), "share": counts.get(face.level, 0) / n if n else 0}
            for face in faces(levels)
        ],
        "notes": [],
    }
    if site is not None:
        shown["notes"] = [
            *(excluded_words(reason, count) for reason, count in site.ratings.excluded.items() if count),
            ngettext("Đã sửa lại: %(num)d lượt", "Đã sửa lại: %(num)d lượt", site.ratings.corrected),
        ]
        if site.data_age_s is not None:
            shown["notes"].append(gettext("Số liệu mới nhất cách đây %(age)s", age=span(site.data_age_s)))
    return shown


def _device(status: DeviceStatus, wire: SimulatedWire) -> dict[str, Any]:
    far = wire.snapshot()
    return {
        "id": status.id,
        "light": status.light,
        "available": status.available,
        "text": device_words(status),
        "faults": list(status.faults),
        "plugged": far["plugged"],
        "lamps": dict(far["lights"]),
        "pressed": [int(button) for button, pressed in far["buttons"].items() if pressed],
        "frames": [frame_line(frame) for frame in far["frames"][-FRAMES_SHOWN:]],
    }


def _news(node: NodePort, zone: ZoneInfo) -> list[dict[str, str]]:
    names = {counter.id: counter.name for counter in node.settings.counters}
    bus = node.journal.bus
    after = max(0, bus.head - EVENTS_READ)
    events = bus.after(after, EVENTS_READ)
    if events is None:
        events = node.journal.events_after(after, EVENTS_READ)
    news = [
        {"id": str(event.seq), "time": clock_time(event.time, zone), "text": text}
        for event in reversed(events)
        if (text := event_words(event, names)) is not None
    ]
    return news[:EVENTS_SHOWN]
