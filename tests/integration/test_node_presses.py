"""From a finger to the city's scoreboard, through the real node: once, whatever the way to the city does."""

import re
from collections import Counter

import pytest
from support.nodes import running_node, scoreboard
from support.workers import until

pytestmark = pytest.mark.timeout(120)


class Centre:
    """One node for the whole module; each test uses a counter of its own."""

    def __init__(self, node, city_url):
        self.node, self.city_url = node, city_url

    def city(self):
        found = scoreboard(self.city_url)
        by_level = {int(level): count for level, count in found.get("by_level", {}).items() if count}
        return Counter(by_level), Counter(found.get("excluded", {})), found.get("corrected", 0)

    def arrived(self, before, levels, *, corrected=0, excluded=0):
        """Wait until the city counts exactly this much more, and nothing else."""
        self.node.all_sent()
        (levels_before, excluded_before, corrected_before) = before
        now = self.city()
        assert now[0] - levels_before == Counter(levels), now
        assert levels_before - now[0] == Counter()
        assert sum((now[1] - excluded_before).values()) == excluded
        assert now[2] - corrected_before == corrected


@pytest.fixture(scope="module")
def centre(tmp_path_factory):
    folder = tmp_path_factory.mktemp("centre") / "data"
    with running_node(folder) as node:
        until(lambda: "embedded city listens on" in node.log, "the embedded city is up")
        (city_url,) = re.findall(r"embedded city listens on (\S+)", node.log)
        until(
            lambda: all(device["available"] for device in node.ask("GET", "/api/v1/devices")[1]["devices"]),
            "all panels are available",
        )
        yield Centre(node, city_url)
        assert node.stop() == 0
        assert "ERROR" not in node.log
        assert "CRITICAL" not in node.log
        assert "Traceback" not in node.log


@pytest.mark.parametrize(("device", "level"), [("panel-1", 5), ("panel-3", 4)])
def test_a_press_on_a_pin_and_one_on_the_serial_line_each_appear_once(centre, device, level):
    before = centre.city()
    centre.node.press(device, level)
    until(lambda: centre.city()[0] != before[0], "the press is on the scoreboard")
    centre.arrived(before, [level])


def test_a_correction_on_the_wire_takes_the_first_vote_back_at_the_city(centre):
    before = centre.city()
    centre.node.press("panel-2", 1)
    centre.node.press("panel-2", 5)
    until(lambda: centre.city()[2] > before[2], "the correction is on the scoreboard")
    centre.arrived(before, [5], corrected=1)


def test_a_retry_over_http_is_one_press(centre):
    before = centre.city()
    answers = [centre.node.rate(4, "4", key="one-press") for _ in range(3)]
    assert [status for status, _ in answers] == [201, 201, 201]
    assert len({answer["id"] for _, answer in answers}) == 1
    centre.arrived(before, [4])


@pytest.mark.parametrize("state", ["down", "error", "portal", "slow"])
def test_while_the_city_cannot_be_reached_presses_wait_and_then_all_arrive_once(centre, state):
    node = centre.node
    node.all_sent()
    before = centre.city()
    node.city(state)
    try:
        outcomes = Counter(node.rate(level, "4")[1]["outcome"] for level in (1, 2, 3, 4, 5))
        pressed = outcomes["counted"] + outcomes["corrected"] + outcomes["excluded"]
        assert pressed == 5
        if state == "slow":
            node.all_sent()  # late, but an answer
        else:
            until(lambda: node.check("sync")["status"] != "pass", "the trouble with the city is visible")
            assert node.outbox()["pending"] > 0
            assert centre.city() == before
    finally:
        node.city("up")
    node.all_sent()
    now = centre.city()
    grew = sum(now[0].values()) - sum(before[0].values())
    assert grew + (now[2] - before[2]) + sum(now[1].values()) - sum(before[1].values()) == pressed
    assert node.outbox()["rejected"] == 0


def test_health_names_every_part_and_none_fails(centre):
    status, answer = centre.node.ask("GET", "/api/v1/health")
    names = {check["name"] for check in answer["checks"]}
    assert status == 200, answer
    assert {"journal", "clock", "workers", "sync"} <= names
    assert len(names) == len(answer["checks"])
    assert all(check["status"] != "fail" for check in answer["checks"])
