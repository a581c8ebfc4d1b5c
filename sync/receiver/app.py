"""The city's HTTP routes: taking in batches, and the scoreboard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, Response
from flask_openapi3 import OpenAPI
from sqlalchemy import Engine

from firmware_py import look
from sync.receiver import problems
from sync.receiver.body import BatchRequest
from sync.receiver.buckets import buckets_blueprint
from sync.receiver.health import health_blueprint
from sync.receiver.languages import speak
from sync.receiver.openapi import api_app, document_blueprint
from sync.receiver.scoreboard import public_holidays
from sync.receiver.scoreboard_pages import pages_blueprint
from sync.receiver.scoreboard_routes import scoreboard_blueprint


def utc_now() -> datetime:
    """The city's own clock."""
    return datetime.now(UTC)


def create_app(engine: Engine, *, open_on_loopback: bool = False, now: Callable[[], datetime] = utc_now) -> OpenAPI:
    """The receiver's application.

    `open_on_loopback`: reading the scoreboard needs no credential when the request comes from this machine, was not
    forwarded by a proxy, and no reader was ever registered. Writing always needs one.
    """
    app = api_app(__name__)
    app.request_class = BatchRequest
    problems.install(app)
    speak(app)
    app.register_blueprint(
        Blueprint(
            "look", __name__, static_folder=look.STATIC, static_url_path=look.URL_PATH, template_folder=look.TEMPLATES
        )
    )
    for area in (buckets_blueprint(engine, now), health_blueprint(engine), document_blueprint(app)):
        app.register_api(area)

    is_holiday = public_holidays()
    app.register_api(scoreboard_blueprint(engine, now, is_holiday, open_on_loopback=open_on_loopback))
    app.register_blueprint(pages_blueprint(engine, now, is_holiday, open_on_loopback=open_on_loopback))

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Content-Security-Policy"] = "default-src 'self'; frame-ancestors 'none'"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return app
