"""The simulator's page, and what the templates of all pages know."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, render_template
from flask_babel import get_locale

from firmware_py.core.ports import CITY_STATES, NodePort
from local_api.faces import faces
from local_api.languages import LANGUAGES
from local_api.simulate import require_simulation


def page_context(node: NodePort) -> dict[str, Any]:
    """What every page's template is given."""
    site = node.settings.site
    return {
        "site": site,
        "place": site.name,
        "language": str(get_locale()),
        "languages": LANGUAGES,
        "version": node.version,
    }


def pages_blueprint(node: NodePort) -> Blueprint:
    """The simulator's page of `node`."""
    area = Blueprint("pages", __name__)
    area.context_processor(lambda: page_context(node))

    @area.get("/simulator")
    def simulator() -> str:
        if node.settings.site.mode != "simulation":
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
