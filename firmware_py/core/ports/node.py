"""A running node as the local API sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

from pydantic import SecretStr

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


@dataclass(frozen=True, slots=True)
class BucketPage:
    """Buckets that changed, as they stand on the sync wire, in one state of the journal.

    What belongs together is in one page, so who applies a page in one transaction sees no half of a correction. `next` is
    where to go on; `more`: there is something there already.
    """

    buckets: Sequence[Mapping[str, Any]]
    next: str
    more: bool


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
    def pull_token(self) -> SecretStr | None:
        """What the city's machines send to read figures by level; None: they answer this computer only."""
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

    def buckets(self, after: str, limit: int) -> BucketPage:
        """What changed after the place `after` (empty, or of a history that is not this one: everything, from the start).

        About `limit` buckets; more where they belong together.

        Raises:
            BadCursor: `after` is no place that any node names.
        """
        ...
