"""GET /api/v1/devices and /api/v1/outbox: the hardware, and what the city lacks, as figures."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response, jsonify

from firmware_py.core.ports import NodePort


def devices_blueprint(node: NodePort) -> Blueprint:
    """The devices and the outbox of `node`."""
    area = Blueprint("devices", __name__)

    @area.get("/api/v1/devices")
    def devices() -> Response:
        return jsonify(
            devices=[
                {**asdict(status), "state": "AVAILABLE" if status.available else "UNAVAILABLE"}
                for status in node.devices.statuses()
            ]
        )

    @area.get("/api/v1/outbox")
    def outbox() -> Response:
        return jsonify(asdict(node.outbox()))

    return area
