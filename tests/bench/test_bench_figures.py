"""The bench judges by these rules, and asks a journal with a past that must be a real one."""

import json

import pytest
from big_journal import PRESSES_A_DAY, build
from figures import Figure, as_json, percentile, ratio_at_least, ratio_at_most, table, value_at_most
from journal_bench import SITE_FILE

from config.loading import load
from config.opening import OpeningHours
from devices.kinds import settings_by_kind
from firmware_py.app import node_features
from firmware_py.core.journal.verify import verify


def figure(value, floor, aim=None):
    return Figure("press", value, floor, "bare commit", "ms", aim)


@pytest.mark.parametrize(
    ("value", "floor", "aim", "met"),
    [
        (2.0, 1.0, ratio_at_most(2), True),
        (2.1, 1.0, ratio_at_most(2), False),
        (3.0, 1.0, ratio_at_least(3), True),
        (2.9, 1.0, ratio_at_least(3), False),
        (100.0, 1.0, value_at_most(100), True),
        (101.0, 200.0, value_at_most(100), False),
        (9.0, 1.0, None, None),
    ],
)
def test_an_aim_bounds_the_ratio_or_the_value_and_the_bound_itself_is_met(value, floor, aim, met):
    assert figure(value, floor, aim).met is met


def test_a_percentile_is_a_sample_and_the_highest_is_within_reach():
    samples = [float(number) for number in range(100, 0, -1)]
    assert percentile(samples, 0.5) == 51
    assert percentile(samples, 0.99) == 100
    assert percentile([7.0], 0.99) == 7


def test_the_table_names_what_is_missed():
    lines = table([figure(2.5, 1.0, ratio_at_most(2)), figure(12345.6, 0.5)]).splitlines()
    assert "2.50x" in lines[2]
    assert "<= 2x" in lines[2]
    assert "MISSED" in lines[2]
    assert "12,346 ms" in lines[3]
    assert len({len(line) for line in lines}) == 1


def test_a_floor_of_nothing_is_no_number_in_json():
    told = json.loads(as_json([figure(1.0, 0.0)]))["figures"][0]
    assert told["ratio"] is None
    assert told["met"] is None


def test_the_journal_with_a_past_is_one_that_verify_finds_good(tmp_path):
    presses = 1500
    build(tmp_path / "node", presses, lambda _: None)
    settings = load(SITE_FILE, settings_by_kind())
    features = node_features(settings, OpeningHours(settings.site))
    verdict = verify(tmp_path / "node" / "journal.db", features)
    assert verdict.findings == ()
    ticks = 2  # at the start and after an hour's presses
    assert verdict.events == presses + ticks + 3  # started, trusted, stopped
    assert presses < PRESSES_A_DAY
