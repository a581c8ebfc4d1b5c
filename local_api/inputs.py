"""What comes in, as pydantic models that refuse by themselves: each kind of input has one problem for what does not fit.

flask-openapi3 hands a route's annotated `body`, `query`, `header` and `path` to these models, and writes openapi.json from
the same: what is documented is what is enforced. Reading a JSON body is stricter than Flask's: the right content type,
UTF-8, real JSON (no NaN), an object.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, NoReturn, Self

from flask import Request
from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import from_json

from firmware_py.core.problem import WrongPart, wrong_parts
from local_api.problems import ProblemError

MAX_BODY_BYTES = 16 * 1024
JSON_TYPE = "application/json"


class Input(BaseModel):
    """One part of a request. What does not fit is a problem of the status, code and title that its class names."""

    model_config = ConfigDict(frozen=True)
    refusal: ClassVar[tuple[int, str, str]] = (400, "bad_request", "Bad request")
    advice: ClassVar[str] = "Some parts of the request are missing or wrong; see `errors`."

    @model_validator(mode="wrap")
    @classmethod
    def _refuse(cls, given: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return validate(given)
        except ValidationError as error:
            cls.refuse(wrong_parts(error))

    @classmethod
    def refuse(cls, errors: Sequence[WrongPart] = ()) -> NoReturn:
        """Answer with this kind of input's problem."""
        raise ProblemError(*cls.refusal, cls.advice, errors=errors) from None

    @classmethod
    @cache  # flask-openapi3 asks for it at every request with a query or a header
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:  # type: ignore[override] # passed on
        """The JSON schema of this input."""
        return super().model_json_schema(*args, **options)


class Body(Input):
    """A JSON body: an unknown field is an error, and "5" is not 5."""

    model_config = ConfigDict(extra="forbid", strict=True)
    refusal = (422, "invalid_body", "Invalid body")
    advice = "Some fields of the body are missing or wrong; see `errors`."


class Query(Input):
    """The arguments of an address: an unknown one is an error, or a misspelt one would change nothing, unseen."""

    model_config = ConfigDict(extra="forbid")
    refusal = (422, "invalid_query", "Invalid query")
    advice = "Some arguments of the address are unknown or wrong; see `errors`."

    @model_validator(mode="before")
    @classmethod
    def _any_language(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Every address may name the language of its answer (`languages`)."""
        return {name: value for name, value in given.items() if name != "lang"}


class Headers(Input):
    """The headers that a route needs."""

    refusal = (400, "bad_header", "Bad header")
    advice = "A header is missing or wrong; see `errors`."


class Path(Input):
    """The parts of a path. What cannot be an id names nothing here."""

    refusal = (404, "not_found", "Not Found")
    advice = "There is nothing here."


class StrictRequest(Request):
    """A request whose JSON is read strictly, whoever asks: flask-openapi3 asks silently and would take anything."""

    def get_json(self, *_args: Any, **_options: Any) -> dict[str, Any]:
        """The body's JSON object, whatever Flask's options say.

        Raises:
            ProblemError: 415 for another content type, 400 for what is no JSON, 422 for JSON that is no object.
            RequestEntityTooLarge: more than `MAX_BODY_BYTES`.
        """
        charset = self.mimetype_params.get("charset", "utf-8").lower()
        if self.mimetype != JSON_TYPE or charset != "utf-8" or self.content_encoding:
            raise ProblemError(
                415,
                "unsupported_media_type",
                "Unsupported Media Type",
                f"Send the body as Content-Type: {JSON_TYPE}, in UTF-8, without Content-Encoding.",
            )
        try:
            document = from_json(self.get_data(cache=False), allow_inf_nan=False)
        except ValueError as error:
            raise ProblemError(400, "not_json", "Not JSON", f"The body is no JSON text in UTF-8: {error}.") from None
        if not isinstance(document, dict):
            Body.refuse([WrongPart(field="", text="Input should be an object")])
        return document
