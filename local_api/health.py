"""GET /livez, /readyz and /api/v1/health: does it run, does it take presses, and how is everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from firmware_py.core.health import Status, worst
from firmware_py.core.ports import NodePort
from firmware_py.core.problem import RETRY_AFTER_S
from local_api.openapi import answer, problems
from local_api.problems import ProblemError

StatusName = Literal["pass", "warn", "fail"]
STATUS_NAMES: Mapping[Status, StatusName] = {Status.PASS: "pass", Status.WARN: "warn", Status.FAIL: "fail"}


class Alive(BaseModel):
    """The server answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """Presses are taken."""

    status: Literal["ready"] = "ready"


class HealthCheck(BaseModel):
    """One check, run for this answer."""

    name: str
    status: StatusName
    text: str = Field(description="In Vietnamese, for people")
    figures: dict[str, float | int | str | None] = Field(description="Numbers with their units in their names")


class Health(BaseModel):
    """All checks. `status` is the worst of them."""

    status: StatusName
    version: str
    checks: list[HealthCheck]


def health_blueprint(node: NodePort) -> APIBlueprint:
    """The health routes of `node`."""
    area = APIBlueprint("health", __name__, abp_tags=[Tag(name="health")], abp_responses=problems())

    @area.get("/livez", responses={200: Alive})
    def livez() -> Response:
        """Whether the server answers at all."""
        return answer(Alive())

    @area.get("/readyz", responses={200: Ready, **problems(503)})
    def readyz() -> Response:
        """Whether presses are taken."""
        reason = node.ready()
        if reason is not None:
            raise ProblemError(503, "not_ready", "Not ready", reason, retry_after_s=RETRY_AFTER_S)
        return answer(Ready())

    @area.get("/api/v1/health", responses={200: Health})
    def health() -> Response:
        """Run all checks. 200 whatever is found: the question was answered; who wants a status code asks /readyz."""
        results = node.health()
        checks = [
            HealthCheck(name=result.name, status=STATUS_NAMES[result.status], text=result.text, figures=result.figures)
            for result in results
        ]
        return answer(Health(status=STATUS_NAMES[worst(results)], version=node.version, checks=checks))

    return area
