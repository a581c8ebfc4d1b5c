"""What the scoreboard's routes have in common: reading a request's arguments, and finding the site they name."""

from __future__ import annotations

from typing import TypeVar

from flask import request
from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlalchemy import Connection

from sync.protocol import Name
from sync.receiver.periods import PeriodName
from sync.receiver.problems import ProblemError
from sync.receiver.reading import Scope, read_scope

#: What machines get without a period, as ever; and what people see first: enough ratings for a comparison, and still news.
MACHINES_PERIOD: PeriodName = "all"
PEOPLES_PERIOD: PeriodName = "30d"

M = TypeVar("M", bound=BaseModel)
_name = TypeAdapter[str](Name)


def parse(model: type[M]) -> M:
    """The request's arguments.

    Raises:
        ProblemError: 400, an argument that says nothing.
    """
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = ".".join(map(str, found["loc"]))
        text = found["msg"].removeprefix("Value error, ")
        raise ProblemError(400, "argument", f"`{name}`: {text}." if name else f"{text}.") from error


def one_site(connection: Connection, site: str, *, simulated: bool) -> Scope:
    """A registered site.

    Raises:
        ProblemError: 404.
    """
    unknown = ProblemError(404, "not_found", "No node of such a site is registered here.")
    try:
        scope = read_scope(connection, _name.validate_python(site), simulated=simulated)
    except ValidationError as error:
        raise unknown from error
    if not scope.nodes:
        raise unknown
    return scope
