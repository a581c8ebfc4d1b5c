"""POST /v1/nodes/NODE/buckets: taking in batches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Response, g, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel
from sqlalchemy import Engine

from sync.protocol import Batch, BatchAnswer, Name
from sync.receiver import credentials
from sync.receiver.bearer import bearer, unauthorised
from sync.receiver.credentials import NodeIdentity
from sync.receiver.intake import receive
from sync.receiver.openapi import BEARER, answer, problems
from sync.receiver.problems import ProblemError


class NodePath(BaseModel):
    """The node that sends."""

    node: Name


def buckets_blueprint(engine: Engine, now: Callable[[], datetime]) -> APIBlueprint:
    """The route that nodes send to."""
    area = APIBlueprint("buckets", __name__, abp_tags=[Tag(name="sync")], abp_security=BEARER)

    @area.before_request
    def check_credential() -> None:
        """Before a byte of the body is read."""
        g.origin = _node(engine, (request.view_args or {}).get("node", ""))

    @area.post("/v1/nodes/<node>/buckets", responses={200: BatchAnswer, **problems(400, 401, 403, 413, 415, 422)})
    def take(path: NodePath, body: Batch) -> Response:
        """Take in a batch in one transaction; answered once it is durable.

        The body may have `Content-Encoding: gzip`. An answer that does not echo the batch is no answer.
        """
        origin: NodeIdentity = g.origin
        if (body.site, body.node) != (origin.site, path.node):
            raise ProblemError(403, "wrong_node", "The batch names another site or node than its credential.")
        return answer(receive(engine, origin, body, now()))

    return area


def _node(engine: Engine, name: str) -> NodeIdentity:
    """The node that the request's credential speaks for.

    Raises:
        ProblemError: 401 without a known credential, 403 with another node's.
    """
    token = bearer()
    if token is None:
        raise unauthorised("Send `Authorization: Bearer TOKEN` with this node's token.")
    with engine.begin() as connection:
        origin = credentials.node_of(connection, token)
    if origin is None:
        raise unauthorised("This token is no node's. Register the node here, or correct its city_token.")
    if origin.name != name:
        raise ProblemError(403, "wrong_node", "This token is another node's.")
    return origin
