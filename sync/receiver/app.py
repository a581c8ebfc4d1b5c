"""The city's HTTP routes: taking in batches, and the scoreboard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, Flask, Response, jsonify, request
from sqlalchemy import Engine

from firmware_py import look
from sync.receiver import body, credentials, problems
from sync.receiver.credentials import NodeIdentity
from sync.receiver.intake import receive
from sync.receiver.languages import speak
from sync.receiver.problems import Problem
from sync.receiver.readers import bearer, unauthorised
from sync.receiver.scoreboard import public_holidays
from sync.receiver.scoreboard_pages import pages_blueprint
from sync.receiver.scoreboard_routes import scoreboard_blueprint
from sync.receiver.tables import store_id


def utc_now() -> datetime:
    """The city's own clock."""
    return datetime.now(UTC)


def create_app(engine: Engine, *, open_on_loopback: bool = False, now: Callable[[], datetime] = utc_now) -> Flask:
    """The receiver's application.

    `open_on_loopback`: reading the scoreboard needs no credential when the request comes from this machine, was not
    forwarded by a proxy, and no reader was ever registered. Writing always needs one.
    """
    app = Flask(__name__)
    problems.install(app)
    speak(app)
    app.register_blueprint(
        Blueprint(
            "look", __name__, static_folder=look.STATIC, static_url_path=look.URL_PATH, template_folder=look.TEMPLATES
        )
    )

    is_holiday = public_holidays()
    app.register_blueprint(scoreboard_blueprint(engine, now, is_holiday, open_on_loopback=open_on_loopback))
    app.register_blueprint(pages_blueprint(engine, now, is_holiday, open_on_loopback=open_on_loopback))

    @app.post("/v1/nodes/<name>/buckets")
    def take_buckets(name: str) -> Response:
        origin = _node(engine, name)
        batch = body.read_batch(request)
        if (batch.site, batch.node) != (origin.site, origin.name):
            raise Problem(403, "wrong_node", "The batch names another site or node than its credential.")
        answer = receive(engine, origin, batch, now())
        return Response(answer.model_dump_json(), content_type="application/json")

    @app.get("/livez")
    def say_alive() -> Response:
        return jsonify(status="alive")

    @app.get("/readyz")
    def say_ready() -> Response:
        with engine.begin() as connection:
            return jsonify(status="ready", store=store_id(connection))

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Content-Security-Policy"] = "default-src 'self'; frame-ancestors 'none'"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return app


def _node(engine: Engine, name: str) -> NodeIdentity:
    """The node that the request's credential speaks for, checked before a byte of the body is read.

    Raises:
        Problem: 401 without a known credential, 403 with another node's.
    """
    token = bearer()
    if token is None:
        raise unauthorised("Send `Authorization: Bearer TOKEN` with this node's token.")
    with engine.begin() as connection:
        origin = credentials.node_of(connection, token)
    if origin is None:
        raise unauthorised("This token is no node's. Register the node here, or correct its city_token.")
    if origin.name != name:
        raise Problem(403, "wrong_node", "This token is another node's.")
    return origin
