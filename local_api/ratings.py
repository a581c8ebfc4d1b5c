"""POST /api/v1/ratings: one rating by HTTP, counted once however often it is sent.

The answer comes after COMMIT. Whoever gets none sends the same request again with the same Idempotency-Key: the journal
then repeats its first answer and counts nothing.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Annotated, Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field, StringConstraints

from firmware_py.core.contracts import GiveRating, Outcome, Rejection
from firmware_py.core.errors import JournalError
from firmware_py.core.ports import NodePort
from firmware_py.core.problem import RETRY_AFTER_S
from local_api.inputs import Body, Headers
from local_api.openapi import answer, problems
from local_api.problems import ProblemError

DEADLINE_S = 10.0
SOURCE = "http"

Word = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class RatingBody(Body):
    """One answer on the satisfaction scale; level 1 is the worst."""

    counter: Word
    level: int = Field(ge=0, le=1000)  # whether the scale has this level is the journal's decision
    ticket: Word | None = None


class KeyHeaders(Headers):
    """What makes a repeat harmless: the same key gets the first answer again and counts nothing."""

    refusal = (400, "bad_idempotency_key", "Idempotency-Key missing or unusable")
    advice = "Send a header Idempotency-Key of 1 to 200 printable ASCII characters, new for each rating."
    key: str = Field(alias="Idempotency-Key", pattern=r"^[\x20-\x7e]{1,200}$")


class RatingAnswer(BaseModel):
    """What became of a rating, once it is durable."""

    id: str = Field(description="The event's id")
    outcome: Literal["counted", "corrected", "excluded"] = Field(
        description="corrected: it replaced the one just before; excluded: kept, not counted"
    )
    reason: str | None = Field(description="Why it was excluded")


def ratings_blueprint(node: NodePort, deadline_s: float = DEADLINE_S) -> APIBlueprint:
    """The ratings route of `node`; a commit that takes longer than `deadline_s` is answered by 503."""
    area = APIBlueprint("ratings", __name__, abp_tags=[Tag(name="ratings")])

    @area.post("/api/v1/ratings", responses={201: RatingAnswer, **problems(403, 415, 422, 503)})
    def give(header: KeyHeaders, body: RatingBody) -> Response:
        """Give one rating. Answered after COMMIT; repeat it with the same key if no answer came."""
        command = GiveRating(
            source=SOURCE,
            key=f"{SOURCE}:{header.key}",
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
        response = answer(RatingAnswer.model_validate(outcome.result), 201)
        if outcome.duplicate:
            response.headers["Idempotency-Replayed"] = "true"
        return response

    return area


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
