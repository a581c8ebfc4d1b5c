"""Reading a batch out of a request's bytes, each refusal with its own problem. A small body cannot become a large memory."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from typing import Any, NoReturn

from flask import Request

from sync.protocol import MAX_BODY_BYTES, MAX_RECEIVED_BUCKETS, MAX_UNPACKED_BYTES
from sync.receiver.problems import ProblemError

ENCODINGS = ("", "identity", "gzip")


class BatchRequest(Request):
    """A request whose JSON is read as a batch's, whatever Flask's options say: flask-openapi3 asks for it."""

    def get_json(self, *_args: Any, **_options: Any) -> Any:
        """The body's document.

        Raises:
            ProblemError: 400 (not what it says, no JSON), 413 (too large: halve it), 415 (an encoding or type not spoken here).
        """
        return parse_document(unpack(_raw(self), self.headers.get("Content-Encoding", "")))


def unpack(raw: bytes, encoding: str) -> bytes:
    """Undo the content encoding, reading no more than the limit.

    Raises:
        ProblemError: 400, 413 or 415.
    """
    encoding = encoding.strip().lower()
    if encoding not in ENCODINGS:
        raise ProblemError(
            415, "encoding", "Content-Encoding must be gzip or absent.", headers={"Accept-Encoding": "gzip"}
        )
    if encoding != "gzip":
        return raw
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
            unpacked = packed.read(MAX_UNPACKED_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ProblemError(400, "gzip", f"The body says gzip but is none: {error}") from error
    if len(unpacked) > MAX_UNPACKED_BYTES:
        raise ProblemError(413, "too_large", f"Unpacked, a batch has at most {MAX_UNPACKED_BYTES} bytes: halve it.")
    return unpacked


def parse_document(text: bytes) -> Any:
    """A JSON text; of one with more buckets than a batch may have, nothing is looked at.

    Raises:
        ProblemError: 400 or 413.
    """
    try:
        document = json.loads(text.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise ProblemError(400, "utf8", f"The body is not UTF-8: {error.reason} at byte {error.start}.") from error
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, "json", f"The body is no JSON that can be read: {error}") from error
    buckets = document.get("buckets") if isinstance(document, dict) else None
    if isinstance(buckets, list) and len(buckets) > MAX_RECEIVED_BUCKETS:
        raise ProblemError(413, "too_large", f"A batch has at most {MAX_RECEIVED_BUCKETS} buckets: halve it.")
    return document


def _raw(request: Request) -> bytes:
    if request.mimetype not in ("", "application/json"):
        raise ProblemError(415, "type", "Content-Type must be application/json.")
    too_large = ProblemError(413, "too_large", f"A body has at most {MAX_BODY_BYTES} bytes: halve the batch.")
    if request.content_length is not None and request.content_length > MAX_BODY_BYTES:
        raise too_large
    raw = request.stream.read(MAX_BODY_BYTES + 1)
    if len(raw) > MAX_BODY_BYTES:
        raise too_large
    return raw


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
