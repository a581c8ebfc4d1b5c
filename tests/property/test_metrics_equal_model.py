"""What /metrics counts equals the model and the buckets, whatever happens, and never goes down but for a restored card."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test
from support.journals import totals
from wards import Ward
from worlds import World

from config.settings import Settings
from firmware_py.core.ports import SeriesTotal
from local_api.rating_metrics import rating_families

SITE = Settings.model_validate(
    {
        "site": {
            "id": "ward",
            "name": "Trung tâm thử",
            "mode": "simulation",
            "opening": [{"days": ["mon"], "spans": ["07:30-11:30"]}],
        },
        "city": {"url": "embedded"},
        "clock": {"trust": ["host"]},
        "counter": [{"id": "1", "name": "Quầy 1"}, {"id": "2", "name": "Quầy 2"}],
    }
)
Sample = dict[tuple[str, tuple[str, ...]], float]


def scraped(own: list[SeriesTotal]) -> Sample:
    """Every sample of a counter, as Prometheus would keep it."""
    return {
        (one.name, tuple(one.labels.values())): one.value
        for family in rating_families(SITE, own)
        for one in family.samples
        if family.type in ("counter", "histogram")
    }


class ScrapedWard(Ward):
    """Presses, corrections, trust, restarts and restores, and a scrape after each."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="nucuoi-scraped-"))
        self.world = World(self._folder)
        self.before: Sample = {}

    @rule(counter=st.sampled_from("12"), level=st.integers(1, 3), ago_s=st.sampled_from([0, 0, 1, 3, 9, 60, 700]))
    def press(self, counter: str, level: int, ago_s: float) -> None:
        self.world.press(counter, level, ago_s)

    @rule()
    def back_up_card(self) -> None:
        self.world.back_up_card()

    @rule()
    def restore_card(self) -> None:
        """The only thing that may take a counter back: those ratings are gone from this node."""
        self.world.restore_card()
        self.before = {}

    @invariant()
    def equals_the_model_and_the_buckets(self) -> None:
        own = self.world.journal.totals(20)
        assert own is not None
        now = scraped(list(own))
        assert all(now[which] >= value for which, value in self.before.items())
        self.before = now
        gross, corrected, excluded = (
            {labels: count for (name, labels), count in now.items() if name == f"nucuoi_ratings{kind}_total" and count}
            for kind in ("", "_corrected", "_excluded")
        )
        assert (gross, corrected, excluded) == self._model()
        net = Counter(gross)
        net.subtract(corrected)
        by_level: Counter[str] = Counter()
        for (_, level), count in net.items():
            by_level[level] += int(count)
        assert {level: n for level, n in by_level.items() if n} == totals(
            self.world.journal.reader(), "ratings", "level"
        )

    def _model(self) -> tuple[dict[tuple[str, str], int], ...]:
        sums: dict[str, Counter[tuple[str, str]]] = {
            name: Counter() for name in ("ratings", "ratings_corrected", "ratings_excluded")
        }
        for move in self.world.model.node.moves.values():
            series, counter, label = move.what
            sums[series][counter, label] += move.amount
        sums["ratings"].update(sums["ratings_corrected"])
        return tuple({what: n for what, n in one.items() if n} for one in sums.values())

    def teardown(self) -> None:
        self.world.close()
        shutil.rmtree(self._folder)


SETTINGS = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)


@pytest.mark.slow
def test_a_scrape_at_any_time_equals_the_model() -> None:
    run_state_machine_as_test(ScrapedWard, settings=SETTINGS)  # type: ignore[no-untyped-call]
