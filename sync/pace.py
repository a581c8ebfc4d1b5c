"""How fast a backlog goes: pure arithmetic. After an outage all nodes of a city have days to send, and it has one database."""

from __future__ import annotations

UNBOUNDED = 0.0


def pause_s(buckets: int, took_s: float, max_buckets_per_s: float) -> float:
    """How long to wait, in seconds, after a batch that took so long, so that the rate is kept; `UNBOUNDED`: not at all."""
    if max_buckets_per_s == UNBOUNDED:
        return 0.0
    return max(0.0, buckets / max_buckets_per_s - took_s)
