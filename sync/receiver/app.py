"""The city's HTTP routes: taking in batches, and the scoreboard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, request
from flask_openapi3 import OpenAPI
from sqlalchemy import Engine

from config.addresses import is_loopback
from firmware_py import look
from sync.receiver import credentials, page, problems, scoreboard
from sync.receiver.bearer import bearer, unauthorised
from sync.receiver.body import BatchRequest
from sync.receiver.buckets import buckets_blueprint
from sync.receiver.health import health_blueprint
from sync.receiver.openapi import api_app, document_blueprint
from sync.receiver.problems import Problem


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
    app.register_blueprint(
        Blueprint(
            "look", __name__, static_folder=look.STATIC, static_url_path=look.URL_PATH, template_folder=look.TEMPLATES
        )
    )
    for area in (buckets_blueprint(engine, now), health_blueprint(engine), document_blueprint(app)):
        app.register_api(area)

    @app.get("/v1/scoreboard", doc_ui=False)
    def read_scoreboard() -> Response:
        _check_reader(engine, open_on_loopback=open_on_loopback)
        span, site, simulated = _asked()
        lines = _scores(engine, span, site, simulated=simulated)
        moment = now()
        return jsonify(
            simulated=simulated,
            hours=scoreboard.span_json(span),
            sites=[scoreboard.as_json(line, moment) for line in lines],
        )

    @app.get("/", doc_ui=False)
    def show_scoreboard() -> str:
        _check_reader(engine, open_on_loopback=open_on_loopback)
        span, site, simulated = _asked()
        lines = _scores(engine, span, site, simulated=simulated)
        return page.render(lines, now(), language=_language(), simulated=simulated)

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Content-Security-Policy"] = "default-src 'self'; frame-ancestors 'none'"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return app


def _scores(engine: Engine, span: scoreboard.Span, site: str | None, *, simulated: bool) -> list[scoreboard.SiteScore]:
    with engine.begin() as connection:
        nodes = scoreboard.read_nodes(connection, site)
        return scoreboard.scores(nodes, scoreboard.read_sums(connection, site, span, simulated=simulated))


def _asked() -> tuple[scoreboard.Span, str | None, bool]:
    """What a reader wants to see.

    Raises:
        Problem: 400, an argument that says nothing.
    """
    simulated = request.args.get("simulated", "false")
    if simulated not in ("true", "false"):
        raise Problem(400, "argument", "`simulated` is true or false.")
    try:
        span = scoreboard.span_of(request.args.get("from"), request.args.get("to"))
    except ValueError as error:
        raise Problem(400, "argument", f"{error}.") from error
    return span, request.args.get("site"), simulated == "true"


def _language() -> page.Language:
    language = request.args.get("lang", "vi")
    if language not in ("vi", "en"):
        raise Problem(400, "argument", "`lang` is vi or en.")
    return "en" if language == "en" else "vi"


def _check_reader(engine: Engine, *, open_on_loopback: bool) -> None:
    with engine.begin() as connection:
        token = bearer()
        if token is not None and credentials.is_reader(connection, token):
            return
        if open_on_loopback and _is_local() and not credentials.has_readers(connection):
            return
    raise unauthorised("Reading the scoreboard needs a reader's token: `Authorization: Bearer TOKEN`.")


def _is_local() -> bool:
    """From this machine, by no proxy, and under a name of this machine (a web page elsewhere cannot rebind its own)."""
    if "Forwarded" in request.headers or "X-Forwarded-For" in request.headers:
        return False
    host = urlsplit(f"//{request.host}").hostname or ""
    return is_loopback(request.remote_addr or "") and is_loopback(host)
