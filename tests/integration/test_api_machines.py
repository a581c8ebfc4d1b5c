"""Who may read figures by level: this computer, and whoever has the node's pull token. A proxy's word opens nothing."""

from __future__ import annotations

import pytest
from fake_node import FakeNode
from flask.testing import FlaskClient
from pydantic import SecretStr

from local_api.app import create_app

TOKEN = "a-pull-token-of-the-city"
PROXIED = {"X-Forwarded-For": "10.0.0.7"}
BEARER = {"Authorization": f"Bearer {TOKEN}"}

pytestmark = pytest.mark.parametrize("path", ["/metrics", "/api/v1/buckets"])


def client(token: str | None) -> FlaskClient:
    node = FakeNode()
    node.pull_token = SecretStr(token) if token else None
    return create_app(node).test_client()


@pytest.mark.parametrize("token", [None, TOKEN])
def test_this_computer_needs_no_token(path: str, token: str | None) -> None:
    assert client(token).get(path).status_code == 200


@pytest.mark.parametrize("headers", [PROXIED, {"Forwarded": "for=10.0.0.7"}])
def test_from_elsewhere_it_is_closed(path: str, headers: dict[str, str]) -> None:
    answer = client(TOKEN).get(path, headers=headers)
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (403, "loopback_only")


def test_the_pull_token_opens_it_from_elsewhere(path: str) -> None:
    assert client(TOKEN).get(path, headers=PROXIED | BEARER).status_code == 200


@pytest.mark.parametrize("given", ["another-token-of-that-length", "", "phường", TOKEN[:-1], TOKEN + "x"])
def test_another_token_is_refused_even_here(path: str, given: str) -> None:
    answer = client(TOKEN).get(path, headers={"Authorization": f"Bearer {given}".encode().decode("latin-1")})
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (401, "unauthorised")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_where_the_node_has_no_token_none_is_right(path: str) -> None:
    assert client(None).get(path, headers=PROXIED | BEARER).status_code == 401


def test_who_may_not_read_learns_nothing_of_the_arguments(path: str) -> None:
    assert client(TOKEN).get(f"{path}?limit=nonsense", headers=PROXIED).status_code == 403
