"""/api/v1/simulate/...: the hand, the plug and the broken line. Only in simulation mode, only from this computer."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from firmware_py.core.errors import WireError
from firmware_py.core.ports import CityState, NodePort, SimulatedWire
from firmware_py.core.problem import RETRY_AFTER_S
from local_api.guard import from_this_computer
from local_api.inputs import Body, Path
from local_api.openapi import answer, problems
from local_api.problems import ProblemError

MAX_LONG_HOLDS = 8
LONG_HOLD_S = 1.0
BUSY_S = 1.0  # how long a press waits for the finger that is on its button
BOUNCE_S = 0.002  # about what one contact bounce lasts on a simulated wire


class PressBody(Body):
    """A finger on a button: `button` is the level, `bounces` contact bounces at each edge."""

    button: int = Field(ge=0, le=255)
    bounces: int = Field(default=0, ge=0, le=2000)
    hold_s: float = Field(default=0.1, ge=0, le=60, allow_inf_nan=False)

    @property
    def takes_s(self) -> float:
        """Roughly how long the press keeps a thread."""
        return self.hold_s + 2 * self.bounces * BOUNCE_S


class CityBody(Body):
    """What the path to the city shall do to the node's calls."""

    state: CityState


class DevicePath(Path):
    """A device of the site file."""

    device_id: str = Field(min_length=1, max_length=64)


class Frame(BaseModel):
    """What went over a simulated bus; what was said again and again stands once, with its `times`."""

    uptime_s: float
    direction: Literal["to_panel", "to_node"]
    text: str
    times: int


class FarEnd(BaseModel):
    """What could be seen, by hand and with a multimeter, at the far end of a simulated wire."""

    device: str
    plugged: bool
    lights: dict[str, bool]
    buttons: dict[int, bool] = Field(description="By level; true while it is held")
    frames: list[Frame] = Field(description="Empty on a wire that carries none")


class Pressed(BaseModel):
    """A button was pressed and let go."""

    device: str
    button: int


class Plugged(BaseModel):
    """Whether the device is plugged in now."""

    device: str
    plugged: bool


class CityLine(BaseModel):
    """What the path to the city does now."""

    state: CityState


def require_simulation(node: NodePort) -> None:
    """For pages and routes of the simulator.

    Raises:
        ProblemError: 403, this is a real centre, or the request is not from this computer.
    """
    if node.settings.site.mode != "simulation":
        raise ProblemError(
            403, "simulation_only", "Only in simulation", "This is a real centre: nothing here can be simulated."
        )
    if not from_this_computer():
        raise ProblemError(
            403, "loopback_only", "Only from this computer", "The simulator answers on the node itself only."
        )


class Fingers:
    """Presses on simulated wires: each keeps a server thread, so only a few may be long, and none may wait for long."""

    def __init__(self, max_long: int = MAX_LONG_HOLDS) -> None:
        self._max_long = max_long
        self._long = threading.BoundedSemaphore(max_long)
        self._buttons: defaultdict[tuple[str, int], threading.Lock] = defaultdict(threading.Lock)

    def press(self, device_id: str, wire: SimulatedWire, body: PressBody) -> None:
        """Press and let go again.

        Raises:
            ProblemError: 503, too many buttons are held; 409, another finger is on the button, or the wire cannot do that.
        """
        button = self._buttons[device_id, body.button]
        if not button.acquire(timeout=BUSY_S):
            raise ProblemError(
                409, "panel_busy", "Panel busy", "This button is held down already. Press another, or try again later."
            )
        try:
            self._press(wire, body)
        finally:
            button.release()

    def _press(self, wire: SimulatedWire, body: PressBody) -> None:
        if body.takes_s <= LONG_HOLD_S:
            _on_wire(lambda: wire.press(body.button, bounces=body.bounces, hold_s=body.hold_s))
            return
        if not self._long.acquire(blocking=False):
            raise ProblemError(
                503,
                "too_many_holds",
                "Too many buttons held",
                f"{self._max_long} buttons are already held. Let one go, or try again later.",
                retry_after_s=RETRY_AFTER_S,
            )
        try:
            _on_wire(lambda: wire.press(body.button, bounces=body.bounces, hold_s=body.hold_s))
        finally:
            self._long.release()


def simulate_blueprint(node: NodePort) -> APIBlueprint:
    """The simulation routes of `node`."""
    area = APIBlueprint(
        "simulate",
        __name__,
        url_prefix="/api/v1/simulate",
        abp_tags=[Tag(name="simulation", description="Only in simulation mode, only from this computer")],
        abp_responses=problems(403),
    )
    fingers = Fingers()
    area.before_request(lambda: require_simulation(node))

    @area.get("/devices/<device_id>", responses={200: FarEnd, **problems(404)})
    def see(path: DevicePath) -> Response:
        """What is to be seen at the far end of a simulated wire."""
        far = _wire_of(node, path.device_id).snapshot()
        return answer(FarEnd(device=path.device_id, **far))

    @area.post("/devices/<device_id>/press", responses={200: Pressed, **problems(404, 409, 415, 422, 503)})
    def press(path: DevicePath, body: PressBody) -> Response:
        """Press a button and let it go; answered when it is released."""
        fingers.press(path.device_id, _wire_of(node, path.device_id), body)
        return answer(Pressed(device=path.device_id, button=body.button))

    @area.post("/devices/<device_id>/unplug", responses={200: Plugged, **problems(404, 409)})
    def unplug(path: DevicePath) -> Response:
        """Pull the plug."""
        _on_wire(_wire_of(node, path.device_id).unplug)
        return answer(Plugged(device=path.device_id, plugged=False))

    @area.post("/devices/<device_id>/plug", responses={200: Plugged, **problems(404, 409)})
    def plug(path: DevicePath) -> Response:
        """Put the plug back."""
        _on_wire(_wire_of(node, path.device_id).plug)
        return answer(Plugged(device=path.device_id, plugged=True))

    @area.post("/city", responses={200: CityLine, **problems(409, 415, 422)})
    def city(body: CityBody) -> Response:
        """Break the line to the embedded city, or mend it."""
        if node.city_faults is None:
            raise ProblemError(
                409, "no_embedded_city", "No embedded city", "Only the embedded city's line can be broken."
            )
        node.city_faults.set(body.state)
        return answer(CityLine(state=body.state))

    return area


def _wire_of(node: NodePort, device_id: str) -> SimulatedWire:
    wire = node.devices.simulated(device_id)
    if wire is None:
        raise ProblemError(404, "unknown_device", "Unknown device", "No device with this id has a simulated wire here.")
    return wire


def _on_wire(action: Callable[[], None]) -> None:
    try:
        action()
    except WireError as error:
        raise ProblemError(409, "wire_error", "The wire cannot do that", str(error)) from error
