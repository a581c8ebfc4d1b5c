"""Speaking to the city: one POST per batch, and every way it can fail as a value. Nothing here raises for the network."""

from __future__ import annotations

import gzip
import json
import logging
import ssl
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import requests
import urllib3.exceptions

from config.addresses import unsafe_because
from sync.answers import Answered, Failure, FailureKind, read_response, wire_batch

MAX_ANSWER_BYTES = 8 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
CERT_NOT_YET_VALID = 9  # OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID


class CityClient:
    """The city's receiver, for one node. Owned by one thread.

    Raises:
        ValueError: an address that a credential may not be sent to, or a token that fits no header.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        site: str,
        node: str,
        connect_timeout_s: float,
        read_timeout_s: float,
        ca_file: str | None = None,
    ) -> None:
        because = unsafe_because(url)
        if because is not None:
            raise ValueError(f"the city's address {because}")
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError("city_token must be printable ASCII without blanks, and not empty")
        self._url = f"{url.rstrip('/')}/v1/nodes/{node}/buckets"
        self._site, self._node = site, node
        self._timeouts_s = (connect_timeout_s, read_timeout_s)
        self._token = token
        # urllib3 logs broken headers as they came, and a proxy may repeat the request's there.
        logging.getLogger("urllib3.connection").setLevel(logging.CRITICAL)
        self._session = requests.Session()
        # Neither a proxy nor a .netrc nor another CA from the environment: the site file alone says whom we trust.
        self._session.trust_env = False
        self._session.verify = ca_file if ca_file is not None else True
        self._session.headers.update(
            {
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Content-Encoding": "gzip",
                "Accept": "application/json",
                "Accept-Encoding": "identity",  # answers are small, and need no guard against bombs this way
                "User-Agent": "nucuoi",
            }
        )

    @property
    def longest_call_s(self) -> float:
        """How long one `send` can take before it gives up."""
        connect_s, read_s = self._timeouts_s
        return connect_s + 2 * read_s

    def send(self, chain_head: str, buckets: Sequence[Mapping[str, Any]]) -> Answered | Failure:
        """Send one batch and read the answer. An empty one asks only whether the city is there, and for its time."""
        outcome = self._send(chain_head, buckets)
        if isinstance(outcome, Failure):  # libraries' errors repeat what they could not read
            return replace(outcome, detail=outcome.detail.replace(self._token, "***"))
        return outcome

    def close(self) -> None:
        """Close the connections; idempotent."""
        self._session.close()

    def _send(self, chain_head: str, buckets: Sequence[Mapping[str, Any]]) -> Answered | Failure:
        batch = str(uuid.uuid4())
        document = wire_batch(site=self._site, node=self._node, batch=batch, chain_head=chain_head, buckets=buckets)
        body = gzip.compress(json.dumps(document, ensure_ascii=False).encode(), compresslevel=6, mtime=0)
        try:
            with self._session.post(
                self._url, data=body, timeout=self._timeouts_s, allow_redirects=False, stream=True
            ) as response:
                text = self._read(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return Failure(_kind_of(error), repr(error))
        if text is None:
            return Failure("not_an_answer", f"an answer of more than {MAX_ANSWER_BYTES} bytes")
        return read_response(
            response.status_code,
            response.headers,
            text,
            batch=batch,
            revisions=[bucket["revision"] for bucket in buckets],
            now=datetime.now(UTC),
        )

    def _read(self, response: requests.Response) -> bytes | None:
        """The body; None when it is larger than any answer. A server that drips is a timeout, not a hung thread."""
        deadline_s = time.monotonic() + self._timeouts_s[1]
        parts, size = [], 0
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=False):
            parts.append(chunk)
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                return None
            if time.monotonic() > deadline_s:
                raise requests.ReadTimeout("the answer did not end in time")
        return b"".join(parts)


def _kind_of(error: Exception) -> FailureKind:
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError) and cause.verify_code == CERT_NOT_YET_VALID:
            return "tls_clock"
    # The innermost says most: requests wraps a read timeout of the body in its ConnectionError.
    if any(isinstance(cause, ssl.SSLError | requests.exceptions.SSLError) for cause in causes):
        return "tls"
    return "timeout" if any(_is_timeout(cause) for cause in causes) else "unreachable"


def _is_timeout(cause: BaseException) -> bool:
    """(urllib3 derives "connection refused" from its timeouts.)"""
    if isinstance(cause, urllib3.exceptions.NewConnectionError):
        return False
    return isinstance(cause, TimeoutError | requests.Timeout | urllib3.exceptions.TimeoutError)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that it wraps: requests and urllib3 keep the cause in `args` or `reason`."""
    todo: list[object] = [error]
    seen: set[int] = set()
    while todo:
        item = todo.pop()
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        todo += [item.__cause__, item.__context__, getattr(item, "reason", None), *item.args]
