"""GET /livez, /readyz and /api/v1/health: does it run, does it take presses, and how is everything."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from firmware_py.core.health import worst
from firmware_py.core.ports import NodePort
from local_api.problems import RETRY_AFTER_S, ProblemError


def health_blueprint(node: NodePort) -> Blueprint:
    """The health routes of `node`."""
    area = Blueprint("health", __name__)

    @area.get("/livez")
    def livez() -> Response:
        return jsonify(status="alive")

    @area.get("/readyz")
    def readyz() -> Response:
        reason = node.ready()
        if reason is not None:
            raise ProblemError(503, "not_ready", "Not ready", reason, retry_after_s=RETRY_AFTER_S)
        return jsonify(status="ready")

    @area.get("/api/v1/health")
    def health() -> Response:
        results = node.health()
        # 200 whatever is found: the question was answered. Who wants a status code asks /readyz.
        return jsonify(
            status=worst(results).name.lower(),
            version=node.version,
            checks=[
                {
                    "name": result.name,
                    "status": result.status.name.lower(),
                    "text": result.text,
                    "figures": result.figures,
                }
                for result in results
            ],
        )

    return area
