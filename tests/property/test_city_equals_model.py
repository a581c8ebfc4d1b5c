"""Whatever happens to node, network and city, in any order: in the end the city equals a plain model.

And each rule that makes it so, taken out, is missed."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from city_stores import CityStore, PostgresStore
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from support.postgres import Cluster
from wards import Ward
from worlds import Rules, World

import sync.outbox
import sync.receiver.home
import sync.receiver.intake
from firmware_py.core.journal.folding import FoldingTables
from firmware_py.core.journal.writer import Journal
from firmware_py.core.ports import Transaction
from sync.outbox import Load, LoadedBucket
from sync.receiver.merge import Content, Verdict


class Ward(Ward):
    """Presses, corrections, trust, restarts, restores, and a network that loses, delays, repeats and reorders."""

    rules_in_force: Rules = Rules()
    cluster: Cluster | None = None  # the city's: PostgreSQL instead of SQLite

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="nucuoi-ward-"))
        store = PostgresStore(self.cluster) if self.cluster else None
        self.world = World(self._folder, self.rules_in_force, store)

    @rule(counter=st.sampled_from("12"), level=st.integers(1, 3))
    def press(self, counter: str, level: int) -> None:
        self.world.press(counter, level)

    @rule(counter=st.sampled_from("12"), level=st.integers(1, 3), ago_s=st.sampled_from([1, 3, 6, 9, 60, 700]))
    def press_that_arrives_late(self, counter: str, level: int, ago_s: float) -> None:
        self.world.press(counter, level, ago_s)

    @rule(fate=st.sampled_from(["answered", "answered", "lost", "answer lost", "late"]))
    def send(self, fate: str) -> None:
        letter = self.world.write_letter()
        if letter is None or fate == "lost":
            return
        if fate == "late":
            self.world.late.append(letter)
            return
        answer = self.world.deliver(letter)
        if fate == "answered":
            self.world.read_answer(letter, answer)

    @rule(which=st.integers(0, 5), again=st.booleans())
    def late_batch_arrives(self, which: int, again: bool) -> None:
        if which < len(self.world.late):
            self.world.deliver(self.world.late[which] if again else self.world.late.pop(which))

    @rule()
    def back_up_card(self) -> None:
        self.world.back_up_card()

    @rule()
    def restore_card(self) -> None:
        self.world.restore_card()

    @rule()
    def back_up_city(self) -> None:
        self.world.back_up_city()

    @rule()
    def restore_city(self) -> None:
        self.world.restore_city()

    def teardown(self) -> None:
        try:
            self.world.check()
        finally:
            self.world.close()
            shutil.rmtree(self._folder)


SETTINGS = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)


@pytest.mark.slow
def test_any_interleaving_ends_with_the_city_equal_to_the_model() -> None:
    run_state_machine_as_test(Ward, settings=SETTINGS)  # type: ignore[no-untyped-call]


@pytest.mark.slow
def test_a_city_on_postgresql_ends_the_same(postgres: Cluster) -> None:
    class WardOnPostgresql(Ward):
        cluster = postgres

    few = settings(SETTINGS, max_examples=12)
    run_state_machine_as_test(WardOnPostgresql, settings=few)  # type: ignore[no-untyped-call]


# --- each rule, taken out ------------------------------------------------------------------------------------------------------


class OneEpochForever(Rules):
    """The epoch lives as long as the database."""

    def journal_started(self, journal: Journal) -> None:
        journal._epoch = "e" * 32


class HalvesOfABatch(Rules):
    """A batch is no transaction: power or network can end it half-way."""

    def sent(self, load: Load) -> list[list[dict[str, Any]]]:
        return [[item.wire for item in load.buckets[: (len(load.buckets) + 1) // 2]]]


def accepted_whatever_it_is_now(tx: Transaction, bucket: LoadedBucket, read_at: str) -> None:
    """An acceptance clears the bucket, also of what was folded in after the batch was read."""
    del read_at
    tx.execute("UPDATE bucket SET accepted_revision = revision, pending_since = NULL WHERE id = ?", (bucket.id,))


def never_moved(connection: Any, settings: Any) -> None:
    """A restored city goes on under its old name."""
    del connection, settings


def latest_arrival_wins(held: Content | None, offered: Content, *, sealed: bool) -> Verdict:
    """No revisions: the city keeps what came last."""
    del held, sealed
    return Verdict("accepted", offered.revision, keep=offered)


def any_epoch_s_bucket(self: FoldingTables, delta: Any) -> None:
    """Older epochs' buckets are written again, as if an hour had one bucket whoever runs."""
    event = self._current()
    row = self.row(
        "SELECT epoch FROM bucket WHERE hour = ? AND series = ? AND labels = ? ORDER BY id LIMIT 1",
        (delta.hour, delta.series.name, delta.labels),
    )
    epoch = row[0] if row else event.epoch
    key = (delta.hour, delta.series.name, delta.labels, epoch, int(delta.simulated), delta.definition)
    self._own.append((key, delta, event))


