"""Every route of the node, asked through the real nginx by a phone in the hall: somebody decided for each who may ask."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fake_node import FakeNode
from support.nginxes import PROGRAM, hall

from local_api.app import create_app

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="needs nginx: apt-get install nginx")

PHONE = "127.0.0.2"
OPEN = {"/livez", "/readyz", "/rate/<counter>", "/api/v1/openapi.json"}  # for whoever is in the hall's network
CITY = {"/metrics", "/api/v1/buckets", "/api/v1/outbox", "/api/v1/health", "/api/v1/devices"}  # city.conf
DESKS = {"/", "/api/v1/events", "/api/v1/today", "/api/v1/today/stream"}  # desks.conf
TOUCH_SCREENS = {"/api/v1/ratings"}  # touch-screens.conf
#: The node itself lets nobody behind nginx in; the live one is a stream like others.
SIMULATOR = re.compile(r"/simulator|/api/v1/simulate/(?!stream).*")
LIVE_SIMULATOR = {"/api/v1/simulate/stream"}


def routes() -> set[str]:
    """All of them but static files."""
    rules = create_app(FakeNode()).url_map.iter_rules()
    return {rule.rule for rule in rules if not rule.rule.endswith("<path:filename>")}


def test_somebody_decided_for_each_route_who_may_ask() -> None:
    """A new route fails here until it stands in one of the lists, and in nginx/nucuoi/locations.conf where it is not open."""
    simulator = {route for route in routes() if SIMULATOR.fullmatch(route)}
    assert routes() - simulator == OPEN | CITY | DESKS | TOUCH_SCREENS | LIVE_SIMULATOR


def test_a_phone_gets_what_is_open_and_nothing_else_as_it_ships(tmp_path: Path) -> None:
    with hall(tmp_path, machines="") as (_, nginx):
        closed = set()
        for route in routes():
            path = route.replace("<counter>", "1").replace("<device_id>", "panel-1")
            if b'"not_for_this_address"' in nginx.ask(path, source=PHONE).body:
                closed.add(route)
        assert closed == CITY | DESKS | TOUCH_SCREENS | LIVE_SIMULATOR
        for route in ("/", "/api/v1/today"):
            assert nginx.ask(route).status == 200  # from a desk
