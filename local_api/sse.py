"""Server-sent events as text."""

from __future__ import annotations

import json
from typing import Any

TYPE = "text/event-stream; charset=utf-8"
RETRY_MS = 2000
HEARTBEAT = ": alive\n\n"


def opening() -> str:
    """What every stream begins with: how soon to come back, and bytes so that proxies show it is open."""
    return f"retry: {RETRY_MS}\n: nucuoi\n\n"


def frame(event: str, data: Any, event_id: str | None = None) -> str:
    """One event; `data` as one line of JSON."""
    identity = f"id: {event_id}\n" if event_id is not None else ""
    return f"{identity}event: {event}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"
