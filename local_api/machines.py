"""What only machines read: /metrics and the buckets. Never the hall's network.

Who asks every second sees which level went up since a second ago, and can look who is at the counter: that is a vote. So
these answer this computer only (a Prometheus on it, a tunnel to it) and nobody whom a proxy speaks for, until callers can show
a credential.
"""

from __future__ import annotations

from typing import TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, ValidationError

from local_api.guard import from_this_computer
from local_api.problems import ProblemError


class Query(BaseModel):
    """The base of all queries: an unknown name is an error, or a misspelt `after` would start from the beginning."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Q = TypeVar("Q", bound=Query)


def require_this_computer() -> None:
    """For the routes of this module.

    Raises:
        ProblemError: 403, the request is not from this computer.
    """
    if not from_this_computer():
        raise ProblemError(
            403,
            "loopback_only",
            "Only from this computer",
            "Figures by level are not for the hall's network: ask on the node itself, or through a tunnel to it.",
        )


def read_query(model: type[Q]) -> Q:
    """The request's query as `model`.

    Raises:
        ProblemError: 422, with the names that do not fit.
    """
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise ProblemError(
            422,
            "invalid_query",
            "Invalid query",
            "Some arguments of the query are unknown or wrong; see `errors`.",
            errors=[{"field": ".".join(str(part) for part in one["loc"]), "text": one["msg"]} for one in found],
        ) from None
