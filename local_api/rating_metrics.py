"""Ratings, opening hours and devices' time as counters that survive a restart, out of the series' totals.

A counter must never go down, and a correction takes a rating back. So `nucuoi_ratings_total` is gross: every rating at the
time it was given; what was taken back since is a counter of its own, and what stands is the difference. Gross is `ratings`
plus `ratings_corrected`, level by level: whatever a correction takes from the one it adds to the other, in one commit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, product
from typing import get_args

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, InfoMetricFamily, Metric

from config.settings import Settings
from firmware_py.core.ports import SeriesTotal
from firmware_py.core.series import Series, add_parts
from firmware_py.features.ratings.folding import (
    CORRECTED,
    CORRECTED_DEFINITION,
    DEFINITION,
    DELAY,
    EXCLUDED,
    HOUR_ESTIMATED,
    RATINGS,
)
from firmware_py.features.ratings.rules import Reason
from firmware_py.features.ratings.scale import definition_of
from firmware_py.features.timekeeping.spans import DEVICE_SECONDS, OPEN_SECONDS

MS_PER_S = 1000
Labels = tuple[str, ...]


def rating_families(settings: Settings, totals: Sequence[SeriesTotal]) -> Iterator[Metric]:
    """Everything about ratings. What is configured is there from the start, as 0: else the first press would be no increase."""
    counters = [counter.id for counter in settings.counters]
    levels = [str(level) for level in range(1, settings.ratings.levels + 1)]
    by_level = list(product(counters, levels))
    # Corrections of definition 1 named no level: they are in neither counter, so the difference is right all the same.
    corrected = _sums(totals, CORRECTED, ("counter", "level"), by_level, definition=CORRECTED_DEFINITION)
    gross = _sums(totals, RATINGS, ("counter", "level"), by_level)
    gross.update(corrected)  # a Counter's update adds
    yield _counter(
        "nucuoi_ratings",
        "Ratings that counted when they were given. What stands is these less nucuoi_ratings_corrected_total.",
        ("counter", "level"),
        gross,
    )
    yield _counter(
        "nucuoi_ratings_corrected",
        "Ratings taken back by another press of the same citizen, by the level that was taken back.",
        ("counter", "level"),
        corrected,
    )
    by_reason = list(product(counters, get_args(Reason)))
    yield _counter(
        "nucuoi_ratings_excluded",
        "Presses that are kept and do not count.",
        ("counter", "reason"),
        _sums(totals, EXCLUDED, ("counter", "reason"), by_reason),
    )
    yield _counter(
        "nucuoi_ratings_hour_estimated",
        "Presses whose hour is known only within bounds.",
        ("counter",),
        _sums(totals, HOUR_ESTIMATED, ("counter",), [(counter,) for counter in counters]),
    )
    yield _delay(totals, counters)
    scale = settings.ratings
    yield InfoMetricFamily(
        "nucuoi_rating_scale",
        "The scale of this site: level 1 is the worst, satisfied is every level from satisfied_from.",
        {
            "levels": str(scale.levels),
            "satisfied_from": str(scale.satisfied_from),
            "definition": str(definition_of(scale.levels, scale.satisfied_from)),
        },
    )


def time_families(totals: Sequence[SeriesTotal]) -> Iterator[Metric]:
    """Seconds within opening hours."""
    for name, text, series, labels in (
        ("nucuoi_open_seconds", "Opening hours by what the node was: up, or unknown.", OPEN_SECONDS, ("state",)),
        ("nucuoi_device_seconds", "Opening hours by what a device was.", DEVICE_SECONDS, ("device", "state")),
    ):
        yield _counter(name, text, labels, _sums(totals, series, labels, ()), per=MS_PER_S)


def _sums(
    totals: Iterable[SeriesTotal],
    series: Series,
    names: Sequence[str],
    expected: Iterable[Labels],
    *,
    definition: int | None = None,
) -> Counter[Labels]:
    """A series' sums by its labels, over all definitions or of one; what is expected and has none yet is 0."""
    sums: Counter[Labels] = Counter(dict.fromkeys(expected, 0))
    for one in totals:
        if one.series == series.name and definition in (None, one.definition):
            sums[tuple(one.labels.get(name, "") for name in names)] += one.parts[0]
    return sums


def _counter(name: str, text: str, labels: Sequence[str], sums: Counter[Labels], *, per: int = 1) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, amount in sorted(sums.items()):
        family.add_metric(values, amount / per)
    return family


def _delay(totals: Iterable[SeriesTotal], counters: Iterable[str]) -> Metric:
    """From the finger to the decision: late presses show as slow ones."""
    family = HistogramMetricFamily(
        "nucuoi_rating_delay_seconds", "From the finger to the decision.", labels=["counter"]
    )
    sums = dict.fromkeys(counters, (0,) * DELAY.width)
    for one in totals:
        if one.series == DELAY.name and one.definition == DEFINITION:
            counter = one.labels["counter"]
            sums[counter] = add_parts(sums[counter], one.parts) if counter in sums else one.parts
    bounds = [*map(repr, DELAY.bounds_s), "+Inf"]
    for counter, (*counts, sum_ms) in sorted(sums.items()):
        cumulative = [(bound, float(count)) for bound, count in zip(bounds, accumulate(counts), strict=True)]
        family.add_metric([counter], cumulative, sum_ms / MS_PER_S)
    return family
