"""The wire schema between a node, a relaying hub and the city (schema 1), as pydantic models. See docs/protocol.md."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

SCHEMA = 1
MAX_BATCH_BUCKETS = 500  # what a node sends at once, unless hours that belong together are more
MAX_RECEIVED_BUCKETS = 5000  # what a receiver takes at once; more is answered 413
MAX_BODY_BYTES = 4 * 1024 * 1024  # as it travels
MAX_UNPACKED_BYTES = 32 * 1024 * 1024  # after gzip: a small body must not become a large memory

Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Hex = Annotated[str, StringConstraints(min_length=8, max_length=128, pattern=r"^[0-9a-f]+$")]
HourText = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:00:00Z$")]
Printable = StringConstraints(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")  # PostgreSQL takes no NUL in a text
MAX_INTEGER = 2**53  # what every JSON reader keeps exactly
MAX_COUNT = 10**9  # in one hour; keeps every sum at the city within 64 bits


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CountValue(_Wire):
    """A counter's hour; negative where a correction of an older epoch's event was folded into this one."""

    count: int = Field(ge=-MAX_COUNT, le=MAX_COUNT)


class SecondsValue(_Wire):
    """A state's seconds in an hour, to the millisecond."""

    seconds: float = Field(ge=-1e9, le=1e9, allow_inf_nan=False)


class HistogramValue(_Wire):
    """A distribution: one count per bound and one above them all, and the observations' sum."""

    bounds_s: list[Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]] = Field(min_length=1, max_length=64)
    counts: list[Annotated[int, Field(ge=-MAX_COUNT, le=MAX_COUNT)]] = Field(max_length=65)
    sum_s: float = Field(ge=-1e12, le=1e12, allow_inf_nan=False)

    @model_validator(mode="after")
    def _shapes_fit(self) -> HistogramValue:
        if len(self.counts) != len(self.bounds_s) + 1:
            raise ValueError("counts must be one longer than bounds_s")
        if any(a >= b for a, b in zip(self.bounds_s, self.bounds_s[1:], strict=False)):
            raise ValueError("bounds_s must rise")
        return self


class WireBucket(_Wire):
    """One series' value for one hour of one epoch: absolute state, the highest revision wins."""

    epoch: Hex
    series: Name
    labels: dict[Name, Annotated[str, Printable]] = Field(max_length=16)
    hour: HourText
    revision: int = Field(ge=1, le=MAX_INTEGER)
    definition: int = Field(ge=1, le=1_000_000)
    final: bool = False
    partial: bool = False
    simulated: bool
    value: CountValue | SecondsValue | HistogramValue

    @field_validator("hour")
    @classmethod
    def _hour_exists(cls, hour: str) -> str:
        datetime.fromisoformat(hour)  # 2026-02-31 has the right shape and is no day
        return hour


class Batch(_Wire):
    """What a node sends at once. What one correction moved travels in one batch; the receiver applies it in one transaction.

    `buckets` are validated one by one at the receiver, so that one bad bucket is rejected and the others are taken.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)  # a newer node may say more
    schema_: Literal[1] = Field(alias="schema")
    site: Name
    node: Name
    batch: Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[0-9A-Za-z-]+$")]
    chain_head: Hex
    buckets: list[dict[str, Any]] = Field(
        max_length=MAX_RECEIVED_BUCKETS,
        description="Each of the shape of WireBucket; one that is not is `rejected`, and the others are taken",
    )


ResultOutcome = Literal["accepted", "stale", "conflict", "relayed", "rejected"]


class BucketResult(BaseModel):
    """The receiver's word on one bucket: `revision` is what it holds now, `code` says why it was rejected."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    index: int = Field(ge=0)
    outcome: ResultOutcome
    revision: int | None = None
    code: str | None = None


class BatchAnswer(BaseModel):
    """The receiver's answer. One that does not echo the batch is no answer: captive portals say 200 too."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    batch: str
    store: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    results: list[BucketResult]
