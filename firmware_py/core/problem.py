"""The shape of every error over HTTP, at the node and at the city: RFC 9457 problem details. No web framework here.

`code` is stable and for machines, `title` says in English what kind it is, `detail` says what happened, what was kept and
what to do; `errors` lists the parts of the request that are wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field, ValidationError

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
MAX_ERRORS = 20


class WrongPart(BaseModel):
    """A part of a request that is wrong."""

    field: str = Field(description="Where it stands, with dots between the parts; empty: the whole")
    text: str = Field(description="What is wrong with it, in English")


class Problem(BaseModel):
    """An RFC 9457 problem: what every error is answered with."""

    type: str = Field(description="urn:nucuoi:problem: and the code")
    title: str = Field(description="The kind of problem, in English")
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What happened, what was kept, and what to do")
    code: str = Field(description="Stable, for machines")
    errors: list[WrongPart] | None = Field(default=None, description="The parts of the request that are wrong, if any")


def problem_body(
    status: int, code: str, detail: str, *, title: str | None = None, errors: Sequence[WrongPart] = ()
) -> bytes:
    """The document as it travels. Half a surrogate pair, quoted from a request, cannot break it."""
    problem = Problem(
        type=f"urn:nucuoi:problem:{code}",
        title=title or HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        errors=list(errors) or None,
    )
    members = problem.model_dump(exclude_none=True)
    return json.dumps(members, ensure_ascii=False).encode(errors="backslashreplace")


def wrong_parts(error: ValidationError) -> list[WrongPart]:
    """Where and what, never the input itself: it may be large, or what should not be in a log."""
    found = error.errors(include_input=False, include_url=False, include_context=False)[:MAX_ERRORS]
    return [WrongPart(field=".".join(map(str, part["loc"])), text=part["msg"]) for part in found]


def problem_answers(statuses: Iterable[int]) -> dict[str, dict[str, Any]]:
    """How an OpenAPI document (3.1) describes error answers; it must have `Problem` among its components."""
    return {str(status): _described(status) for status in sorted(set(statuses))}


def _described(status: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        told["headers"] = {
            "Retry-After": {"description": "Seconds after which to try again", "schema": {"type": "integer"}}
        }
    return told
