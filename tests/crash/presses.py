"""The witness: which presses were made, which reached the node's wire or socket, and what the node acknowledged.

It lives in another process than the node and outlives every kill. A press is known by its key, the one under which the
node's journal keeps its receipt.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Literal

Via = Literal["http", "wire"]
FIRST_ANSWER_S = 0.005  # how long an answer is thought to take before one was seen
ANSWER_WEIGHT = 0.1  # of each new answer in the usual time of one


@dataclass(frozen=True, slots=True)
class Press:
    """One press of one person. `key` is as in the journal's receipts."""

    key: str
    via: Via
    counter: str
    level: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the node said of a press over HTTP."""

    id: str
    outcome: str
    reason: str | None


class Ledger:
    """All presses of a trial. Any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._presses: dict[str, Press] = {}
        self._acknowledged: dict[str, Answer | None] = {}
        self._written: dict[str, float] = {}  # key -> when (monotonic), in the order of writing
        self._writings = 0
        self._answer_s = FIRST_ANSWER_S
        self._replays = 0
        self._contradictions: list[str] = []

    def add(self, press: Press) -> None:
        """Somebody pressed."""
        with self._changed:
            if press.key in self._presses:
                raise ValueError(f"two presses with the key {press.key}")
            self._presses[press.key] = press

    def written(self, key: str) -> None:
        """It was put on the wire or the socket; the node may or may not have read it."""
        with self._changed:
            if key not in self._acknowledged and key not in self._written:
                self._writings += 1
                self._written[key] = time.monotonic()
                self._changed.notify_all()

    def unanswered(self, key: str) -> None:
        """The connection that carried it ended without an answer, or with "try again"."""
        with self._changed:
            self._written.pop(key, None)
            self._changed.notify_all()

    def acknowledged(self, key: str, answer: Answer | None = None, *, replayed: bool = False) -> None:
        """The node has thanked. A wire's acknowledgement carries no answer."""
        with self._changed:
            written_s = self._written.pop(key, None)
            if written_s is not None:
                self._answer_s += ANSWER_WEIGHT * (time.monotonic() - written_s - self._answer_s)
            self._replays += replayed
            if self._acknowledged.setdefault(key, answer) != answer:
                self._contradictions.append(f"{key} was answered {self._acknowledged[key]}, and later {answer}")
            self._changed.notify_all()

    def wait_written(self, timeout_s: float) -> str | None:
        """The key of the next press that is put on a wire or socket; None if there is none for so long."""
        with self._changed:
            before = self._writings
            if not self._changed.wait_for(lambda: self._writings > before and bool(self._written), timeout_s):
                return None
            return next(reversed(self._written))

    def wait_next_acknowledged(self, timeout_s: float) -> bool:
        """Wait until another press is acknowledged; False if there is none within so long."""
        with self._changed:
            before = len(self._acknowledged)
            return self._changed.wait_for(lambda: len(self._acknowledged) > before, timeout_s)

    def wait_acknowledged(self, key: str, timeout_s: float) -> bool:
        """Wait until a press is acknowledged; False if it is not within so long."""
        with self._changed:
            return self._changed.wait_for(lambda: key in self._acknowledged, timeout_s)

    def wait_sockets_quiet(self, timeout_s: float) -> bool:
        """Wait until no request waits for an answer: the node is dead and its connections are reset."""

        def quiet() -> bool:
            return not any(self._presses[key].via == "http" for key in self._written)

        with self._changed:
            return self._changed.wait_for(quiet, timeout_s)

    def outstanding(self) -> frozenset[str]:
        """What is written and not acknowledged."""
        with self._changed:
            return frozenset(self._written)

    def forget_written(self) -> None:
        """The node is dead: what it had read of unacknowledged presses is gone."""
        with self._changed:
            self._written.clear()

    def wait_all_acknowledged(self, timeout_s: float) -> bool:
        """Wait until every press is acknowledged; False if they are not within so long."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._acknowledged) == len(self._presses), timeout_s)

    def is_acknowledged(self, key: str) -> bool:
        """Whether the node has thanked for it."""
        with self._changed:
            return key in self._acknowledged

    def presses(self) -> list[Press]:
        """All presses, in the order of pressing."""
        with self._changed:
            return list(self._presses.values())

    def answers(self) -> dict[str, Answer | None]:
        """The acknowledged keys, with the answer where the way of the press carries one."""
        with self._changed:
            return dict(self._acknowledged)

    @property
    def usual_answer_s(self) -> float:
        """How long a press has lately waited from its writing to its acknowledgement."""
        return self._answer_s

    @property
    def replays(self) -> int:
        """How many answers came as a repetition of one that was lost."""
        return self._replays

    @property
    def contradictions(self) -> list[str]:
        """Presses that were answered twice, differently."""
        return list(self._contradictions)
