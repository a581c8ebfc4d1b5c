"""The site file's typed settings. Units in names, ranges and choices at the declaration.

INTERFACES fixes the keys; `config.loading` turns every problem of a file into words. Device kinds bring their own
settings (subclasses of `DeviceSettings`), injected by the composition root: this package knows no hardware.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class _Table(BaseModel):
    """A table of the site file: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NodeSettings(_Table):
    """[node]: one Raspberry Pi."""

    id: Id = "hub"
    roles: tuple[Literal["hub", "counter", "kiosk", "display", "speaker"], ...] = ("hub", "counter")


class ApiSettings(_Table):
    """[api]: where the local API listens. Loopback unless configured otherwise."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)


class CitySettings(_Table):
    """[city]: the scoring server. `embedded` runs the reference receiver as a child process (simulation only)."""

    url: str = "embedded"
    send_every_s: float = Field(default=60, ge=0.05, le=3600)
    connect_timeout_s: float = Field(default=5, gt=0, le=120)
    read_timeout_s: float = Field(default=30, gt=0, le=600)
    retry_max_s: float = Field(default=300, ge=0.05, le=86400)
    ca_file: str | None = None  # a certificate authority of the city's own (PEM)


class RatingsSettings(_Table):
    """[ratings]: the scale and the rules of one press after another. Level 1 is the worst, `levels` the best."""

    levels: int = Field(default=5, ge=3, le=5)
    satisfied_from: int = Field(default=4, ge=2, le=5)
    lockout_s: float = Field(default=3, ge=0, le=600)
    correction_s: float = Field(default=5, ge=0, le=60)
    binding: Literal["off", "preferred", "required"] = "off"


class ClockSettings(_Table):
    """[clock]: whose word makes the civil time believed, in order. `host`: the computer's own clock, simulation only."""

    trust: tuple[Literal["host", "network", "hardware", "city"], ...] = ("network", "hardware", "city")


class CounterSettings(_Table):
    """[[counter]]: a desk where an officer serves."""

    id: Id
    name: str = Field(min_length=1, max_length=80)


class DeviceSettings(_Table):
    """[[device]]: what every kind has; a kind adds its own keys in its own subclass."""

    id: Id
    kind: str
    wire: str = Field(min_length=1)
    counter: Id | None = None

    @property
    def simulated(self) -> bool:
        """Whether the bus itself is simulated."""
        return self.wire == "simulated"
