"""What a reader may ask of the scoreboard, and the JSON that answers: pydantic models whose descriptions are the reference."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sync.protocol import Name
from sync.receiver.days import DayStatus
from sync.receiver.figures import Figures, Opening, Operation, Ratings
from sync.receiver.periods import PeriodName, Span, period_span, span_of
from sync.receiver.scoreboard import DayLine, SiteScore, age_s
from sync.receiver.silence import DeviceState, NodeState

RATE_DIGITS = 6


class PeriodQuery(BaseModel):
    """Which hours, and real or simulated figures."""

    model_config = ConfigDict(populate_by_name=True)

    from_: str | None = Field(None, alias="from", description="A date (a day in Vietnam) or a time with its zone.")
    to: str | None = Field(None, description="The same; a date is included.")
    period: PeriodName | None = Field(None, description="Instead of `from` and `to`: a period that ends today.")
    simulated: Literal["true", "false"] = Field("false", description="Simulated figures instead of the real ones.")

    @model_validator(mode="after")
    def _one_period(self) -> PeriodQuery:
        if self.period is not None and (self.from_ is not None or self.to is not None):
            raise ValueError("`period` stands instead of `from` and `to`, not beside them")
        span_of(self.from_, self.to)
        return self

    @property
    def is_simulated(self) -> bool:
        """Simulated figures were asked for."""
        return self.simulated == "true"

    def named(self, default: PeriodName) -> PeriodName | None:
        """The period's name; None where `from` or `to` say which hours."""
        return self.period or (default if self.from_ is None and self.to is None else None)

    def span(self, today: date, default: PeriodName) -> Span:
        """The hours that were asked for."""
        name = self.named(default)
        return span_of(self.from_, self.to) if name is None else period_span(name, today)


class BoardQuery(PeriodQuery):
    """What a reader of the scoreboard may ask."""

    site: Name | None = Field(None, description="One site; an unknown one is an empty list.")
    sort: Literal["name", "rate"] = Field("name", description="The order of the page; JSON and CSV are by name.")


class RatingsAnswer(BaseModel):
    """Ratings of a site, a counter or a day."""

    n: int = Field(description="Ratings that count.")
    by_level: dict[str, int] = Field(
        description="Level, 1 the worst, to how many. Below zero while a correction is ahead."
    )
    satisfied: int = Field(description="How many of them are satisfied, each by its own scale.")
    satisfaction_rate: float | None = Field(description="satisfied / n, 0 to 1; null without ratings.")
    corrected: int = Field(description="Taken back by another answer of the same citizen; not in n.")
    excluded: dict[str, int] = Field(description="Kept but not counted, by reason; not in n.")

    @classmethod
    def of(cls, ratings: Ratings) -> RatingsAnswer:
        """The ratings as the API says them."""
        return cls(
            n=ratings.n,
            by_level={str(level): count for level, count in sorted(ratings.by_level.items())},
            satisfied=ratings.satisfied,
            satisfaction_rate=ratings.rate_ratio,
            corrected=ratings.corrected,
            excluded=dict(ratings.excluded),
        )


class AvailabilityAnswer(BaseModel):
    """How long rating devices worked, within opening hours."""

    available_s: float = Field(description="Seconds, added up over the devices.")
    unavailable_s: float = Field(description="Seconds, added up over the devices.")
    ratio: float | None = Field(
        description="available / (available + unavailable), 0 to 1; null: no device said anything."
    )

    @classmethod
    def of(cls, operation: Operation) -> AvailabilityAnswer:
        """The operation as the API says it."""
        ratio = operation.availability_ratio
        return cls(
            available_s=operation.available_ms / 1000,
            unavailable_s=operation.unavailable_ms / 1000,
            ratio=None if ratio is None else round(ratio, RATE_DIGITS),
        )


class CounterAnswer(BaseModel):
    """One counter of a site."""

    counter: str
    ratings: RatingsAnswer
    availability: AvailabilityAnswer = Field(description="Of the devices that say that they stand at this counter.")


