"""What the city's pages show, as texts and addresses: the templates only place them. No rate without what stands behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext

from firmware_py.core.clock import parse_iso
from firmware_py.look.faces import MOUTHS
from sync.receiver import words
from sync.receiver.figures import Figures, Operation, Ratings, operation_of, ratings_together
from sync.receiver.periods import HOUR, Span, day_of
from sync.receiver.ranking import Ranked
from sync.receiver.scoreboard import DayLine, Need, SiteScore

FACES = tuple(reversed(MOUTHS[5]))  # best first, as everywhere


@dataclass(frozen=True, slots=True)
class RateText:
    """A satisfaction rate with what stands behind it; without a rate, why there is none."""

    rate: str | None
    basis: str
    why_none: str


@dataclass(frozen=True, slots=True)
class LevelRow:
    """One level: always its face, its word and its number together. `share_percent`: of all, for the bar."""

    face: int
    word: str
    count: str
    share_percent: int | None


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One site on the city's page."""

    site: str
    rank: int | None
    rate: RateText
    levels: tuple[str | None, ...]  # in the order of FACES; None: its scale has no such face
    days: str
    unknown: str
    seen: str
    is_lost: bool
    is_new: bool  # not one word of it yet


@dataclass(frozen=True, slots=True)
class CounterRow:
    """One counter on a site's page."""

    name: str
    rate: RateText
    levels: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device on a site's page."""

    name: str
    place: str
    availability: str
    sentence: str
    needs_care: bool


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node on a site's page."""

    name: str
    sentence: str
    final_until: str
    needs_care: bool


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day of a site. The values beside the texts are what the chart draws."""

    iso: str
    text: str
    n: int
    n_text: str
    rate_percent: int | None
    rate_text: str
    availability: str
    status: str
    status_name: str


@dataclass(frozen=True, slots=True)
class NeedRow:
    """What needs a person."""

    site: str
    sentence: str
    is_over: bool


def rate_text(ratings: Ratings, operation: Operation) -> RateText:
    """A rate in words."""
    rate = ratings.rate_ratio
    return RateText(
        None if rate is None else words.share(rate), words.basis(ratings, operation), words.why_no_rate(ratings)
    )


def level_rows(ratings: Ratings) -> list[LevelRow]:
    """The levels of a scale, best first."""
    return [
        LevelRow(
            mouth,
            str(words.FACE_WORDS[mouth]),
            words.count(count),
            None if ratings.rate_ratio is None else round(100 * count / ratings.n),
        )
        for mouth, count in sorted(ratings.by_mouth.items(), reverse=True)
    ]


def site_row(ranked: Ranked[SiteScore], now: datetime) -> SiteRow:
    """A site's line."""
    score = ranked.site
    unknown = score.figures.opening.unknown_ratio
    return SiteRow(
        site=score.site,
        rank=ranked.rank,
        rate=rate_text(score.ratings, score.figures.operation),
        levels=_levels(score.ratings),
        days=words.days_words(score.days),
        unknown=gettext("%(share)s giờ mở cửa không rõ", share=words.share(unknown)) if unknown else "",
        seen=words.seen_words(None if score.last_seen is None else parse_iso(score.last_seen), now),
        is_lost=all(line.silence.is_lost for line in score.nodes),
        is_new=score.last_seen is None,
    )


def counter_rows(figures: Figures) -> list[CounterRow]:
    """A site's counters."""
    return [
        CounterRow(name, rate_text(its.ratings, its.operation), _levels(its.ratings))
        for name, its in figures.counters.items()
    ]


def device_rows(score: SiteScore, needs: Iterable[Need], now: datetime) -> list[DeviceRow]:
    """A site's devices, those that need somebody now first. An outage that is over is a figure, no alarm."""
    out = {need.device for need in needs if not need.is_over}
    silences = {line.name: line.silence for line in score.nodes}
    rows = [
        DeviceRow(
            line.key.device,
            gettext("Quầy %(counter)s", counter=line.key.counter) if line.key.counter is not None else line.key.node,
            gettext("hoạt động %(share)s", share=_availability(line.operation)),
            words.device_words(line, silences[line.key.node], now),
            line.state in ("lost", "untold") or line.key in out,
        )
        for line in score.devices
    ]
    return sorted(rows, key=lambda row: not row.needs_care)


def node_rows(score: SiteScore, now: datetime) -> list[NodeRow]:
    """A site's nodes, those that need somebody first."""
    rows = [
        NodeRow(
            line.name,
            words.node_words(line.silence, now),
            gettext("Chưa chốt giờ nào.")
            if line.heard.final_until is None
            else gettext("Đã chốt đến %(time)s.", time=words.clock_text(parse_iso(line.heard.final_until) + HOUR, now)),
            line.silence.is_lost,
        )
        for line in score.nodes
    ]
    return sorted(rows, key=lambda row: not row.needs_care)


def day_rows(lines: Iterable[DayLine]) -> list[DayRow]:
    """A site's days, in the order that they come in."""
    rows = []
    for line in lines:
        ratings = line.figures.ratings
        rate = ratings.rate_ratio
        rows.append(
            DayRow(
                line.day.isoformat(),
                words.day_text(line.day),
                ratings.n,
                words.count(ratings.n),
                None if rate is None else round(100 * rate),
                words.why_no_rate(ratings) if rate is None else words.share(rate),
                _availability(line.figures.operation),
                "" if line.status is None else str(words.STATUS_WORDS[line.status]),
                line.status or "none",
            )
        )
    return rows


def need_rows(needs: Sequence[Need], now: datetime) -> list[NeedRow]:
    """What needs a person, in sentences."""
    return [NeedRow(need.site, words.need_words(need, now), need.is_over) for need in needs]


def excluded_rows(ratings: Ratings) -> list[tuple[str, str]]:
    """What was kept and not counted: why, and how many."""
    return [(words.reason_words(reason), words.count(count)) for reason, count in ratings.excluded.items() if count]


def city_rate(scores: Sequence[SiteScore]) -> tuple[Ratings, RateText]:
    """All sites together."""
    ratings = ratings_together(score.ratings for score in scores)
    return ratings, rate_text(ratings, operation_of(score.figures.operation for score in scores))


def span_words(span: Span, now: datetime) -> str:
    """Which days the figures are of."""
    if span.start is None and span.end is None:
        return gettext("Mọi dữ liệu từ đầu đến nay")
    first = "" if span.start is None else _edge(parse_iso(span.start))
    last = _edge(now if span.end is None else parse_iso(span.end) - HOUR)
    if first == last:
        return first
    return (
        gettext("đến %(last)s", last=last) if not first else gettext("%(first)s đến %(last)s", first=first, last=last)
    )


def date_values(span: Span, today: date) -> tuple[str, str]:
    """What the two fields of the period hold."""
    first = "" if span.start is None else words.day_text(day_of(parse_iso(span.start)))
    last = today if span.end is None else day_of(parse_iso(span.end) - HOUR)
    return first, words.day_text(last)


def _edge(moment: datetime) -> str:
    return words.day_text(day_of(moment))


def _levels(ratings: Ratings) -> tuple[str | None, ...]:
    return tuple(words.count(ratings.by_mouth[face]) if face in ratings.by_mouth else None for face in FACES)


def _availability(operation: Operation) -> str:
    ratio = operation.availability_ratio
    return gettext("Chưa rõ") if ratio is None else words.share(ratio)
