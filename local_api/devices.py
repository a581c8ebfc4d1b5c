"""GET /api/v1/devices and /api/v1/outbox: the hardware, and what the city lacks, as figures."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from firmware_py.core.ports import DeviceStatus, NodePort
from local_api.openapi import answer, problems


class Device(BaseModel):
    """A piece of hardware of the site file, and how it is."""

    id: str
    kind: str
    counter: str | None
    wire: str = Field(description="The bus that carries it; simulated: its far end is drawn on the simulator page")
    simulated: bool
    available: bool
    state: Literal["AVAILABLE", "UNAVAILABLE"]
    reason: str = Field(description="Empty when available; else why not and what to do, in Vietnamese")
    light: Literal["ready", "thanks", "unavailable"] | None = Field(description="null for devices without lights")
    faults: list[str] = Field(description="Parts that were cut off while the rest works, such as a stuck button")
    since: str | None = Field(description="The last change, by the node's clock (ISO 8601, UTC)")


class Devices(BaseModel):
    """All devices, in the site file's order."""

    devices: list[Device]


class Outbox(BaseModel):
    """What the city has not accepted in its latest revision."""

    pending: int = Field(description="Buckets")
    oldest_age_s: float | None = Field(description="Since when the oldest of them waits; null: nothing waits")
    last_accepted_at: str | None = Field(description="null: the city accepted nothing yet")
    rejected: int = Field(description="Buckets that the city refused; kept until they change")


def devices_blueprint(node: NodePort) -> APIBlueprint:
    """The devices and the outbox of `node`."""
    area = APIBlueprint("devices", __name__, abp_tags=[Tag(name="devices")], abp_responses=problems())

    @area.get("/api/v1/devices", responses={200: Devices})
    def devices() -> Response:
        """Every device, and why one is not available."""
        return answer(Devices(devices=[_device(status) for status in node.devices.statuses()]))

    @area.get("/api/v1/outbox", responses={200: Outbox})
    def outbox() -> Response:
        """What the city has not accepted yet."""
        return answer(Outbox(**asdict(node.outbox())))

    return area


def _device(status: DeviceStatus) -> Device:
    return Device.model_validate({**asdict(status), "state": "AVAILABLE" if status.available else "UNAVAILABLE"})
