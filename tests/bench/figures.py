"""A figure and its floor: what was measured, against what, and what was aimed at.

A number of milliseconds says as much about the machine as about the program. So every figure stands beside a floor that
was measured in the same run, in turns with it, and what is judged is mostly their ratio.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Aim:
    """A bound on the `ratio` or on the `value` itself; `at_least` or `at_most`."""

    of: Literal["ratio", "value"]
    side: Literal["at_most", "at_least"]
    bound: float

    def text(self, unit: str) -> str:
        sign = "<=" if self.side == "at_most" else ">="
        return f"{sign} {self.bound:g}x" if self.of == "ratio" else f"{sign} {self.bound:g} {unit}"


def ratio_at_most(bound: float) -> Aim:
    return Aim("ratio", "at_most", bound)


def ratio_at_least(bound: float) -> Aim:
    return Aim("ratio", "at_least", bound)


def value_at_most(bound: float) -> Aim:
    return Aim("value", "at_most", bound)


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table; `value` and `floor` are in `unit`. `aim` None: told, not judged."""

    name: str
    value: float
    floor: float
    floor_name: str
    unit: str
    aim: Aim | None = None

    @property
    def ratio(self) -> float:
        return self.value / self.floor if self.floor else math.inf

    @property
    def met(self) -> bool | None:
        if self.aim is None:
            return None
        told = self.ratio if self.aim.of == "ratio" else self.value
        return told <= self.aim.bound if self.aim.side == "at_most" else told >= self.aim.bound


def percentile(samples: Sequence[float], share: float) -> float:
    """The sample below which `share` (0 to 1) of all lie; p50 is `percentile(samples, 0.5)`."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def median(samples: Sequence[float]) -> float:
    return statistics.median(samples)


def table(figures: Sequence[Figure]) -> str:
    """All figures as one table that is also valid Markdown."""
    head = ("figure", "value", "floor", "ratio", "aim", "")
    rows = [head, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def as_json(figures: Sequence[Figure]) -> str:
    told = [
        {**asdict(figure), "ratio": figure.ratio if math.isfinite(figure.ratio) else None, "met": figure.met}
        for figure in figures
    ]
    return json.dumps({"figures": told}, indent=2, ensure_ascii=False)


def _row(figure: Figure) -> tuple[str, ...]:
    met = {True: "met", False: "MISSED", None: ""}[figure.met]
    return (
        figure.name,
        f"{_number(figure.value)} {figure.unit}",
        f"{_number(figure.floor)} {figure.unit} ({figure.floor_name})",
        f"{figure.ratio:.2f}x",
        figure.aim.text(figure.unit) if figure.aim else "",
        met,
    )


def _number(value: float) -> str:
    """Three digits that count; thousands with their separator."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
