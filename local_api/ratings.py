"""POST /api/v1/ratings: one rating by HTTP, counted once however often it is sent.

The answer comes after COMMIT. Whoever gets none sends the same request again with the same Idempotency-Key: the journal
then repeats its first answer and counts nothing.
"""

from __future__ import annotations

import re
from concurrent.futures import Future
from typing import Annotated

from flask import Blueprint, Response, jsonify, request
from pydantic import Field, StringConstraints

from firmware_py.core.contracts import GiveRating, Outcome, Rejection
from firmware_py.core.errors import JournalError
from firmware_py.core.ports import NodePort
from local_api.body import Body, read_body
from local_api.problems import RETRY_AFTER_S, ProblemError

DEADLINE_S = 10.0
SOURCE = "http"
_KEY = re.compile(r"[\x20-\x7e]{1,200}")

Word = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class RatingBody(Body):
    """One answer on the satisfaction scale; level 1 is the worst."""

    counter: Word
    level: int = Field(ge=0, le=1000)  # whether the scale has this level is the journal's decision
    ticket: Word | None = None


def ratings_blueprint(node: NodePort, deadline_s: float = DEADLINE_S) -> Blueprint:
    """The ratings route of `node`; a commit that takes longer than `deadline_s` is answered by 503."""
    area = Blueprint("ratings", __name__)

    @area.post("/api/v1/ratings")
    def give() -> Response:
        key = _idempotency_key()
        body = read_body(RatingBody)
        command = GiveRating(
            source=SOURCE,
            key=f"{SOURCE}:{key}",
            simulated=node.settings.site.mode == "simulation",
            counter=body.counter,
            level=body.level,
            ticket=body.ticket,
        )
        try:
            outcome = _decided(node.journal.submit(command), deadline_s)
        except JournalError as error:
            raise _not_kept(str(error)) from error
        if isinstance(outcome, Rejection):
            raise ProblemError(422, outcome.code, "The rating was refused", outcome.text)
        response = jsonify({name: outcome.result.get(name) for name in ("id", "outcome", "reason")})
        response.status_code = 201
        if outcome.duplicate:
            response.headers["Idempotency-Replayed"] = "true"
        return response

    return area


def _idempotency_key() -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        raise ProblemError(
            400,
            "bad_idempotency_key",
            "Idempotency-Key missing or unusable",
            "Send a header Idempotency-Key of 1 to 200 printable ASCII characters, new for each rating.",
        )
    return key


def _decided(future: Future[Outcome], deadline_s: float) -> Outcome:
    try:
        return future.result(timeout=deadline_s)
    except TimeoutError:
        raise ProblemError(
            503,
            "no_answer_in_time",
            "No answer in time",
            f"The journal did not answer within {deadline_s:g} s. Send the same request with the same Idempotency-Key "
            "again: it counts once.",
            retry_after_s=RETRY_AFTER_S,
        ) from None


def _not_kept(why: str) -> ProblemError:
    return ProblemError(
        503,
        "journal_refusing",
        "The node takes no ratings now",
        f"Nothing was kept ({why}). Send the same request with the same Idempotency-Key again later.",
        retry_after_s=RETRY_AFTER_S,
    )
