"""A ward's node and the city in one hand: the real journal, the real outbox, the real receiver, and a network that does what
a test says. Restarts, power cuts, restored cards and restored cities are method calls."""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from city_stores import CityStore, SqliteStore
from plain_model import NodeMemory, PlainModel, What
from sqlalchemy import text
from support.fake_clock import FakeClock
from support.journals import do, hall_features, running_journal

from firmware_py.core.clock import iso_hour
from firmware_py.core.contracts import Accepted, GiveRating, StartNode, Tick, TrustClock
from firmware_py.core.events import Event
from firmware_py.core.journal.verify import verify
from firmware_py.core.journal.writer import Journal
from sync.outbox import Load, Outbox
from sync.protocol import BatchAnswer
from sync.receiver.app import create_app
from sync.receiver.credentials import add_node
from sync.receiver.opening import open_engine

TOKEN = "a-token-for-the-test"
WRONG_TIME = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


@dataclass
class Letter:
    """A batch on its way, and what it says in the model's words."""

    load: Load
    says: dict[int, Any]


class Rules:
    """The rules that hold a world together; a test takes one out by overriding it."""

    def journal_started(self, journal: Journal) -> None:
        """A new random epoch at every process start: nothing to do, the journal does it."""

    def sent(self, load: Load) -> list[list[dict[str, Any]]]:
        """What one correction moved travels in one batch."""
        return [[item.wire for item in load.buckets]]


