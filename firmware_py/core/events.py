"""Events: immutable facts in the past tense, and the chain of hashes that shows a later edit.

An event type is a string declared with what of it may leave over the live stream: a vote is confidential towards the
officer, so no stream carries its level.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Purpose = Literal["normal", "test"]
Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What a decision wants to be true: the journal adds identity, time and hash."""

    type: str
    data: Data
    source: str
    simulated: bool = False
    purpose: Purpose = "normal"


@dataclass(frozen=True, slots=True)
class Event:
    """A fact in the journal. `time` is civil time in UTC as the node knew it, believed only if `clock_trusted`."""

    seq: int
    id: str
    type: str
    source: str
    time: str
    boot_id: str
    uptime_s: float
    clock_trusted: bool
    epoch: str
    simulated: bool
    purpose: Purpose
    data: Data
    hash: str


# Encoders made once: json.dumps with options makes one at every call, a quarter of a press's time. They do not look for
# circles: nothing that was made from JSON or of plain fields has one (and a circle would still end as RecursionError).
_OPTIONS: Mapping[str, Any] = {
    "separators": (",", ":"),
    "ensure_ascii": False,
    "allow_nan": False,
    "check_circular": False,
}
_CANONICAL = json.JSONEncoder(sort_keys=True, **_OPTIONS).encode
_COMPACT = json.JSONEncoder(**_OPTIONS).encode


def canonical_json(value: Any) -> str:
    """The one text of a JSON value: sorted keys, no blanks, UTF-8 kept. Hashes and identities are made of it."""
    return _CANONICAL(value)


def chain_hash(previous: str, fields: tuple[object, ...]) -> str:
    """SHA-256 over the previous event's hash and this one's immutable fields, in column order (`data` as its text)."""
    return hashlib.sha256(_COMPACT((previous, *fields)).encode()).hexdigest()


def uuid7() -> str:
    """A UUID version 7 (RFC 9562): 48 bits of milliseconds, then random, so that ids sort roughly by time."""
    head = f"{time.time_ns() // 1_000_000 & 0xFFFF_FFFF_FFFF:012x}"
    tail = os.urandom(10).hex()
    variant = "89ab"[int(tail[3], 16) & 0x3]
    return f"{head[:8]}-{head[8:]}-7{tail[:3]}-{variant}{tail[4:7]}-{tail[7:19]}"
