"""Node and city against their own openapi.json: generated requests, good and bad, get no 5xx and no undocumented answer.

Real processes over real sockets. Streams are left out: an answer that never ends is tested elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from fake_node import FakeNode
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as openapi
from sqlalchemy import create_engine
from support.cities import NODE, TOKEN, City, running_city
from support.nodes import Node, running_node

from local_api.app import create_app as node_app
from sync.receiver.app import create_app as city_app

STREAMS = ["/api/v1/events", "/api/v1/today/stream"]
EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
CHECKS = (
    not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_headers_conformance,
    openapi.response_schema_conformance,
    openapi.negative_data_rejection,
    openapi.missing_required_header,
    openapi.unsupported_method,
)


REFUSALS = ["400", "401", "403", "404", "405", "409", "413", "415", "422"]
CONFIG = schemathesis.Config.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}})
NODE_API = schemathesis.openapi.from_dict(node_app(FakeNode()).api_doc, config=CONFIG)
CITY_API = schemathesis.openapi.from_dict(city_app(create_engine("sqlite://")).api_doc, config=CONFIG)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running_node(tmp_path_factory.mktemp("node") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with running_city(tmp_path_factory.mktemp("city")) as running:
        yield running


def let_go_soon(case: Case) -> None:
    """A finger need not stay on a simulated button for a minute."""
    if isinstance(case.body, dict) and isinstance(case.body.get("hold_s"), int | float):
        case.body["hold_s"] %= 0.05
    if isinstance(case.body, dict) and isinstance(case.body.get("bounces"), int):
        case.body["bounces"] %= 4


def test_the_documents_are_served(node: Node, city: City) -> None:
    status, document = node.ask("GET", "/api/v1/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
    assert document["paths"].keys() == NODE_API.raw_schema["paths"].keys()
    assert city.get("/v1/openapi.json").json == CITY_API.raw_schema


@NODE_API.exclude(path=STREAMS).parametrize()
@EXAMPLES
def test_the_node_answers_as_it_says(case: Case, node: Node) -> None:
    let_go_soon(case)
    case.call_and_validate(base_url=node.url, checks=CHECKS, timeout=30)


@NODE_API.exclude(path=STREAMS).exclude(method="GET").parametrize()
@EXAMPLES
def test_the_node_answers_for_what_it_knows_as_it_says(case: Case, node: Node) -> None:
    """A counter and a device of the site: what is generated for the rest of the request is really tried."""
    let_go_soon(case)
    if "device_id" in case.path_parameters:
        case.path_parameters["device_id"] = "panel-1"
    if isinstance(case.body, dict) and "counter" in case.body:
        case.body["counter"] = "1"
    checks = [check for check in CHECKS if check is not openapi.negative_data_rejection]
    case.call_and_validate(base_url=node.url, checks=checks, timeout=30)


@CITY_API.parametrize()
@EXAMPLES
def test_the_city_answers_as_it_says(case: Case, city: City) -> None:
    case.call_and_validate(base_url=city.url, checks=CHECKS, timeout=30)


@CITY_API.include(path="/v1/nodes/{node}/buckets").parametrize()
@EXAMPLES
def test_the_city_answers_a_known_node_as_it_says(case: Case, city: City) -> None:
    """With a credential the body is really read."""
    case.path_parameters["node"] = NODE
    case.call_and_validate(base_url=city.url, checks=CHECKS, timeout=30, headers={"Authorization": f"Bearer {TOKEN}"})
