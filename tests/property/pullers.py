"""A world in which somebody pulls: the real journal, the real pages, and a puller that keeps what it is given."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from plain_model import Move, What
from support.journals import hall_features
from worlds import World

from firmware_py.core.clock import iso_hour
from firmware_py.core.contracts import Accepted
from firmware_py.core.events import Event
from firmware_py.core.journal.verify import verify
from firmware_py.core.ports import BucketPage
from sync.protocol import WireBucket
from sync.pull import read_page

RATINGS = ("ratings", "ratings_corrected", "ratings_excluded")


class Key(NamedTuple):
    """Which bucket; labels as JSON."""

    epoch: str
    hour: str
    series: str
    labels: str


class Word(NamedTuple):
    """What a rating event said, and the hour it stands in (None: it waits)."""

    level: int
    hour: str | None


class Correction(NamedTuple):
    """One correction's event, and the buckets that it changed."""

    seq: int
    keys: tuple[Key, ...]


class Puller:
    """It knows the protocol and nothing else: per bucket the greatest, a page in one transaction."""

    def __init__(self) -> None:
        self.cursor = ""
        self.held: dict[Key, dict[str, Any]] = {}

    def take(self, page: BucketPage) -> None:
        for wire in page.buckets:
            WireBucket.model_validate(wire)
            key = Key(wire["epoch"], wire["hour"], wire["series"], json.dumps(wire["labels"], sort_keys=True))
            held = self.held.get(key)
            if held is None or held["revision"] < wire["revision"]:
                self.held[key] = dict(wire)
            elif held["revision"] == wire["revision"]:
                assert held == wire, "one revision, two contents"
        self.cursor = page.next

    def counts(self) -> dict[What, int]:
        """Sums over epochs and hours."""
        sums: Counter[What] = Counter()
        for key, wire in self.held.items():
            if key.series in RATINGS:
                labels = wire["labels"]
                sums[key.series, labels["counter"], labels.get("level", labels.get("reason", ""))] += wire["value"][
                    "count"
                ]
        return {what: count for what, count in sums.items() if count}

    def below_zero(self) -> list[tuple[str, str, str]]:
        """Hours in which more ratings of a level were taken back than given."""
        sums: Counter[tuple[str, str, str]] = Counter()
        for key, wire in self.held.items():
            if key.series in RATINGS:
                sums[key.hour, key.series, key.labels] += wire["value"]["count"]
        return [where for where, count in sums.items() if count < 0]

    def has(self, key: Key, seq: int) -> bool:
        return key in self.held and self.held[key]["revision"] >= seq


class PullWorld(World):
    """One node, and one who pulls from it."""

    def __init__(self, folder: Path) -> None:
        self._words: dict[int, Word] = {}
        self.corrections: list[Correction] = []
        self.pulled: dict[int, Move] = {}
        self.puller = Puller()
        super().__init__(folder)

    def press(self, counter: str, level: int, ago_s: float = 0.0) -> Accepted:
        now = self.clock.now()
        outcome = super().press(counter, level, ago_s)
        (event,) = outcome.events
        pressed_in = iso_hour(now.utc - timedelta(seconds=ago_s)) if now.trusted else None
        hour = pressed_in
        if event.data["outcome"] == "corrected":
            before = self._words[event.data["corrects"]]
            hour = before.hour
            if hour is not None:
                self._note(event, before, hour, pressed_in)
        self._words[event.seq] = Word(level, hour)
        return outcome

    def _note(self, event: Event, before: Word, hour: str, pressed_in: str | None) -> None:
        counter, level = event.data["counter"], event.data["level"]
        keys = [
            Key(event.epoch, hour, series, json.dumps({"counter": counter, "level": str(one)}, sort_keys=True))
            for series, one in (
                ("ratings", before.level),
                ("ratings", level),
                ("ratings_corrected", before.level),
            )
        ]
        if pressed_in is not None:
            keys.append(Key(event.epoch, pressed_in, "rating_delay", json.dumps({"counter": counter})))
        self.corrections.append(Correction(event.seq, tuple(keys)))

    def _placed(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.type == "rating.placed":
                data = event.data
                self._words[data["rating_seq"]] = Word(data["level"], data["hour"])

    def pull(self, limit: int) -> BucketPage:
        """One page, and what must hold after each."""
        page = read_page(self.journal, self.puller.cursor, limit)
        self.puller.take(page)
        self.pulled.update(self.model.in_hours({(one["epoch"], one["hour"]) for one in page.buckets}))
        for correction in self.corrections:
            has = {self.puller.has(key, correction.seq) for key in correction.keys}
            assert len(has) == 1, f"half of the correction {correction.seq} is there"
        assert self.puller.below_zero() == []
        return page

    def pull_all(self, limit: int) -> None:
        """Pages until there is no more; each goes on, so it ends."""
        for _ in range(2000):
            if not self.pull(limit).more:
                return
        raise AssertionError("the pages never end")

    def check_puller(self) -> None:
        """In the end it has what the model has, whatever it missed, and the journal is whole."""
        self.trust()
        self.tick()
        self.pull_all(7)
        assert self.puller.counts() == self.model.expected(self.pulled)
        assert read_page(self.journal, self.puller.cursor, 500).buckets == []
        assert verify(self.journal.path, hall_features()).findings == ()
