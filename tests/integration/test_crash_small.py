"""A small `make crash`: the same command with a few kills, so that neither the node nor the harness breaks unseen."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[1] / "crash" / "run.py"
HEADINGS = ("lost", "doubled", "different")


@pytest.mark.crash
@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler (Debian: gcc, libc6-dev)")
def test_every_acknowledged_press_reaches_the_city_once_through_kills_and_power_cuts() -> None:
    ended = subprocess.run(
        [sys.executable, RUN, "--cycles", "4", "--bite-cycles", "2", "--seed", "4"],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    rows = table(ended.stdout)
    assert set(rows) == {"kill", "power", "bite OFF", "bite NORMAL"}
    for trial in ("kill", "power"):
        assert [rows[trial][heading] for heading in HEADINGS] == ["0", "0", "0"]
        assert int(rows[trial]["presses"]) > 0
    for trial in ("bite OFF", "bite NORMAL"):
        assert int(rows[trial]["lost"]) > 0


def table(printed: str) -> dict[str, dict[str, str]]:
    """The summary's figures under their headings, for each trial. Its columns stand at least two blanks apart."""
    lines = printed.splitlines()
    (head,) = (number for number, line in enumerate(lines) if line.lstrip().startswith("trial  "))
    headings = lines[head].split()
    rows: dict[str, dict[str, str]] = {}
    for line in lines[head + 1 :]:
        cells = [cell.strip() for cell in line.strip().split("  ") if cell.strip()]
        if len(cells) == len(headings):
            rows[cells[0]] = dict(zip(headings, cells, strict=True))
    return rows
