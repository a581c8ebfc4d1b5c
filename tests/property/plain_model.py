"""What the city must end up with, in plain Python: no journal, no epochs, no buckets. The words of the rules and nothing else.

Every press moves some counts. A move is in the node's memory (`kept`), at the city (`delivered`), or in both; what a card
restored from a backup no longer knows and the city never got is truly lost, and nobody can ask for it. So in the end the city
must show the sum of all moves that are in either place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

CORRECTION_S = 5.0
LOCKOUT_S = 3.0

What = tuple[str, str, str]  # series, counter, level or reason


@dataclass(frozen=True)
class Move:
    """One more, or one less, of something; `hour` is where the node put it, `epoch` under which it was written."""

    id: int
    epoch: str
    hour: str
    what: What
    amount: int


@dataclass(frozen=True)
class Act:
    boot_id: str
    first_s: float
    word_s: float
    level: int
    press: int
    hour: str | None


@dataclass(frozen=True)
class Waiting:
    press: int
    counter: str
    level: int
    outcome: str
    reason: str


@dataclass
class NodeMemory:
    """All that the node's card holds."""

    moves: dict[int, Move] = field(default_factory=dict)
    acts: dict[str, list[Act]] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)

    def copy(self) -> NodeMemory:
        return NodeMemory(dict(self.moves), {name: list(acts) for name, acts in self.acts.items()}, list(self.waiting))


class PlainModel:
    """The node's card and the city's, as sets of moves."""

    def __init__(self) -> None:
        self.node = NodeMemory()
        self.delivered: dict[int, Move] = {}
        self._ids = 0

    def press(self, counter: str, level: int, *, boot_id: str, uptime_s: float, hour: str | None, epoch: str) -> str:
        """One press; `hour` None while nobody trusts the clock. Returns its outcome or the reason of its exclusion."""
        self._ids += 1
        press = self._ids
        acts = [act for act in self.node.acts.get(counter, []) if act.boot_id == boot_id]
        before = max((act for act in acts if act.first_s <= uptime_s), key=lambda act: act.first_s, default=None)
        after = min((act for act in acts if act.first_s > uptime_s), key=lambda act: act.first_s, default=None)
        if before is not None and uptime_s <= before.first_s + CORRECTION_S:
            if uptime_s < before.word_s:
                return self._exclude(press, counter, level, "superseded", hour, epoch)
            if level == before.level:
                return self._exclude(press, counter, level, "repeat", hour, epoch)
            return self._correct(press, counter, level, before, uptime_s, epoch)
        if before is not None and uptime_s <= before.first_s + CORRECTION_S + LOCKOUT_S:
            return self._exclude(press, counter, level, "lockout", hour, epoch)
        if after is not None and after.first_s <= uptime_s + CORRECTION_S + LOCKOUT_S:
            return self._exclude(press, counter, level, "superseded", hour, epoch)
        self.node.acts.setdefault(counter, []).append(Act(boot_id, uptime_s, uptime_s, level, press, hour))
        if hour is None:
            self.node.waiting.append(Waiting(press, counter, level, "counted", ""))
        else:
            self._move(epoch, hour, ("ratings", counter, str(level)), 1)
        return "counted"

    def _exclude(self, press: int, counter: str, level: int, reason: str, hour: str | None, epoch: str) -> str:
        if hour is None:
            self.node.waiting.append(Waiting(press, counter, level, "excluded", reason))
        else:
            self._move(epoch, hour, ("ratings_excluded", counter, reason), 1)
        return reason

    def _correct(self, press: int, counter: str, level: int, act: Act, uptime_s: float, epoch: str) -> str:
        self._replace(counter, act, replace(act, level=level, press=press, word_s=uptime_s))
        if act.hour is None:
            self.node.waiting = [
                replace(one, outcome="corrected") if one.press == act.press else one for one in self.node.waiting
            ]
            self.node.waiting.append(Waiting(press, counter, level, "counted", ""))
        else:
            self._move(epoch, act.hour, ("ratings", counter, str(act.level)), -1)
            self._move(epoch, act.hour, ("ratings_corrected", counter, str(act.level)), 1)
            self._move(epoch, act.hour, ("ratings", counter, str(level)), 1)
        return "corrected"

    def _replace(self, counter: str, old: Act, new: Act) -> None:
        self.node.acts[counter] = [new if act is old else act for act in self.node.acts[counter]]

    def trust(self, hours: list[str], epoch: str) -> None:
        """The clock is trusted: what waited is placed; `hours` are the ones that the node chose, in order."""
        assert len(hours) == len(self.node.waiting)
        for one, hour in zip(self.node.waiting, hours, strict=True):
            if one.outcome == "counted":
                self._move(epoch, hour, ("ratings", one.counter, str(one.level)), 1)
                for act in self.node.acts.get(one.counter, []):
                    if act.press == one.press:
                        self._replace(one.counter, act, replace(act, hour=hour))
            elif one.outcome == "corrected":
                self._move(epoch, hour, ("ratings_corrected", one.counter, str(one.level)), 1)
            else:
                self._move(epoch, hour, ("ratings_excluded", one.counter, one.reason), 1)
        self.node.waiting.clear()

    def _move(self, epoch: str, hour: str, what: What, amount: int) -> None:
        self._ids += 1
        self.node.moves[self._ids] = Move(self._ids, epoch, hour, what, amount)

    def in_hours(self, hours: set[tuple[str, str]]) -> dict[int, Move]:
        """What a batch of these (epoch, hour) pairs says, as the node knows it now."""
        return {id_: move for id_, move in self.node.moves.items() if (move.epoch, move.hour) in hours}

    def expected(self, delivered: Mapping[int, Move] | None = None) -> dict[What, int]:
        """What the city (or whoever else was given `delivered`) must show once everything has reached it."""
        sums: Counter[What] = Counter()
        for move in {**self.node.moves, **(self.delivered if delivered is None else delivered)}.values():
            sums[move.what] += move.amount
        return {what: count for what, count in sums.items() if count}
