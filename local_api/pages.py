"""The pages for people: the simulator, and a small status page."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, render_template, url_for
from flask_babel import get_locale
from werkzeug.wrappers import Response

from firmware_py.core.health import worst
from firmware_py.core.ports import CITY_STATES, NodePort
from local_api.faces import faces
from local_api.languages import LANGUAGES
from local_api.simulate import require_simulation
from local_api.words import clock_time, device_words, outbox_words


def pages_blueprint(node: NodePort) -> Blueprint:
    """The pages of `node`."""
    area = Blueprint("pages", __name__)
    site = node.settings.site

    @area.context_processor
    def common() -> dict[str, object]:
        return {
            "site": site,
            "place": site.name,
            "language": str(get_locale()),
            "languages": LANGUAGES,
            "version": node.version,
        }

    @area.get("/")
    def index() -> Response | str:
        if site.mode == "simulation":
            return redirect(url_for("pages.simulator"))
        zone = ZoneInfo(site.timezone)
        checks = sorted(node.health(), key=lambda check: check.status, reverse=True)
        devices = [
            (status, device_words(status), clock_time(status.since, zone) if status.since else "")
            for status in node.devices.statuses()
        ]
        return render_template(
            "status.html",
            checks=checks,
            status=worst(checks),
            devices=devices,
            outbox=outbox_words(node.outbox(), zone),
        )

    @area.get("/simulator")
    def simulator() -> str:
        if site.mode != "simulation":
            abort(404)
        require_simulation(node)
        statuses = [status for status in node.devices.statuses() if node.devices.simulated(status.id)]
        names = {counter.id: counter.name for counter in node.settings.counters}
        return render_template(
            "simulator.html",
            panels=[(status, names.get(status.counter or "", status.id)) for status in statuses],
            faces=faces(node.settings.ratings.levels),
            city_states=CITY_STATES if node.city_faults is not None else (),
        )

    return area
