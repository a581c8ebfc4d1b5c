"""docs/protocol.md says what the code does."""

import re
from pathlib import Path
from typing import get_args

from firmware_py.features.ratings.rules import Reason
from firmware_py.features.ratings.scale import SCALES
from sync.protocol import MAX_BATCH_BUCKETS, MAX_BODY_BYTES, MAX_RECEIVED_BUCKETS, MAX_UNPACKED_BYTES, ResultOutcome
from sync.receiver.merge import KNOWN_SERIES

TEXT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()


def test_every_scale_stands_there_with_its_levels():
    found = re.findall(r"\| (\d) \| (\d) \| (\d) ", TEXT)
    assert {int(number): (int(levels), int(from_)) for number, levels, from_ in found} == {
        number: (scale.levels, scale.satisfied_from) for number, scale in SCALES.items()
    }


def test_every_series_and_outcome_stands_there():
    for name in (
        *KNOWN_SERIES,
        *get_args(ResultOutcome),
        "unknown_definition",
        "future",
        "sealed",
        "invalid",
    ):
        assert f"`{name}`" in TEXT


def test_every_reason_of_an_exclusion_stands_there():
    [row] = [line for line in TEXT.splitlines() if line.startswith("| `ratings_excluded`")]
    assert all(f"`{reason}`" in row for reason in get_args(Reason))


def test_the_limits_are_the_codes():
    assert f"0 to {MAX_RECEIVED_BUCKETS:,}; a node sends up to {MAX_BATCH_BUCKETS}" in TEXT
    assert f"{MAX_BODY_BYTES // 2**20} MiB as it travels, {MAX_UNPACKED_BYTES // 2**20} MiB unpacked" in TEXT


def test_every_problem_of_the_receiver_stands_there():
    folder = Path(__file__).parents[2] / "sync" / "receiver"
    codes = {
        code
        for path in folder.glob("*.py")
        for code in re.findall(r'ProblemError\(\s*(?:\d{3}), "(\w+)"', path.read_text())
    }
    assert len(codes) > 8
    for code in codes - {"internal", "argument"}:
        assert f"`{code}`" in TEXT, code


def test_every_series_that_the_node_folds_is_known_to_the_city():
    folder = Path(__file__).parents[2] / "firmware_py" / "features"
    folded = {name for path in folder.rglob("*.py") for name in re.findall(r'= Series\("(\w+)"', path.read_text())}
    assert folded
    assert folded <= KNOWN_SERIES.keys()