class World:
    """One node, one city."""

    def __init__(self, folder: Path, rules: Rules | None = None, store: CityStore | None = None) -> None:
        self.rules = rules or Rules()
        self.model = PlainModel()
        self.clock = FakeClock()
        self.true_utc = self.clock.utc
        self._node_dir = folder / "node"
        self.store = store or SqliteStore(folder)
        self._node_dir.mkdir()
        self._numbers = itertools.count(1)
        self._boots = itertools.count(2)
        self.late: list[Letter] = []
        self.conflicts = 0
        self._card: tuple[Path, NodeMemory] | None = None
        self._city_copy: dict[int, Any] | None = None  # what had been delivered when it was made
        self._open_city()
        add_node(self.engine, "ward", "hub", TOKEN)
        self._start()

    # --- the node

    def _start(self) -> None:
        self._running: AbstractContextManager[Journal] = running_journal(self._node_dir, self.clock, hall_features())
        self.journal = self._running.__enter__()
        self.rules.journal_started(self.journal)
        self.outbox = Outbox(self.journal, self.clock)
        do(self.journal, StartNode(source="node", version="test"))
        if self.clock.now().trusted:
            self._say_trusted()

    def _stop(self) -> None:
        self._running.__exit__(None, None, None)

    def press(self, counter: str, level: int, ago_s: float = 0.0) -> Accepted:
        """A citizen presses, or pressed a while ago; the node's word must be the model's, and a retry changes nothing."""
        now = self.clock.now()
        key = f"key-{next(self._numbers)}"
        wish = GiveRating(source="panel", key=key, counter=counter, level=level, pressed_ago_s=ago_s)
        outcome = do(self.journal, wish)
        assert isinstance(outcome, Accepted)
        expected = self.model.press(
            counter,
            level,
            boot_id=now.boot_id,
            uptime_s=now.uptime_s - ago_s,
            hour=iso_hour(now.utc - timedelta(seconds=ago_s)) if now.trusted else None,
            epoch=self.journal.epoch,
        )
        assert (outcome.result["reason"] or outcome.result["outcome"]) == expected
        again = do(self.journal, wish)
        assert isinstance(again, Accepted)
        assert again.duplicate
        assert again.result == outcome.result
        return outcome

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.true_utc += timedelta(seconds=seconds)

    def tick(self) -> None:
        do(self.journal, Tick(source="node"))

    def restart(self) -> None:
        """The process dies and is started again; the computer goes on."""
        self._stop()
        self._start()

    def power_cut(self, outage_s: float = 60) -> None:
        """The computer loses power: another boot, with a clock that nobody trusts."""
        self._stop()
        self.advance(outage_s)
        self.clock.reboot(f"boot-{next(self._boots)}", WRONG_TIME)
        self._start()

    def trust(self) -> None:
        if not self.clock.now().trusted:
            self.clock.trust((self.true_utc - self.clock.utc).total_seconds())
            self._say_trusted()

    def _say_trusted(self) -> None:
        outcome = do(self.journal, TrustClock(source="clock", origin="network"))
        assert isinstance(outcome, Accepted)
        self._placed(outcome.events)
        hours = [str(event.data["hour"]) for event in outcome.events if event.type == "rating.placed"]
        self.model.trust(hours, self.journal.epoch)

    def _placed(self, events: Sequence[Event]) -> None:
        """The clock is trusted, and this came of it: for worlds that want to know."""

    def back_up_card(self) -> None:
        """Backups are taken only when no event waits for a trusted clock."""
        if self.model.node.waiting or not self.clock.now().trusted:
            return
        copy = self._node_dir.parent / "card.db"
        with closing(sqlite3.connect(self.journal.path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        self._card = (copy, self.model.node.copy())

    def restore_card(self) -> None:
        """The card is put back as it was: by a person, or because it lied about its syncs."""
        if self._card is None:
            return
        copy, memory = self._card
        self._stop()
        for old in self._node_dir.iterdir():
            old.unlink()
        shutil.copy(copy, self.journal.path)
        self.model.node = memory.copy()
        self.advance(60)
        self.clock.reboot(f"boot-{next(self._boots)}", WRONG_TIME)
        self._start()

    # --- the network

    def write_letter(self) -> Letter | None:
        load = self.outbox.load(500)
        if load is None:
            return None
        hours = {(item.key.epoch, item.key.hour) for item in load.buckets}
        return Letter(load, self.model.in_hours(hours))

    def deliver(self, letter: Letter) -> BatchAnswer:
        """The city gets a batch, now or later, once or again."""
        results: list[dict[str, Any]] = []
        store = ""
        for part in self.rules.sent(letter.load):
            answer = self._post(part)
            store = answer["store"]
            results += [{**one, "index": one["index"] + len(results)} for one in answer["results"]]
        self.model.delivered.update(letter.says)
        self.conflicts += sum(one["outcome"] in ("conflict", "rejected") for one in results)
        return BatchAnswer(batch="read", store=store, results=results)

    def _post(self, wires: list[dict[str, Any]]) -> Any:
        body = {
            "schema": 1, "site": "ward", "node": "hub", "batch": f"batch-{next(self._numbers):04}",
            "chain_head": self.journal.chain_head(), "buckets": wires,
        }  # fmt: skip
        response = self.city.post(
            "/v1/nodes/hub/buckets",
            data=json.dumps(body),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        )
        assert response.status_code == 200, response.get_data(as_text=True)
        return response.get_json()

    def read_answer(self, letter: Letter, answer: BatchAnswer) -> None:
        self.outbox.apply(letter.load, answer)

    def settle(self) -> None:
        """The network heals, the clock is trusted, an hour ends: everything reaches the city."""
        for letter in self.late:
            self.deliver(letter)
        self.late.clear()
        self.trust()
        self.tick()
        for _ in range(100):
            letter = self.write_letter()
            if letter is None:
                return
            self.read_answer(letter, self.deliver(letter))
        raise AssertionError("the outbox never empties")

    # --- the city

    def _open_city(self) -> None:
        self.engine = open_engine(self.store.url)
        self.city = create_app(self.engine, open_on_loopback=True, now=lambda: self.true_utc).test_client()

    def back_up_city(self) -> None:
        self.engine.dispose()  # PostgreSQL copies a database only while nobody is connected
        self.store.back_up()
        self._city_copy = dict(self.model.delivered)

    def restore_city(self) -> None:
        """The city is put back as it was. That it gets a new store id is its own doing."""
        if self._city_copy is None:
            return
        self.engine.dispose()
        self.store.restore()
        self._open_city()
        self.model.delivered = dict(self._city_copy)

    # --- the end

    def city_counts(self) -> dict[What, int]:
        """What the city's buckets add up to, summed over epochs and hours; its running totals must say the same."""
        with self.engine.begin() as city:
            from_buckets, from_totals = (
                {
                    (series, labels): int(amount)
                    for series, labels, amount in city.execute(
                        text(f"SELECT series, labels, sum(amount) FROM {table} GROUP BY series, labels")
                    )
                    if amount
                }
                for table in ("bucket", "total")
            )
        assert from_totals == from_buckets
        counts = {}
        for (series, labels), amount in from_buckets.items():
            said = json.loads(labels)
            if series in ("ratings", "ratings_corrected", "ratings_excluded"):
                counts[series, said["counter"], said.get("level", said.get("reason", ""))] = amount
        return counts

    def check(self) -> None:
        """The city equals the model, nothing is in conflict, and the node's buckets equal its events."""
        self.settle()
        assert self.city_counts() == self.model.expected()
        assert self.conflicts == 0
        verdict = verify(self.journal.path, hall_features())
        assert verdict.findings == ()

    def close(self) -> None:
        self._stop()
        self.engine.dispose()
        self.store.close()
