"""Errors as RFC 9457 problem+json: what happened, what was kept, what to do. Bad input is never a 5xx."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import Flask, Response
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.sansio.response import Response as BaseResponse

from firmware_py.core.problem import CONTENT_TYPE, RETRY_AFTER_S, WrongPart, problem_body

logger = logging.getLogger(__name__)


class ProblemError(Exception):
    """A request that cannot be answered as asked. `code` is stable; `detail` is for who reads the log."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[WrongPart] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}
        self.errors = errors


def install(app: Flask) -> None:
    """Answer every error of `app` as a problem."""
    app.register_error_handler(ProblemError, _from_problem)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(SQLAlchemyError, _from_database)
    app.register_error_handler(Exception, _from_bug)


def _answer(problem: ProblemError) -> Response:
    response = Response(
        problem_body(problem.status, problem.code, problem.detail, errors=problem.errors),
        status=problem.status,
        content_type=CONTENT_TYPE,
    )
    response.headers.update(problem.headers)
    return response


def _from_problem(problem: ProblemError) -> Response:
    return _answer(problem)


def _from_http(error: HTTPException) -> BaseResponse:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if error.response is not None or status < HTTPStatus.BAD_REQUEST:
        return error.get_response()  # a redirect is no problem
    code = HTTPStatus(status).phrase.lower().replace(" ", "_")
    headers = dict(error.get_headers())
    headers.pop("Content-Type", None)
    return _answer(ProblemError(status, code, error.description or HTTPStatus(status).phrase, headers=headers))


def _from_database(error: SQLAlchemyError) -> Response:
    logger.error("the database refused: %s", error)
    detail = "The database cannot take it just now; nothing was kept. Send it again later."
    return _answer(ProblemError(503, "unavailable", detail, headers={"Retry-After": str(RETRY_AFTER_S)}))


def _from_bug(error: Exception) -> Response:
    logger.error("a request failed", exc_info=error)
    return _answer(ProblemError(500, "internal", "The server made a mistake; nothing was kept. It is in its log."))
