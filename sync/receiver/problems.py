"""Errors as RFC 9457 problem+json: what happened, what was kept, what to do. Bad input is never a 5xx."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.sansio.response import Response as BaseResponse

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 5


class Problem(Exception):
    """A request that cannot be answered as asked. `code` is stable; `detail` is for who reads the log."""

    def __init__(
        self, status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}
        self.more = more

    def body(self) -> bytes:
        """The problem as JSON; ASCII, so that no text of a request can break it."""
        return problem_body(self.status, self.code, self.detail, self.more)


def problem_body(status: int, code: str, detail: str, more: dict[str, Any] | None = None) -> bytes:
    """The document of RFC 9457."""
    document = {
        "type": f"urn:nucuoi:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **(more or {}),
    }
    return json.dumps(document).encode()


def install(app: Flask) -> None:
    """Answer every error of `app` as a problem."""
    app.register_error_handler(Problem, _from_problem)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(SQLAlchemyError, _from_database)
    app.register_error_handler(Exception, _from_bug)


def _answer(problem: Problem) -> Response:
    response = Response(problem.body(), status=problem.status, content_type=CONTENT_TYPE)
    response.headers.update(problem.headers)
    return response


def _from_problem(problem: Problem) -> Response:
    return _answer(problem)


def _from_http(error: HTTPException) -> BaseResponse:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if error.response is not None or status < HTTPStatus.BAD_REQUEST:
        return error.get_response()  # a redirect is no problem
    code = HTTPStatus(status).phrase.lower().replace(" ", "_")
    headers = dict(error.get_headers())
    headers.pop("Content-Type", None)
    return _answer(Problem(status, code, error.description or HTTPStatus(status).phrase, headers=headers))


def _from_database(error: SQLAlchemyError) -> Response:
    logger.error("the database refused: %s", error)
    detail = "The database cannot take it just now; nothing was kept. Send it again later."
    return _answer(Problem(503, "unavailable", detail, headers={"Retry-After": str(RETRY_AFTER_S)}))


def _from_bug(error: Exception) -> Response:
    logger.error("a request failed", exc_info=error)
    return _answer(Problem(500, "internal", "The server made a mistake; nothing was kept. It is in its log."))
