"""GET /api/v1/openapi.json: the node's interface, written from the models that validate it (flask-openapi3)."""

from __future__ import annotations

from typing import Any, NoReturn, cast

from flask import Response
from flask_openapi3 import APIBlueprint, Info, OpenAPI
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, ValidationError

from firmware_py.core.problem import Problem, problem_answers

DOCUMENT_PATH = "/api/v1/openapi.json"


def problems(*statuses: int) -> ResponseDict:
    """A route's error answers, and those that any route can give."""
    return cast("ResponseDict", problem_answers([*statuses, *_ANYWHERE]))


#: An unknown `?lang=`, a body where none belongs, another Host, a fault of the node.
_ANYWHERE = (400, 413, 421, 500)


def text_answer(content_type: str, description: str) -> dict[str, Any]:
    """An answer that is no JSON."""
    return {"description": description, "content": {content_type: {"schema": {"type": "string"}}}}


def answer(model: BaseModel, status: int = 200) -> Response:
    """A model as the answer: by construction it has the documented shape."""
    return Response(model.model_dump_json(by_alias=True), status, content_type="application/json")


def api_app(import_name: str, version: str) -> OpenAPI:
    """A Flask application that knows its own interface, without the library's own pages."""
    return OpenAPI(
        import_name,
        info=Info(title="Nụ Cười: node", version=version),
        security_schemes={},  # None would be written as null, which is no object
        doc_ui=False,
        validation_error_model=Problem,  # what every error refers to; listed among the components by this
        validation_error_callback=_never,
    )


def document_blueprint(app: OpenAPI) -> APIBlueprint:
    """The route of the document itself."""
    area = APIBlueprint("openapi", __name__)

    @area.get(DOCUMENT_PATH, doc_ui=False)
    def document() -> dict[str, Any]:
        return app.api_doc

    return area


def _never(error: ValidationError) -> NoReturn:
    """Every input refuses by itself (`inputs.Input`)."""
    raise TypeError(f"{error.title} is annotated in a route and is no Input") from error
