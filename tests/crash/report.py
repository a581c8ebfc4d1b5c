"""What a trial did and found, and how people read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compare import Figures, Verdict

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Report:
    """One trial. `biting`: its node was relaxed, so that it must be caught losing.

    kills_outstanding: kills with a press that was written to the node and not acknowledged; kills_durable: with such a
    press that the journal had already kept. repeated: answers that came as a repetition of one that was lost.
    trouble: what was wrong apart from the reckoning.
    """

    name: str
    biting: bool
    kills: int
    kills_outstanding: int
    kills_durable: int
    presses_http: int
    presses_wire: int
    repeated: int
    city: Figures
    verdict: Verdict
    trouble: Sequence[str]
    syncs: int
    seconds: float

    @property
    def as_it_must(self) -> bool:
        """Nothing lost, nothing twice, the same everywhere; of a relaxed node, that losses were found."""
        return bool(self.verdict.lost) if self.biting else self.verdict.good and not self.trouble

    def row(self) -> dict[str, str]:
        """The figures under their headings."""
        figures: dict[str, object] = {
            "trial": self.name,
            "kills": self.kills,
            "unanswered": self.kills_outstanding,
            "durable": self.kills_durable,
            "presses": self.presses_http + self.presses_wire,
            "http": self.presses_http,
            "wire": self.presses_wire,
            "repeated": self.repeated,
            "counted": self.city.n,
            "corrected": self.city.corrected,
            "excluded": sum(self.city.excluded.values()),
            "lost": len(self.verdict.lost),
            "doubled": len(self.verdict.doubled),
            "different": len(self.verdict.different),
            "syncs": self.syncs,
            "s/kill": f"{self.seconds / self.kills:.2f}",
            "verdict": "as it must" if self.as_it_must else "FAILED",
        }
        return {heading: str(figure) for heading, figure in figures.items()}


def table(reports: Sequence[Report]) -> Iterator[str]:
    """All trials, one line each."""
    rows = [report.row() for report in reports]
    lines = [list(rows[0]), *(list(row.values()) for row in rows)] if rows else []
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))


def findings(report: Report) -> Iterator[str]:
    """What is wrong, in words; of a relaxed node only whether it was caught."""
    if report.biting:
        caught = "caught, as it must be" if report.as_it_must else "NOT CAUGHT: the power-loss model does not bite"
        yield f"{report.name}: {caught}"
        return
    for name, found in (
        ("lost", report.verdict.lost),
        ("doubled", report.verdict.doubled),
        ("different", report.verdict.different),
        ("trouble", report.trouble),
    ):
        for text in found[:MOST_SHOWN]:
            yield f"{report.name}: {name}: {text}"
        if len(found) > MOST_SHOWN:
            yield f"{report.name}: {name}: and {len(found) - MOST_SHOWN} more"
