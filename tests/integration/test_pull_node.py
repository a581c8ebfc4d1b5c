"""Pulling from a real node over HTTP while everybody presses, over a kill: no page ever has a half of a press."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.nodes import Node, running_node

pytestmark = pytest.mark.timeout(120)
COUNTERS = ("1", "2", "3")
PRESSES = 40  # a counter and life
LEVELS = (5, 3, 5, 5, 1, 2)  # within five seconds of each other: corrected, and repeated
ONE_OF_EACH = ("ratings", "ratings_corrected", "ratings_excluded")


class Puller:
    """Per bucket the greatest it was given."""

    def __init__(self) -> None:
        self.cursor = ""
        self.pages = 0
        self.held: dict[tuple[str, ...], dict[str, Any]] = {}

    def pull(self, node: Node, limit: int) -> bool:
        status, page = node.ask("GET", f"/api/v1/buckets?limit={limit}&after={self.cursor}")
        assert status == 200, page
        for bucket in page["buckets"]:
            key = (bucket["epoch"], bucket["hour"], bucket["series"], json.dumps(bucket["labels"]))
            if key not in self.held or self.held[key]["revision"] < bucket["revision"]:
                self.held[key] = bucket
        self.cursor = page["next"]
        self.pages += 1
        self.look()
        return bool(page["more"])

    def look(self) -> None:
        """Every press is in the delays, and counted, taken back or excluded: else a page had a part of one."""
        pressed, judged = Counter[str](), Counter[str]()
        for bucket in self.held.values():
            counter = bucket["labels"].get("counter", "")
            if bucket["series"] == "rating_delay":
                pressed[counter] += sum(bucket["value"]["counts"])
            elif bucket["series"] in ONE_OF_EACH:
                judged[counter] += bucket["value"]["count"]
        assert pressed == judged

    def sums(self, series: str, label: str) -> dict[tuple[str, str], int]:
        found: Counter[tuple[str, str]] = Counter()
        for bucket in self.held.values():
            if bucket["series"] == series:
                found[bucket["labels"]["counter"], bucket["labels"][label]] += bucket["value"]["count"]
        return {where: count for where, count in found.items() if count}


def pull_while_pressed(node: Node, puller: Puller) -> None:
    def press(counter: str) -> None:
        for number in range(PRESSES):
            status, answer = node.rate(LEVELS[number % len(LEVELS)], counter)
            assert status == 201, answer

    fingers = [threading.Thread(target=press, args=(counter,)) for counter in COUNTERS]
    for finger in fingers:
        finger.start()
    while any(finger.is_alive() for finger in fingers):
        puller.pull(node, 1)
    for finger in fingers:
        finger.join()
    while puller.pull(node, 1):
        pass


def counters_of(node: Node, kind: str, label: str) -> dict[tuple[str, str], int]:
    with urllib.request.urlopen(f"{node.url}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return {
        (sample.labels["counter"], sample.labels[label]): int(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == f"nucuoi_ratings{kind}_total" and sample.value
    }


@pytest.mark.slow
def test_a_puller_sees_no_half_of_a_press_and_ends_with_what_metrics_say(tmp_path: Path) -> None:
    puller = Puller()
    with running_node(tmp_path / "data") as node:
        pull_while_pressed(node, puller)
        node.kill()
    with running_node(tmp_path / "data") as node:
        pull_while_pressed(node, puller)
        corrected, excluded = puller.sums("ratings_corrected", "level"), puller.sums("ratings_excluded", "reason")
        gross = Counter(puller.sums("ratings", "level"))
        gross.update(corrected)
        assert counters_of(node, "", "level") == gross
        assert counters_of(node, "_corrected", "level") == corrected
        assert counters_of(node, "_excluded", "reason") == excluded
        assert gross.total() + sum(excluded.values()) == 2 * PRESSES * len(COUNTERS)
        assert corrected
        assert node.stop() == 0
        assert "Traceback" not in node.log
    assert puller.pages > 20
