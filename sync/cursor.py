"""A puller's place in the buckets: pure rules over an opaque text.

A place is a revision, and a revision is a number that a restored backup or a cloned card gives out again. So a cursor also
names the newest event of the state it was read from, by its hash, which covers all events before it. A journal that does not
have this event has another history: what it holds below that revision may be something else, and the puller starts again.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from firmware_py.core.errors import BadCursor

VERSION = 1
MAX_LENGTH = 512
HASH_LENGTH = 16  # of 64 hex digits: chance, not an adversary, is what it guards against
MAX_SEQ = 2**53
_HELP = "this is no cursor: give back `next` of an earlier answer as it was, or nothing to start from the beginning"


@dataclass(frozen=True, slots=True)
class Place:
    """Everything up to revision `after` was given, from a state whose newest event was `head_seq` with `head_hash`."""

    journal: str
    after: int
    head_seq: int
    head_hash: str


def text_of(place: Place) -> str:
    """The cursor that names a place."""
    content = {
        "v": VERSION,
        "journal": place.journal,
        "after": place.after,
        "seq": place.head_seq,
        "hash": place.head_hash[:HASH_LENGTH],
    }
    return base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).rstrip(b"=").decode()


def place_of(text: str) -> Place | None:
    """The place that a cursor names; None for the empty one, and for one of a newer version: from the beginning.

    Raises:
        BadCursor: no node has ever answered this.
    """
    if not text:
        return None
    content = _content(text)
    version = content.get("v")
    if type(version) is not int or version < VERSION:
        raise BadCursor(_HELP)
    if version > VERSION:
        return None
    journal, after, seq, hash_ = (content.get(name) for name in ("journal", "after", "seq", "hash"))
    if not isinstance(journal, str) or not isinstance(hash_, str):
        raise BadCursor(_HELP)
    if type(after) is not int or type(seq) is not int or not 0 <= after <= seq <= MAX_SEQ:
        raise BadCursor(_HELP)
    return Place(journal, after, seq, hash_)


def _content(text: str) -> dict[str, Any]:
    if len(text) > MAX_LENGTH:
        raise BadCursor(_HELP)
    try:
        padded = text + "=" * (-len(text) % 4)
        content = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:  # not ASCII, not base64, not UTF-8, not JSON
        raise BadCursor(_HELP) from error
    if not isinstance(content, dict):
        raise BadCursor(_HELP)
    return content
