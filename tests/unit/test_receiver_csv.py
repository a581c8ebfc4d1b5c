"""The CSV that a spreadsheet opens: its mark, its names, and nothing in it that would be run."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest

from sync.receiver.csv_files import DAY_FIELDS, SITE_FIELDS, cell, days_csv, sites_csv
from sync.receiver.figures import Sum, figures_of
from sync.receiver.periods import Span
from sync.receiver.scoreboard import DayCounts, DayLine, NodeLine, score_of
from sync.receiver.silence import NodeSilence

NODE = NodeLine("hub", "2026-11-24T03:20:00.000Z", NodeSilence("heard"))
SUMS = [
    Sum("ratings", {"counter": "1", "level": "5"}, 1, 7, "hub"),
    Sum("ratings", {"counter": "1", "level": "1"}, 1, 1, "hub"),
    Sum("ratings_excluded", {"counter": "1", "reason": "lockout"}, 1, 2, "hub"),
    Sum("ratings_excluded", {"counter": "1", "reason": "of a newer node"}, 1, 3, "hub"),
    Sum("device_seconds", {"device": "panel-1", "state": "available"}, 1, 90_000, "hub"),
    Sum("device_seconds", {"device": "panel-1", "state": "unavailable"}, 1, 30_000, "hub"),
]


def read(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline="")))


def test_it_begins_with_the_mark_by_which_excel_knows_utf_8_and_lines_end_as_rfc_4180_says() -> None:
    text = sites_csv([score_of("s", SUMS, [NODE])], Span(), simulated=False)
    assert text.startswith(b"\xef\xbb\xbfsite,simulated,")
    assert text.count(b"\r\n") == text.count(b"\n") == 2


def test_a_row_has_plain_numbers() -> None:
    [row] = read(sites_csv([score_of("s", SUMS, [NODE], DayCounts(27, 1, 2))], Span("a", None), simulated=True))
    assert list(row) == list(SITE_FIELDS)
    assert (row["n"], row["satisfied"], row["satisfaction_rate"]) == ("8", "7", "0.875")
    assert (row["availability"], row["available_s"]) == ("0.75", "90.0")
    assert (row["excluded_lockout"], row["excluded_other"]) == ("2", "3")
    assert (row["days_final"], row["days_provisional"], row["days_late"]) == ("27", "1", "2")
    assert (row["simulated"], row["from"], row["to"]) == ("true", "a", "")


def test_no_data_is_an_empty_cell_and_no_zero_per_cent() -> None:
    [row] = read(sites_csv([score_of("s", [], [NODE])], Span(), simulated=False))
    assert (row["n"], row["satisfaction_rate"], row["availability"], row["days_final"]) == ("0", "", "", "")


def test_a_level_that_the_scale_does_not_have_is_empty() -> None:
    sums = [Sum("ratings", {"counter": "1", "level": "3"}, 8, 7, "hub")]
    [row] = read(sites_csv([score_of("s", sums, [NODE])], Span(), simulated=False))
    assert [row[f"level_{level}"] for level in range(1, 6)] == ["0", "0", "7", "", ""]


def test_the_days() -> None:
    lines = [DayLine(date(2026, 11, 23), figures_of(SUMS), "late"), DayLine(date(2026, 11, 24), figures_of([]), None)]
    first, second = read(days_csv("s", lines, simulated=False))
    assert list(first) == list(DAY_FIELDS)
    assert (first["day"], first["status"], first["n"]) == ("2026-11-23", "late", "8")
    assert (second["status"], second["n"], second["satisfaction_rate"]) == ("", "0", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_a_spreadsheet_would_run_is_quoted(start: str) -> None:
    assert cell(f"{start}SUM(A1)") == f"'{start}SUM(A1)"


def test_a_site_may_have_such_a_name() -> None:
    [row] = read(sites_csv([score_of("-2+3", [], [NODE])], Span(), simulated=False))
    assert row["site"] == "'-2+3"


def test_numbers_are_left_alone() -> None:
    assert [cell(value) for value in (-3, 0.5, None, "a-b")] == [-3, 0.5, None, "a-b"]
