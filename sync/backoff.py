"""When to try again: pure rules.

Full jitter (a random wait between nothing and a doubling bound) keeps the nodes of a whole city from coming back at the same
moment. What only a person can mend is tried slowly; nothing is ever dropped.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_BOUND_S = 1.0
MOST_DOUBLINGS = 32
RETRY_AFTER_LIMIT_S = 3600.0  # a server, or someone who speaks for it, may not silence a node for longer


@dataclass(frozen=True, slots=True)
class Backoff:
    """`cap_s` bounds every wait that the receiver did not ask for."""

    cap_s: float

    def wait_s(self, failures: int, *, slow: bool, retry_after_s: float | None, randomness: random.Random) -> float:
        """How long to wait after `failures` failures in a row (1 or more).

        Args:
            failures: how many attempts failed since the last answer.
            slow: a person must act first (credential, certificate): wait about the cap.
            retry_after_s: what the receiver asked for; never undercut, but for RETRY_AFTER_LIMIT_S.
            randomness: the jitter's source.
        """
        bound_s = min(self.cap_s, FIRST_BOUND_S * 2 ** min(failures - 1, MOST_DOUBLINGS))
        jitter_s = randomness.uniform(self.cap_s / 2, self.cap_s) if slow else randomness.uniform(0, bound_s)
        if retry_after_s is None:
            return jitter_s
        return min(retry_after_s, RETRY_AFTER_LIMIT_S) + randomness.uniform(0, bound_s)


def parse_http_date(text: str | None) -> datetime | None:
    """An HTTP date, or None for what is none."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_retry_after(text: str | None, server_date: str | None, now: datetime) -> float | None:
    """Retry-After in seconds; None if absent or unreadable.

    A date is reckoned from the server's own `Date`, since the node's clock may be wrong; without one, from `now`.
    """
    if not text:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), RETRY_AFTER_LIMIT_S)
    until = parse_http_date(text)
    if until is None:
        return None
    since = parse_http_date(server_date) or now
    return max(0.0, min((until - since).total_seconds(), RETRY_AFTER_LIMIT_S))
