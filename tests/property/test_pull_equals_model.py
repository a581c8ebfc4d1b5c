"""Who pulls page by page ends with what the model has, whatever happens to the node meanwhile, and never sees a half of a
correction. And each rule that makes it so, taken out, is missed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from pullers import PullWorld
from wards import Ward

import sync.pull
from firmware_py.core.ports import Reader
from sync.batching import HourKey
from sync.cursor import Place
from sync.outbox import LoadedBucket, loaded


class PulledWard(Ward):
    """Presses, corrections, trust, restarts and restores, and pages of any size in between."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="nucuoi-pulled-"))
        self.world = PullWorld(self._folder)

    @rule(counter=st.sampled_from("12"), level=st.integers(1, 3), ago_s=st.sampled_from([0, 0, 0, 1, 3, 9, 60, 700]))
    def press(self, counter: str, level: int, ago_s: float) -> None:
        self.world.press(counter, level, ago_s)

    @rule()
    def a_correction_over_the_hour(self) -> None:
        """In UTC, as the node knows it; if nobody trusts the clock it is some other hour's matter."""
        utc = self.world.clock.utc
        self.world.advance(3600 - (utc.minute * 60 + utc.second) - 2 + 3600 * (utc.minute == 59))
        self.world.press("1", 3)
        self.world.advance(3)
        self.world.press("1", 1)

    @rule()
    def back_up_card(self) -> None:
        self.world.back_up_card()

    @rule()
    def restore_card(self) -> None:
        self.world.restore_card()

    @rule(limit=st.sampled_from([1, 1, 2, 3, 5, 500]))
    def pull(self, limit: int) -> None:
        self.world.pull(limit)

    @rule(limit=st.sampled_from([1, 4, 500]))
    def pull_all(self, limit: int) -> None:
        self.world.pull_all(limit)

    def teardown(self) -> None:
        try:
            self.world.check_puller()
        finally:
            self.world.close()
            shutil.rmtree(self._folder)


SETTINGS = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)


@pytest.mark.slow
def test_any_interleaving_ends_with_the_puller_equal_to_the_model() -> None:
    run_state_machine_as_test(PulledWard, settings=SETTINGS)  # type: ignore[no-untyped-call]


# --- each rule, taken out ------------------------------------------------------------------------------------------------------


def corrected_while_paging(world: PullWorld) -> None:
    """A correction, and after it another press of the level that it set: its bucket has moved on to a later page."""
    world.press("1", 1)
    world.press("1", 2)
    world.advance(60)
    world.press("1", 2)
    world.pull(1)


def corrected_over_the_hour(world: PullWorld) -> None:
    """Monday, 08:59:58 and 09:00:01; what the second hour has of it has moved on."""
    world.advance(3598)
    world.press("1", 1)
    world.advance(3)
    world.press("1", 2)
    world.advance(60)
    world.press("1", 5)
    world.pull(1)


def restored_behind_the_puller(world: PullWorld) -> None:
    """What happens after the restore has lower numbers than the puller has seen."""
    world.press("1", 1)
    world.back_up_card()
    for _ in range(9):
        world.advance(60)
        world.press("1", 1)
    world.pull_all(500)
    world.restore_card()
    world.trust()
    world.press("1", 3)


def pressed_into_an_ended_hour(world: PullWorld) -> None:
    """A bucket that was settled changes again."""
    world.press("1", 1)
    world.advance(3600)
    world.tick()
    world.pull_all(500)
    world.press("1", 1, ago_s=3590)


def played(tmp_path: Path, story: Callable[[PullWorld], None]) -> None:
    world = PullWorld(tmp_path)
    try:
        story(world)
        world.check_puller()
    finally:
        world.close()


@pytest.mark.parametrize(
    "story",
    [corrected_while_paging, corrected_over_the_hour, restored_behind_the_puller, pressed_into_an_ended_hour],
)
def test_with_every_rule_in_force_the_stories_end_well(tmp_path: Path, story: Callable[[PullWorld], None]) -> None:
    played(tmp_path, story)


def only_what_is_due(view: Reader, start: int, limit: int) -> list[LoadedBucket]:
    """The next `limit` buckets, and nothing for belonging to them."""
    ids = [id_ for _, id_ in sync.pull._changed(view, start, limit)]
    return [
        loaded(row) for id_ in ids for row in view.rows(f"SELECT {sync.pull.COLUMNS} FROM bucket WHERE id = ?", (id_,))
    ]


def not_joined(_view: Reader, hours: set[HourKey]) -> set[HourKey]:
    return hours


def anybodys(_view: Reader, _journal_id: str, _place: Place) -> bool:
    return True


def test_pages_by_revision_alone_part_a_correction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync.pull, "_together", only_what_is_due)
    with pytest.raises(AssertionError, match="half of the correction"):
        played(tmp_path, corrected_while_paging)


def test_without_links_a_correction_over_the_hour_is_parted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync.pull, "_joined", not_joined)
    with pytest.raises(AssertionError, match="half of the correction"):
        played(tmp_path, corrected_over_the_hour)


def test_a_cursor_of_another_history_hides_what_happened_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync.pull, "_is_ours", anybodys)
    with pytest.raises(AssertionError):
        played(tmp_path, restored_behind_the_puller)
