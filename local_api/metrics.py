"""GET /metrics: the node for Prometheus. See docs/api.md for the names."""

from __future__ import annotations

from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag

from firmware_py.core.errors import JournalError
from firmware_py.core.ports import NodePort
from firmware_py.core.problem import RETRY_AFTER_S
from local_api.machines import require_machine
from local_api.openapi import problems, text_answer
from local_api.problems import ProblemError

EXPOSITION = text_answer("text/plain", "Prometheus' text format, or OpenMetrics where `Accept` asks for it")
EXPOSITION["content"]["application/openmetrics-text"] = {"schema": {"type": "string"}}


def metrics_blueprint(node: NodePort) -> APIBlueprint:
    """The metrics of `node`."""
    area = APIBlueprint("metrics", __name__, abp_tags=[Tag(name="machines")])
    area.before_request(lambda: require_machine(node))

    @area.get("/metrics", responses={200: EXPOSITION, **problems(401, 403, 503)})
    def metrics() -> Response:
        """The node for Prometheus. A scrape costs the same after a year."""
        from local_api.exposition import expose  # noqa: PLC0415 - a node that nobody scrapes does not carry the library

        try:
            body, content_type = expose(node, request.headers.get("Accept", ""))
        except JournalError as error:
            raise ProblemError(503, "not_ready", "Not ready", str(error), retry_after_s=RETRY_AFTER_S) from error
        return Response(body, content_type=content_type)

    return area
