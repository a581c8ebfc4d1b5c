"""What came of sending a batch: the city's own word, or why there is none. Pure: how a response is to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal

from pydantic import ValidationError

from sync.backoff import parse_http_date, parse_retry_after
from sync.protocol import BatchAnswer

MAX_TYPE_SHOWN = 60
FailureKind = Literal[
    "unreachable",  # no connection, or it broke
    "timeout",
    "tls",  # a certificate that cannot be trusted
    "tls_clock",  # one that is not valid yet: the node's clock is likely wrong
    "unauthorised",  # 401, 403
    "too_large",  # 413
    "server_error",  # 5xx, 408, 429
    "not_an_answer",  # somebody else spoke: a portal's page, a redirect, another batch
    "refused",  # any other 4xx
    "journal",  # the city answered, but its word could not be written down
]
#: A person must act first, so trying soon again is of no use.
SLOW_KINDS: frozenset[FailureKind] = frozenset({"tls", "tls_clock", "unauthorised", "refused"})

TEXTS: Mapping[FailureKind, str] = {
    "unreachable": "Mất kết nối máy chủ thành phố",
    "timeout": "Máy chủ thành phố không trả lời kịp",
    "tls": "Không tin được chứng chỉ của máy chủ thành phố; hãy báo người quản trị",
    "tls_clock": "Chứng chỉ của máy chủ thành phố chưa đến ngày có hiệu lực: đồng hồ của máy này có thể sai, "
    "hãy kiểm tra ngày giờ",
    "unauthorised": "Máy chủ thành phố từ chối mã truy cập của máy này; hãy kiểm tra mã city_token",
    "too_large": "Máy chủ thành phố nói gói dữ liệu quá lớn",
    "server_error": "Máy chủ thành phố đang gặp lỗi",
    "not_an_answer": "Câu trả lời không phải của máy chủ thành phố; mạng ở đây có thể đang đòi đăng nhập",
    "refused": "Máy chủ thành phố không nhận gói dữ liệu; hãy báo người quản trị",
    "journal": "Máy chủ thành phố đã trả lời, nhưng máy này chưa ghi lại được",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """The city's word on every bucket of the batch. `city_time`: its clock, from the same authenticated answer."""

    answer: BatchAnswer
    city_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer. `text` is for people (Vietnamese), `detail` for the log."""

    kind: FailureKind
    detail: str
    retry_after_s: float | None = None
    status: int | None = None

    @property
    def text(self) -> str:
        """What happened and what to do, in words for people."""
        return TEXTS[self.kind] + (f" (HTTP {self.status})" if self.status is not None else "")


def read_response(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    batch: str,
    revisions: Sequence[int],
    now: datetime,
) -> Answered | Failure:
    """Decide what an HTTP response means for the batch with these buckets' `revisions`. Headers are case-insensitive."""
    if status == HTTPStatus.OK:
        return _read_ok(headers, body, batch, revisions)
    kind = _kind_of(status)
    retry_after_s = parse_retry_after(headers.get("Retry-After"), headers.get("Date"), now)
    # Never the body: a proxy's page may repeat the request with its credential.
    of_type = headers.get("Content-Type", "")[:MAX_TYPE_SHOWN]
    return Failure(kind, f"HTTP {status}, {len(body)} bytes of {of_type or 'no type'!r}", retry_after_s, status)


def _kind_of(status: int) -> FailureKind:
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return "unauthorised"
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return "too_large"
    if status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS):
        return "server_error"
    if status < HTTPStatus.BAD_REQUEST or status == HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED:
        return "not_an_answer"
    return "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "refused"


def _read_ok(headers: Mapping[str, str], body: bytes, batch: str, revisions: Sequence[int]) -> Answered | Failure:
    try:
        answer = BatchAnswer.model_validate_json(body)
    except ValidationError as error:
        return Failure("not_an_answer", f"200, but no answer to a batch: {error.errors(include_input=False)[:3]}")
    objection = _objection(answer, batch, revisions)
    if objection is not None:
        return Failure("not_an_answer", f"200, but {objection}")
    return Answered(answer, parse_http_date(headers.get("Date")))


def _objection(answer: BatchAnswer, batch: str, revisions: Sequence[int]) -> str | None:
    """Why an answer cannot be the one to this batch: only one that speaks of every bucket once is believed."""
    if answer.batch != batch:
        return "it echoes another batch"
    if sorted(result.index for result in answer.results) != list(range(len(revisions))):
        return "it does not speak of every bucket once"
    for result in answer.results:
        if result.outcome == "accepted" and result.revision not in (None, revisions[result.index]):
            return f"it accepts revision {result.revision} of bucket {result.index}, which was not sent"
    return None


def journal_failure(error: Exception) -> Failure:
    """The answer came, but it could not be written down: the batch will be sent again."""
    return Failure("journal", repr(error))


def wire_batch(
    *, site: str, node: str, batch: str, chain_head: str, buckets: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The body of a request (docs/protocol.md)."""
    return {
        "schema": 1,
        "site": site,
        "node": node,
        "batch": batch,
        "chain_head": chain_head,
        "buckets": list(buckets),
    }
