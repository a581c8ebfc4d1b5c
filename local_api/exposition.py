"""The node as metric families, made anew for each scrape from what the node knows: nothing is counted here.

A registry of our own, and none of the library's global state. What counts ratings is in `rating_metrics`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from firmware_py.core.clock import parse_iso
from firmware_py.core.health import Check, CheckResult, Status, run_check
from firmware_py.core.ports import NodePort
from local_api.rating_metrics import rating_families, time_families

TOTALS_WITHIN_S = 3.0  # of the ten that Prometheus waits by default
HEALTH_WITHIN_S = 3.0


def expose(node: NodePort, accept: str) -> tuple[bytes, str]:
    """The exposition in the format that `accept` asks for, and its content type.

    Raises:
        JournalError: the node is stopping.
    """
    registry = CollectorRegistry()
    registry.register(_NodeCollector(node))
    # Made anew: it reads the time of boot when it is made, which is wrong until the clock is set.
    registry.register(ProcessCollector(registry=None))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _NodeCollector(Collector):
    """All families of one node."""

    def __init__(self, node: NodePort) -> None:
        self._node = node

    def collect(self) -> Iterator[Metric]:
        yield from _identity(self._node)
        yield from self._totals()
        yield from _devices(self._node)
        yield from _outbox(self._node)
        yield from _state(self._node)
        yield _health(self._node)

    def _totals(self) -> Iterator[Metric]:
        """What is counted over the node's whole life; left out, and never too small, until the past is added up."""
        totals = self._node.journal.totals(TOTALS_WITHIN_S)
        yield _gauge(
            "nucuoi_totals_complete",
            "Whether the past is added up; until then its counters are left out.",
            totals is not None,
        )
        if totals is not None:
            own = [one for one in totals if one.simulated == _simulation(self._node)]
            yield from rating_families(self._node.settings, own)
            yield from time_families(own)


def _simulation(node: NodePort) -> bool:
    return node.settings.site.mode == "simulation"


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _identity(node: NodePort) -> Iterator[Metric]:
    yield InfoMetricFamily("nucuoi_build", "The product's version.", {"version": node.version})
    site = node.settings.site
    who = {"site": site.id, "node": node.settings.node.id, "mode": site.mode}
    yield InfoMetricFamily("nucuoi_node", "Which node this is. Figures of a simulation are nobody's ratings.", who)


def _devices(node: NodePort) -> Iterator[Metric]:
    up = GaugeMetricFamily("nucuoi_device_up", "Whether a device can be used.", labels=["device", "kind"])
    faults = GaugeMetricFamily(
        "nucuoi_device_faults", "Buttons of a device that are cut off.", labels=["device", "kind"]
    )
    for status in node.devices.statuses():
        up.add_metric([status.id, status.kind], float(status.available))
        faults.add_metric([status.id, status.kind], len(status.faults))
    yield up
    yield faults


def _outbox(node: NodePort) -> Iterator[Metric]:
    figures = node.outbox()
    yield _gauge(
        "nucuoi_outbox_buckets", "Buckets that the city has not accepted in their latest revision.", figures.pending
    )
    yield _gauge(
        "nucuoi_outbox_rejected_buckets", "Buckets that the city refused: kept until they change.", figures.rejected
    )
    yield _gauge(
        "nucuoi_outbox_oldest_age_seconds",
        "How long the oldest of them has waited; 0 if none does.",
        figures.oldest_age_s or 0,
    )
    last = figures.last_accepted_at
    yield _gauge(
        "nucuoi_sync_last_success_timestamp_seconds",
        "When the city last accepted something, by the node's clock; 0 if never.",
        0 if last is None else parse_iso(last).timestamp(),
    )


def _state(node: NodePort) -> Iterator[Metric]:
    yield _gauge("nucuoi_ready", "Whether presses are taken.", node.ready() is None)
    yield _gauge(
        "nucuoi_clock_trusted",
        "Whether the time is known; until then ratings wait.",
        node.clock.now().trusted,
    )
    yield CounterMetricFamily(
        "nucuoi_journal_events", "Events of the journal, of all kinds.", value=node.journal.bus.head
    )


def _health(node: NodePort) -> Metric:
    family = GaugeMetricFamily("nucuoi_health_status", "What a check found: 0 pass, 1 warn, 2 fail.", labels=["check"])
    for result in _checks(node):
        family.add_metric([result.name], result.status.value)
    return family


def _checks(node: NodePort) -> Sequence[CheckResult]:
    """All checks; where they take too long that itself is what was found, and the other figures still come in time."""
    found: list[CheckResult] = []

    def run() -> CheckResult:
        found.extend(node.health())
        return CheckResult("health", Status.PASS, "")

    all_ran = run_check(Check("health", run, HEALTH_WITHIN_S))
    return found if all_ran.status is Status.PASS else [all_ran]
