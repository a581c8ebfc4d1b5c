"""GET /api/v1/buckets: what the node would send to the city, for who would rather fetch it."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field

from firmware_py.core.errors import BadCursor, JournalError
from firmware_py.core.ports import NodePort
from firmware_py.core.problem import RETRY_AFTER_S
from local_api.inputs import Query
from local_api.machines import require_machine
from local_api.openapi import problems
from local_api.problems import ProblemError

USUAL_LIMIT = 500
MAX_LIMIT = 1000  # some 300 kB, and ten times that in the node's memory while it is made


class BucketsQuery(Query):
    """From where, and about how many."""

    after: str = Field(
        default="",
        description="`next` of the answer before. Empty, or of a history that this node does not have: from the beginning.",
    )
    limit: int = Field(
        default=USUAL_LIMIT, ge=1, le=MAX_LIMIT, description="A wish: what belongs together is never parted."
    )


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CountValue(_Answer):
    """How many in this hour; one epoch's can be negative, their sum is not."""

    count: int


class SecondsValue(_Answer):
    """How long in this hour."""

    seconds: float


class HistogramValue(_Answer):
    """How many up to each bound, and above the last one."""

    bounds_s: list[float]
    counts: list[int]
    sum_s: float


class Bucket(_Answer):
    """One series' value for one hour of one epoch, as on the sync wire (docs/protocol.md)."""

    epoch: str
    series: str
    labels: dict[str, str]
    hour: str
    revision: int
    definition: int
    final: bool
    partial: bool
    simulated: bool
    value: CountValue | SecondsValue | HistogramValue


class BucketsAnswer(_Answer):
    """One page. `next` is where to go on, whether there is `more` now or later."""

    buckets: list[Bucket]
    next: str
    more: bool


def buckets_blueprint(node: NodePort) -> APIBlueprint:
    """The buckets of `node`."""
    area = APIBlueprint("buckets", __name__, abp_tags=[Tag(name="machines")])
    area.before_request(lambda: require_machine(node))

    @area.get("/api/v1/buckets", responses={200: BucketsAnswer, **problems(401, 403, 422, 503)})
    def buckets(query: BucketsQuery) -> Response:
        """What changed since a cursor, oldest first. One page is one state: apply it and its `next` in one transaction."""
        try:
            page = node.buckets(query.after, query.limit)
        except BadCursor as error:
            raise ProblemError(400, "bad_cursor", "Not a cursor", f"`after`: {error}.") from error
        except JournalError as error:
            raise ProblemError(503, "not_ready", "Not ready", str(error), retry_after_s=RETRY_AFTER_S) from error
        # BucketsAnswer is its description. It is not made an instance of: ten times the memory, for figures of our own.
        return jsonify(buckets=page.buckets, next=page.next, more=page.more)

    return area
