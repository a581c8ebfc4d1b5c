"""Reading a JSON body strictly: the right content type, UTF-8, real JSON, and exactly the fields of a model."""

from __future__ import annotations

from typing import TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, ValidationError

from local_api.problems import ProblemError

MAX_BODY_BYTES = 16 * 1024
JSON_TYPE = "application/json"


class Body(BaseModel):
    """The base of all request bodies: an unknown field is an error, and "5" is not 5."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


B = TypeVar("B", bound=Body)


def read_body(model: type[B]) -> B:
    """The request's body as `model`.

    Raises:
        ProblemError: 415 for another content type, 400 for what is no JSON, 422 for fields that do not fit.
        RequestEntityTooLarge: more than `MAX_BODY_BYTES`.
    """
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != JSON_TYPE or charset != "utf-8" or request.content_encoding:
        raise ProblemError(
            415,
            "unsupported_media_type",
            "Unsupported Media Type",
            f"Send the body as Content-Type: {JSON_TYPE}, in UTF-8, without Content-Encoding.",
        )
    try:
        # pydantic reads the bytes itself: bad UTF-8, NaN and deep nesting are its errors, not ours to crash on.
        return model.model_validate_json(request.get_data(cache=False))
    except ValidationError as error:
        raise _problem_of(error) from None


def _problem_of(error: ValidationError) -> ProblemError:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return ProblemError(400, "not_json", "Not JSON", f"The body is no JSON text in UTF-8: {found[0]['msg']}.")
    errors = [{"field": ".".join(str(part) for part in one["loc"]), "text": one["msg"]} for one in found]
    return ProblemError(
        422,
        "invalid_body",
        "Invalid body",
        "Some fields of the body are missing or wrong; see `errors`.",
        errors=errors,
    )
