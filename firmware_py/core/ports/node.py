"""A running node as the local API sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from config.settings import Settings
from firmware_py.core.clock import Clock
from firmware_py.core.health import CheckResult
from firmware_py.core.ports.devices import DevicePort
from firmware_py.core.ports.journal import JournalPort


@dataclass(frozen=True, slots=True)
class OutboxFigures:
    """What the city has not accepted yet."""

    pending: int
    oldest_age_s: float | None
    last_accepted_at: str | None
    rejected: int


CityState = Literal["up", "down", "slow", "error", "portal"]
"""As it should be, nobody there, answers seconds late, HTTP 500, a login page that says 200."""
CITY_STATES: tuple[CityState, ...] = get_args(CityState)


class CityFaults(Protocol):
    """Simulation only: what the path to the embedded city does to the node's calls."""

    @property
    def state(self) -> str:
        """One of `CITY_STATES`."""
        ...

    def set(self, state: str) -> None:
        """Raises ValueError for an unknown state."""
        ...


class NodePort(Protocol):
    """A running node, as the local API sees it."""

    @property
    def settings(self) -> Settings:
        """The site file."""
        ...

    @property
    def version(self) -> str:
        """The product's version."""
        ...

    @property
    def clock(self) -> Clock:
        """The node's clock."""
        ...

    @property
    def journal(self) -> JournalPort:
        """The journal."""
        ...

    @property
    def devices(self) -> DevicePort:
        """All devices."""
        ...

    @property
    def city_faults(self) -> CityFaults | None:
        """None unless the city is the embedded one of a simulation."""
        ...

    @property
    def city_url(self) -> str:
        """Where the city's scoreboard can be read (for the embedded one: its own address, not the faulty path)."""
        ...

    def health(self) -> Sequence[CheckResult]:
        """All checks, run now, none longer than its deadline."""
        ...

    def ready(self) -> str | None:
        """None when presses are taken; else why not."""
        ...

    def outbox(self) -> OutboxFigures:
        """The outbox's figures."""
        ...