def scenario(world: World, script: str) -> None:
    """A story in words, for the rules that chance finds too rarely to be asked for it at every test run."""
    steps = {
        "press": lambda: world.press("1", 3),
        "press2": lambda: world.press("2", 2),
        "correct": lambda: world.press("1", 1),
        "wait": lambda: world.advance(60),
        "send": lambda: _send(world),
        "send slowly": lambda: _send_while_pressed(world),
        "half arrives": lambda: _half_arrives(world),
        "late": lambda: _late(world),
        "arrives": lambda: world.deliver(world.late.pop(0)),
        "save card": world.back_up_card,
        "restore card": world.restore_card,
        "save city": world.back_up_city,
        "restore city": world.restore_city,
        "restart": world.restart,
        "trust": world.trust,
        "tick": world.tick,
    }
    for step in script.split(", "):
        steps[step]()


def _send(world: World) -> None:
    letter = world.write_letter()
    if letter is not None:
        world.read_answer(letter, world.deliver(letter))


def _send_while_pressed(world: World) -> None:
    """The answer comes after another press was folded into the same bucket."""
    letter = world.write_letter()
    assert letter is not None
    world.press("1", 3)
    world.read_answer(letter, world.deliver(letter))


def _half_arrives(world: World) -> None:
    """The connection breaks; with the rule in force the city has all of the batch or nothing."""
    letter = world.write_letter()
    assert letter is not None
    world.deliver(letter)


def _late(world: World) -> None:
    letter = world.write_letter()
    assert letter is not None
    world.late.append(letter)


RESTORED_CARD = "press, save card, wait, press, send, wait, press, send, restore card, trust, press, send"
RESTORED_CITY = "save city, press, send, restore city, wait, press2, send"
LATE_BATCH = "press, late, wait, press, send, arrives"
SLOW_ANSWER = "press, wait, send slowly"
CUT_IN_A_CORRECTION = "press, send, save card, correct, half arrives, restore card, trust"


def played(tmp_path: Path, script: str, rules: Rules | None = None, store: CityStore | None = None) -> World:
    world = World(tmp_path, rules, store)
    try:
        scenario(world, script)
        world.check()
    finally:
        world.close()
    return world


STORIES = [RESTORED_CARD, RESTORED_CITY, LATE_BATCH, SLOW_ANSWER, CUT_IN_A_CORRECTION]


@pytest.mark.parametrize("script", STORIES)
def test_with_every_rule_in_force_the_stories_end_well(tmp_path: Path, script: str) -> None:
    played(tmp_path, script)


@pytest.mark.parametrize("script", STORIES)
def test_the_stories_end_well_on_postgresql(tmp_path: Path, postgres: Cluster, script: str) -> None:
    played(tmp_path, script, store=PostgresStore(postgres))


def test_one_epoch_for_the_life_of_a_database_loses_presses_after_a_restore(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        played(tmp_path, RESTORED_CARD, OneEpochForever())


def test_writing_older_epochs_buckets_loses_presses_after_a_restore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FoldingTables, "add", any_epoch_s_bucket)
    with pytest.raises(AssertionError):
        played(tmp_path, RESTORED_CARD)


def test_a_restored_city_under_its_old_name_stays_poorer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync.receiver.home, "_moved_because", never_moved)
    with pytest.raises(AssertionError):
        played(tmp_path, RESTORED_CITY)


def test_a_city_on_postgresql_under_its_old_name_stays_poorer(
    tmp_path: Path, postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync.receiver.home, "_moved_because", never_moved)
    with pytest.raises(AssertionError):
        played(tmp_path, RESTORED_CITY, store=PostgresStore(postgres))


def test_without_revisions_a_late_batch_turns_the_city_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync.receiver.intake, "judge", latest_arrival_wins)
    with pytest.raises(AssertionError):
        played(tmp_path, LATE_BATCH)


def test_a_batch_that_arrives_by_halves_leaves_a_correction_half_done(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        played(tmp_path, CUT_IN_A_CORRECTION, HalvesOfABatch())


def test_an_acceptance_of_more_than_was_sent_loses_a_press(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync.outbox, "_mark_accepted", accepted_whatever_it_is_now)
    with pytest.raises(AssertionError):
        played(tmp_path, SLOW_ANSWER)


def test_chance_too_misses_the_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The random model itself, not only the story, notices that the epoch is gone."""

    class WardWithOneEpoch(Ward):
        rules_in_force = OneEpochForever()

    seek = settings(SETTINGS, max_examples=400, phases=[Phase.generate], derandomize=True, database=None)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(WardWithOneEpoch, settings=seek)  # type: ignore[no-untyped-call]
