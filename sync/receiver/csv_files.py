"""The figures as CSV for a spreadsheet: RFC 4180, in UTF-8 with the mark by which Excel knows it, field names that stay.

A text that a spreadsheet would run as a formula gets an apostrophe in front; a number stays a plain number.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from sync.receiver.answers import RATE_DIGITS
from sync.receiver.figures import Figures
from sync.receiver.periods import Span
from sync.receiver.scoreboard import DayLine, SiteScore

CONTENT_TYPE = "text/csv; charset=utf-8"
MARK = "\ufeff"
#: What makes a spreadsheet take a cell for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
REASONS = ("repeat", "lockout", "superseded", "outside_opening_hours")
LEVELS = range(1, 6)

FIGURE_FIELDS = (
    "n", "satisfied", "satisfaction_rate", *(f"level_{level}" for level in LEVELS), "corrected",
    *(f"excluded_{reason}" for reason in REASONS), "excluded_other",
    "available_s", "unavailable_s", "availability", "open_up_s", "open_unknown_s",
)  # fmt: skip
SITE_FIELDS = (
    "site", "simulated", "from", "to", *FIGURE_FIELDS, "days_final", "days_provisional", "days_late", "last_seen",
)  # fmt: skip
DAY_FIELDS = ("site", "simulated", "day", "status", *FIGURE_FIELDS)


def sites_csv(scores: Iterable[SiteScore], span: Span, *, simulated: bool) -> bytes:
    """A row a site."""
    return _file(SITE_FIELDS, (_site_row(score, span, simulated=simulated) for score in scores))


def days_csv(site: str, lines: Iterable[DayLine], *, simulated: bool) -> bytes:
    """A row a day."""
    rows = (
        {"site": site, "simulated": str(simulated).lower(), "day": line.day.isoformat(), "status": line.status}
        | _figures(line.figures)
        for line in lines
    )
    return _file(DAY_FIELDS, rows)


def cell(value: Any) -> Any:
    """A value as it may stand in a cell: a text that looks like a formula is quoted, and nothing is an empty cell."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return value


def _file(fields: tuple[str, ...], rows: Iterable[Mapping[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fields)  # its own defaults are RFC 4180: comma, CRLF, doubled quotes
    writer.writeheader()
    for row in rows:
        writer.writerow({name: cell(value) for name, value in row.items()})
    return (MARK + text.getvalue()).encode()


def _site_row(score: SiteScore, span: Span, *, simulated: bool) -> dict[str, Any]:
    days = score.days
    return {
        "site": score.site,
        "simulated": str(simulated).lower(),
        "from": span.start,
        "to": span.end,
        **_figures(score.figures),
        "days_final": None if days is None else days.final,
        "days_provisional": None if days is None else days.provisional,
        "days_late": None if days is None else days.late,
        "last_seen": score.last_seen,
    }


def _figures(figures: Figures) -> dict[str, Any]:
    ratings, operation, opening = figures.ratings, figures.operation, figures.opening
    other = sum(count for reason, count in ratings.excluded.items() if reason not in REASONS)
    return {
        "n": ratings.n,
        "satisfied": ratings.satisfied,
        "satisfaction_rate": _ratio(ratings.rate_ratio),
        **{f"level_{level}": ratings.by_level.get(level) for level in LEVELS},
        "corrected": ratings.corrected,
        **{f"excluded_{reason}": ratings.excluded.get(reason, 0) for reason in REASONS},
        "excluded_other": other,
        "available_s": operation.available_ms / 1000,
        "unavailable_s": operation.unavailable_ms / 1000,
        "availability": _ratio(operation.availability_ratio),
        "open_up_s": opening.up_ms / 1000,
        "open_unknown_s": opening.unknown_ms / 1000,
    }


def _ratio(ratio: float | None) -> float | None:
    return None if ratio is None else round(ratio, RATE_DIGITS)
