"""GET /v1/openapi.json: the city's interface, written from the models that validate it (flask-openapi3)."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, NoReturn, cast

from flask import Response
from flask_openapi3 import APIBlueprint, Info, OpenAPI
from flask_openapi3.models import Schema
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, ValidationError

from firmware_py.core.problem import Problem, problem_answers, wrong_parts
from sync.protocol import SCHEMA, Batch, WireBucket
from sync.receiver.problems import ProblemError

DOCUMENT_PATH = "/v1/openapi.json"
REFERENCE = "#/components/schemas/{model}"
BEARER: list[dict[str, list[str]]] = [{"bearer": []}]
READER: list[dict[str, list[str]]] = [{"bearer": []}, {"basic": []}]


def problems(*statuses: int) -> ResponseDict:
    """A route's error answers, and those that any route can give: a fault, and a database that cannot just now."""
    return cast("ResponseDict", problem_answers([*statuses, 500, 503]))


def answer(model: BaseModel) -> Response:
    """A model as the answer: by construction it has the documented shape."""
    return Response(model.model_dump_json(), content_type="application/json")


def api_app(import_name: str) -> OpenAPI:
    """A Flask application that knows its own interface, without the library's own pages."""
    app = OpenAPI(
        import_name,
        info=Info(title="Nụ Cười: city scoring server", version=version("nucuoi")),
        security_schemes={
            "bearer": {"type": "http", "scheme": "bearer", "description": "A node's or a reader's token"},
            "basic": {"type": "http", "scheme": "basic", "description": "A reader's name and its token"},
        },
        doc_ui=False,
        validation_error_model=Problem,  # what every error refers to; listed among the components by this
        validation_error_callback=_refuse,
    )
    _list_component(app, WireBucket)  # a batch's buckets are looked at one by one, so no route names it
    return app


def document_blueprint(app: OpenAPI) -> APIBlueprint:
    """The route of the document itself."""
    area = APIBlueprint("openapi", __name__)

    @area.get(DOCUMENT_PATH, doc_ui=False)
    def document() -> dict[str, Any]:
        return app.api_doc

    return area


def _list_component(app: OpenAPI, model: type[BaseModel]) -> None:
    schema = model.model_json_schema(ref_template=REFERENCE)
    for name, part in {**schema.pop("$defs", {}), model.__name__: schema}.items():
        app.components_schemas[name] = Schema(**part)


def _refuse(error: ValidationError) -> NoReturn:
    """What does not fit a route's model.

    Raises:
        ProblemError: 422 for a body, 400 for the arguments of an address.
    """
    if error.title == Batch.__name__:
        detail = f"This is no batch of schema {SCHEMA}: see `errors`."
        raise ProblemError(422, "batch", detail, errors=wrong_parts(error)) from error
    raise ProblemError(400, "argument", "Arguments of the address are wrong: see `errors`.", errors=wrong_parts(error))
