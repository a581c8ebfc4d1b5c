"""The Flask application of one node: one blueprint per area, no state but what it is given."""

from __future__ import annotations

from flask_openapi3 import OpenAPI

from firmware_py.core.ports import NodePort
from local_api.buckets import buckets_blueprint
from local_api.devices import devices_blueprint
from local_api.events import events_blueprint
from local_api.guard import guard
from local_api.health import health_blueprint
from local_api.inputs import MAX_BODY_BYTES, StrictRequest
from local_api.languages import speak
from local_api.listeners import Listeners
from local_api.look import look_blueprint
from local_api.metrics import metrics_blueprint
from local_api.openapi import api_app, document_blueprint
from local_api.pages import pages_blueprint
from local_api.problems import answer_with_problems
from local_api.rate import rate_blueprint
from local_api.ratings import ratings_blueprint
from local_api.simulate import simulate_blueprint
from local_api.simulator import simulator_blueprint
from local_api.staff import staff_blueprint


def create_app(node: NodePort, listeners: Listeners | None = None) -> OpenAPI:
    """The application over `node`. `listeners` counts the live streams; the server closes it to end them."""
    places = listeners if listeners is not None else Listeners()
    app = api_app(__name__, node.version)
    app.request_class = StrictRequest
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.ensure_ascii = False  # type: ignore[attr-defined] # of Flask's default provider
    app.json.sort_keys = False  # type: ignore[attr-defined]
    answer_with_problems(app)
    guard(app, node.settings.api)
    speak(app)
    app.register_blueprint(look_blueprint())
    for area in (
        health_blueprint(node),
        devices_blueprint(node),
        ratings_blueprint(node),
        events_blueprint(node, places),
        metrics_blueprint(node),
        buckets_blueprint(node),
        staff_blueprint(node, places),
        simulate_blueprint(node),
        document_blueprint(app),
    ):
        app.register_api(area)
    app.register_blueprint(rate_blueprint(node))
    app.register_blueprint(pages_blueprint(node))
    app.register_blueprint(simulator_blueprint(node, places))
    return app
