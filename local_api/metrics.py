"""GET /metrics: the node for Prometheus. See docs/api.md for the names."""

from __future__ import annotations

from flask import Blueprint, Response, request

from firmware_py.core.errors import JournalError
from firmware_py.core.ports import NodePort
from local_api.machines import require_this_computer
from local_api.problems import RETRY_AFTER_S, ProblemError


def metrics_blueprint(node: NodePort) -> Blueprint:
    """The metrics of `node`."""
    area = Blueprint("metrics", __name__)

    @area.get("/metrics")
    def metrics() -> Response:
        require_this_computer()
        from local_api.exposition import expose  # noqa: PLC0415 - a node that nobody scrapes does not carry the library

        try:
            body, content_type = expose(node, request.headers.get("Accept", ""))
        except JournalError as error:
            raise ProblemError(503, "not_ready", "Not ready", str(error), retry_after_s=RETRY_AFTER_S) from error
        return Response(body, content_type=content_type)

    return area
