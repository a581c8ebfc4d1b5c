"""GET /metrics: names, types and labels that outside machines rely on, and who may ask."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from fake_node import FakeNode, settings
from flask.testing import FlaskClient
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families
from support.pages import DOCS, section, text_of

from firmware_py.core.errors import JournalClosed
from firmware_py.core.health import CheckResult, Status
from firmware_py.core.ports import OutboxFigures, SeriesTotal
from firmware_py.features.ratings.folding import DELAY
from local_api import exposition
from local_api.app import create_app

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def node() -> FakeNode:
    return FakeNode()


def client(node: FakeNode) -> FlaskClient:
    return create_app(node).test_client()


def scraped(node: FakeNode) -> Samples:
    answer = client(node).get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def labels(**given: str) -> frozenset[tuple[str, str]]:
    return frozenset(given.items())


def total(series: str, *parts: int, definition: int = 1, simulated: bool = True, **given: str) -> SeriesTotal:
    return SeriesTotal(series, given, definition, simulated, parts)


def test_every_promised_name_is_there_from_the_first_scrape(node: FakeNode) -> None:
    found = scraped(node)
    assert found["nucuoi_build_info", labels(version="0.0-test")] == 1
    assert found["nucuoi_node_info", labels(site="phuong-thu", node="hub", mode="simulation")] == 1
    assert found["nucuoi_rating_scale_info", labels(levels="5", satisfied_from="4", definition="1")] == 1
    for level in "12345":
        assert found["nucuoi_ratings_total", labels(counter="1", level=level)] == 0
        assert found["nucuoi_ratings_corrected_total", labels(counter="1", level=level)] == 0
    for reason in ("repeat", "lockout", "superseded", "outside_opening_hours"):
        assert found["nucuoi_ratings_excluded_total", labels(counter="1", reason=reason)] == 0
    assert found["nucuoi_device_up", labels(device="panel-1", kind="rating_panel_serial")] == 1
    assert found["nucuoi_device_up", labels(device="panel-2", kind="rating_panel_gpio")] == 0
    assert found["nucuoi_outbox_buckets", labels()] == 0
    assert found["nucuoi_outbox_oldest_age_seconds", labels()] == 0
    assert found["nucuoi_sync_last_success_timestamp_seconds", labels()] == 0
    assert found["nucuoi_clock_trusted", labels()] == 0
    assert found["nucuoi_ready", labels()] == 1
    assert found["nucuoi_totals_complete", labels()] == 1
    assert found["nucuoi_health_status", labels(check="journal")] == 0
    assert found["process_start_time_seconds", labels()] > 1e9


def test_what_a_correction_took_back_is_in_gross_and_in_the_counter_beside_it(node: FakeNode) -> None:
    node.journal.sums = [
        total("ratings", 7, counter="1", level="5"),
        total("ratings", -1, counter="1", level="2"),  # its correction came in another epoch than it did
        total("ratings", 1, counter="1", level="2"),
        total("ratings_corrected", 1, definition=2, counter="1", level="2"),
        total("ratings_corrected", 9, definition=1, counter="1"),  # from before the level was named: in neither
    ]
    found = scraped(node)
    assert found["nucuoi_ratings_total", labels(counter="1", level="2")] == 1
    assert found["nucuoi_ratings_corrected_total", labels(counter="1", level="2")] == 1
    assert found["nucuoi_ratings_total", labels(counter="1", level="5")] == 7
    assert ("nucuoi_ratings_corrected_total", labels(counter="1", level="")) not in found


def test_a_new_scale_takes_no_counter_back(node: FakeNode) -> None:
    node.journal.sums = [
        total("ratings", 3, counter="1", level="1"),
        total("ratings", 2, definition=9, counter="1", level="1"),
    ]
    assert scraped(node)["nucuoi_ratings_total", labels(counter="1", level="1")] == 5


def test_a_counter_that_was_taken_out_of_the_site_file_keeps_its_figures(node: FakeNode) -> None:
    node.journal.sums = [
        total("ratings", 3, counter="old", level="1"),
        total("rating_delay", *[1] * DELAY.width, counter="old"),
    ]
    assert scraped(node)["nucuoi_ratings_total", labels(counter="old", level="1")] == 3
    assert scraped(node)["nucuoi_rating_delay_seconds_count", labels(counter="old")] == DELAY.width - 1


@pytest.mark.parametrize("mode", ["simulation", "production"])
def test_simulated_and_real_figures_are_never_added(mode: str) -> None:
    node = FakeNode(settings(mode))
    node.journal.sums = [
        total("ratings", 3, counter="1", level="1", simulated=True),
        total("ratings", 50, counter="1", level="1", simulated=False),
    ]
    assert (
        scraped(node)["nucuoi_ratings_total", labels(counter="1", level="1")]
        == {"simulation": 3, "production": 50}[mode]
    )


def test_times_are_in_seconds_and_delays_a_histogram(node: FakeNode) -> None:
    counts = [5, 1, *[0] * (len(DELAY.bounds_s) - 2), 2]  # two took longer than the last bound
    node.journal.sums = [
        total("open_seconds", 28_800_500, state="up"),
        total("device_seconds", 60_000, device="panel-1", state="available"),
        total("rating_delay", *counts, 123_456, counter="1"),
    ]
    found = scraped(node)
    assert found["nucuoi_open_seconds_total", labels(state="up")] == 28800.5
    assert found["nucuoi_device_seconds_total", labels(device="panel-1", state="available")] == 60
    assert found["nucuoi_rating_delay_seconds_bucket", labels(counter="1", le="0.01")] == 5
    assert found["nucuoi_rating_delay_seconds_bucket", labels(counter="1", le="0.025")] == 6
    assert found["nucuoi_rating_delay_seconds_bucket", labels(counter="1", le="+Inf")] == 8
    assert found["nucuoi_rating_delay_seconds_sum", labels(counter="1")] == 123.456


def test_until_the_past_is_added_up_its_counters_are_left_out_and_the_rest_is_there(node: FakeNode) -> None:
    """A gap in a graph is honest; a number that is too small would be taken for a restart, and the rest of it counted twice."""
    node.journal.sums = None
    found = scraped(node)
    assert found["nucuoi_totals_complete", labels()] == 0
    assert not any(
        name.startswith(("nucuoi_ratings", "nucuoi_rating_delay", "nucuoi_open", "nucuoi_device_s"))
        for name, _ in found
    )
    assert found["nucuoi_ready", labels()] == 1


def test_the_outbox_the_clock_and_refusing_are_told(node: FakeNode) -> None:
    node.figures = OutboxFigures(3, 12.5, "2026-11-23T01:00:02.250Z", 2)
    node.not_ready = "Đĩa đầy."
    node.checks.append(CheckResult("disk", Status.FAIL, "Đĩa đầy."))
    found = scraped(node)
    assert found["nucuoi_outbox_buckets", labels()] == 3
    assert found["nucuoi_outbox_rejected_buckets", labels()] == 2
    assert found["nucuoi_outbox_oldest_age_seconds", labels()] == 12.5
    assert found["nucuoi_sync_last_success_timestamp_seconds", labels()] == 1795395602.25
    assert found["nucuoi_ready", labels()] == 0
    assert found["nucuoi_health_status", labels(check="disk")] == 2


def test_checks_that_hang_are_themselves_a_finding_and_hold_up_nothing_else(
    node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()
    monkeypatch.setattr(exposition, "HEALTH_WITHIN_S", 0.05)

    class Hanging(FakeNode):
        def health(self) -> Any:
            let_go.wait(20)
            return self.checks

    found = scraped(Hanging())
    let_go.set()
    assert found["nucuoi_health_status", labels(check="health")] == 2
    assert ("nucuoi_health_status", labels(check="journal")) not in found
    assert found["nucuoi_ready", labels()] == 1


def test_who_asks_for_openmetrics_gets_it(node: FakeNode) -> None:
    answer = client(node).get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.content_type.startswith("application/openmetrics-text")
    families = {family.name for family in openmetrics_families(answer.text)}
    assert {"nucuoi_ratings", "nucuoi_build", "nucuoi_rating_delay_seconds"} <= families
    plain = client(node).get("/metrics")
    assert plain.content_type.startswith("text/plain; version=0.0.4")
    assert plain.headers["Cache-Control"] == "no-store"


def test_every_family_says_what_it_is(node: FakeNode) -> None:
    for family in text_string_to_metric_families(client(node).get("/metrics").text):
        assert family.documentation
        assert family.type != "unknown"


def test_the_page_has_every_name_with_its_labels(node: FakeNode) -> None:
    node.journal.sums = [
        total("open_seconds", 1, state="up"),
        total("device_seconds", 1, device="panel-1", state="available"),
    ]
    exposed: dict[str, set[str]] = {}
    for name, its_labels in scraped(node):
        base = re.sub(r"(?<=delay_seconds)_(bucket|sum|count)$", "", name)
        exposed.setdefault(base, set()).update({label for label, _ in its_labels} - {"le"})
    rows = re.findall(r"^\| `(nucuoi_\w+)` \| ([^|]*)\|", section(text_of(DOCS / "api.md"), "## Metrics"), re.MULTILINE)
    documented = {name: set(re.findall(r"`(\w+)`", its_labels)) for name, its_labels in rows}
    assert documented == {name: found for name, found in exposed.items() if name.startswith("nucuoi_")}


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/buckets"])
def test_the_hall_is_not_answered(node: FakeNode, path: str) -> None:
    """Asked every second it tells which level went up at which counter: a vote."""
    hall = client(node)
    for answer in (
        hall.get(path, environ_base={"REMOTE_ADDR": "192.168.1.20"}),
        hall.get(path, headers={"X-Forwarded-For": "192.168.1.20"}),
        hall.get(path, headers={"Forwarded": "for=192.168.1.20"}),
    ):
        assert answer.status_code == 403
        assert answer.get_json(force=True)["code"] == "loopback_only"


def test_a_node_that_stops_says_so(node: FakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(_within_s: float) -> Any:
        raise JournalClosed("đang dừng")

    monkeypatch.setattr(node.journal, "totals", closed)
    answer = client(node).get("/metrics")
    assert answer.status_code == 503
    assert answer.get_json(force=True)["code"] == "not_ready"
