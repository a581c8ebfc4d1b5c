"""Errors as RFC 9457 problem details (`core.problem`): one shape for whatever goes wrong, and never a traceback.

A failure inside the node is logged and answered as 500 without its cause.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from firmware_py.core.errors import NuCuoiError
from firmware_py.core.problem import CONTENT_TYPE, WrongPart, problem_body

_log = logging.getLogger(__name__)


class ProblemError(NuCuoiError):
    """A request that gets a problem for an answer. `retry_after_s` is for what passes by itself."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        *,
        errors: Sequence[WrongPart] = (),
        retry_after_s: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.errors = errors
        self.retry_after_s = retry_after_s
        self.headers = headers or {}


def answer_with_problems(app: Flask) -> None:
    """Register the handlers: from now on every error of `app` is a problem."""
    app.register_error_handler(ProblemError, _for_problem)
    app.register_error_handler(HTTPException, _for_http_error)
    app.register_error_handler(Exception, _for_failure)


def _for_problem(error: ProblemError) -> Response:
    body = problem_body(error.status, error.code, error.detail, title=error.title, errors=error.errors)
    response = Response(body, error.status, content_type=CONTENT_TYPE)
    response.headers.update(error.headers)
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _for_http_error(error: HTTPException) -> Response:
    """What Flask itself refuses: 404, 405 (with its Allow), 413, ... A redirect stays one."""
    response = Response(headers=list(error.get_headers()))
    response.status_code = error.code or 500
    if response.status_code >= 400:
        code = error.name.lower().replace(" ", "_")
        response.data = problem_body(response.status_code, code, error.description or error.name, title=error.name)
        response.content_type = CONTENT_TYPE
    return response


def _for_failure(error: Exception) -> Response:
    _log.error("a request failed inside the node", exc_info=error)
    detail = "Something failed inside the node; its log says what. Nothing was acknowledged."
    return Response(problem_body(500, "internal_error", detail), 500, content_type=CONTENT_TYPE)
