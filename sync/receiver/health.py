"""GET /livez and /readyz of the city."""

from __future__ import annotations

from typing import Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from sqlalchemy import Engine

from sync.receiver.openapi import answer, problems
from sync.receiver.tables import store_id


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """The database answers."""

    status: Literal["ready"] = "ready"
    store: str = Field(description="The id of the database's history: see the answer to a batch")


def health_blueprint(engine: Engine) -> APIBlueprint:
    """What a watchdog asks."""
    area = APIBlueprint("health", __name__, abp_tags=[Tag(name="health")], abp_responses=problems())

    @area.get("/livez", responses={200: Alive})
    def livez() -> Response:
        """Whether the process answers."""
        return answer(Alive())

    @area.get("/readyz", responses={200: Ready})
    def readyz() -> Response:
        """Whether its database does."""
        with engine.begin() as connection:
            return answer(Ready(store=store_id(connection)))

    return area
