"""The path to the city, composed: the agent and its client, and in a simulation the embedded city with its faulty path."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

from pydantic import SecretStr

from config.rules import EMBEDDED_CITY
from config.settings import Settings
from firmware_py.core.clock import Clock
from firmware_py.core.health import CheckResult, Status
from firmware_py.core.ports import JournalPort
from firmware_py.core.trust import TrustWorker
from firmware_py.embedded_city import EmbeddedCity
from firmware_py.supervisor import Supervisor
from sync.agent import SyncAgent
from sync.city_client import CityClient
from sync.faulty_path import FaultyPath


class CityLink:
    """What takes the outbox to the city. Without a credential it takes nothing: presses are kept, and health says so."""

    def __init__(
        self,
        settings: Settings,
        data_dir: Path,
        supervisor: Supervisor,
        clock: Clock,
        *,
        receiver_port: int,
        token: SecretStr | None,
    ) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._clock = clock
        self._token = token.get_secret_value() if token is not None else None
        self._agent: SyncAgent | None = None
        self._embedded: EmbeddedCity | None = None
        self.faults: FaultyPath | None = None
        if settings.city.url == EMBEDDED_CITY:
            self._token = self._token or secrets.token_urlsafe(24)
            self._embedded = EmbeddedCity(
                data_dir,
                receiver_port or free_port(),
                site=settings.site.id,
                node=settings.node.id,
                token=self._token,
                when_ready=self._start_agent,
            )
            self.faults = FaultyPath(self._embedded.url, clock.uptime_s)

    @property
    def scoreboard_url(self) -> str:
        """Where the city's scoreboard can be read: the embedded city itself, not the faulty path to it."""
        return self._embedded.url if self._embedded else self._settings.city.url

    def start(self, journal: JournalPort, trust: TrustWorker) -> None:
        """Begin to send. An embedded city says when there is somebody to send to."""
        if self._token is None:
            return
        city = self._settings.city
        client = CityClient(
            self.faults.url if self.faults else city.url,
            self._token,
            site=self._settings.site.id,
            node=self._settings.node.id,
            connect_timeout_s=city.connect_timeout_s,
            read_timeout_s=city.read_timeout_s,
            ca_file=city.ca_file,
        )
        self._agent = SyncAgent(
            journal,
            self._clock,
            client,
            send_every_s=city.send_every_s,
            retry_max_s=city.retry_max_s,
            max_buckets_per_s=city.max_buckets_per_s,
            on_city_time=trust.city_says,
        )
        if self._embedded is None or self.faults is None:
            self._start_agent()
        else:
            self._supervisor.start(self._embedded)
            self._supervisor.start(self.faults)

    def _start_agent(self) -> None:
        """Once, however often the embedded city comes up."""
        if self._agent is not None and self._agent.name not in self._supervisor.states():
            self._supervisor.start(self._agent)

    def check(self) -> CheckResult:
        """The health of the path: what is pending, and since when."""
        if self._embedded is not None and not self._embedded.wait_ready(0):
            return self._embedded.check()
        if self._agent is not None:
            return self._agent.check()
        return CheckResult(
            "sync",
            Status.FAIL,
            "Chưa có mã kết nối máy chủ thành phố (city_token): dữ liệu được giữ lại, chưa gửi được.",
        )

    def close(self) -> None:
        """Free the path's sockets, once the workers have ended; idempotent."""
        if self.faults is not None:
            self.faults.close()


def free_port() -> int:
    """A loopback port that nobody uses now: for a simulated city that may listen anywhere."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