class NodeAnswer(BaseModel):
    """One node of a site."""

    node: str
    last_seen: str | None = Field(description="When its newest batch was taken, by the city's clock.")
    data_age_s: float | None = Field(description="Seconds since then.")
    state: NodeState = Field(description="never, lost (opening hours passed without a word), quiet (closed), heard.")
    final_until: str | None = Field(description="The newest hour that it declared final, with all before it.")


class DeviceAnswer(BaseModel):
    """One device of a site, in the period."""

    node: str
    device: str
    counter: str | None = Field(description="Where it stands; null: its node does not say it.")
    availability: AvailabilityAnswer
    state: DeviceState = Field(
        description="lost (nothing is known of its node), unavailable (for a while or all the time), unused (it worked, "
        "nobody rated), working, closed (no opening hours), untold (opening hours, and no word of it)."
    )


class DayCountsAnswer(BaseModel):
    """How many days of the period are worth what; days of which nobody told are in none."""

    final: int
    provisional: int
    late: int


class SiteAnswer(BaseModel):
    """One site's line."""

    site: str
    ratings: RatingsAnswer
    availability: AvailabilityAnswer
    open_seconds: dict[str, float] = Field(description="Opening hours by state: `up`, or `unknown` (nobody knows).")
    days: DayCountsAnswer | None = Field(description="null: the period has no beginning, or more than 366 days.")
    last_seen: str | None
    data_age_s: float | None
    counters: list[CounterAnswer]
    nodes: list[NodeAnswer]
    devices: list[DeviceAnswer]


class BoardAnswer(BaseModel):
    """The scoreboard."""

    simulated: bool
    hours: dict[str, str | None] = Field(description="`from` <= hour < `to`; null is open.")
    sites: list[SiteAnswer]


class DayAnswer(BaseModel):
    """One day of a site."""

    day: date = Field(description="A day in Vietnam.")
    status: DayStatus | None = Field(description="null: nothing is known of it.")
    ratings: RatingsAnswer
    availability: AvailabilityAnswer
    open_seconds: dict[str, float]


class DaysAnswer(BaseModel):
    """A site day by day, oldest first."""

    simulated: bool
    site: str
    days: list[DayAnswer]


def site_answer(score: SiteScore, now: datetime) -> SiteAnswer:
    """A site's line as the API says it."""
    figures = score.figures
    return SiteAnswer(
        site=score.site,
        **_common(figures),
        days=None
        if score.days is None
        else DayCountsAnswer(final=score.days.final, provisional=score.days.provisional, late=score.days.late),
        last_seen=score.last_seen,
        data_age_s=age_s(score.last_seen, now),
        counters=[
            CounterAnswer(
                counter=name, ratings=RatingsAnswer.of(its.ratings), availability=AvailabilityAnswer.of(its.operation)
            )
            for name, its in figures.counters.items()
        ],
        nodes=[
            NodeAnswer(
                node=line.name, last_seen=line.last_seen, data_age_s=age_s(line.last_seen, now),
                state=line.silence.state, final_until=line.heard.final_until,
            )
            for line in score.nodes
        ],
        devices=[
            DeviceAnswer(
                node=line.key.node, device=line.key.device, counter=line.key.counter,
                availability=AvailabilityAnswer.of(line.operation), state=line.state,
            )
            for line in score.devices
        ],
    )  # fmt: skip


def day_answer(line: DayLine) -> DayAnswer:
    """A day as the API says it."""
    return DayAnswer(day=line.day, status=line.status, **_common(line.figures))


def _common(figures: Figures) -> dict[str, Any]:
    return {
        "ratings": RatingsAnswer.of(figures.ratings),
        "availability": AvailabilityAnswer.of(figures.operation),
        "open_seconds": _open_seconds(figures.opening),
    }


def _open_seconds(opening: Opening) -> dict[str, float]:
    told = {"up": opening.up_ms, "unknown": opening.unknown_ms}
    return {state: ms / 1000 for state, ms in told.items() if ms}
