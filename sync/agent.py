"""The sync agent: sends what is pending, writes down what the city says, and waits as it should when there is trouble.

Sending twice does no harm and forgetting would, so the agent forgets nothing and marks nothing before the city's own word.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from firmware_py.core.clock import Clock, iso
from firmware_py.core.errors import JournalClosed, JournalError
from firmware_py.core.health import CheckResult
from firmware_py.core.ports import JournalPort
from firmware_py.core.worker import Life
from sync.answers import SLOW_KINDS, Answered, Failure, FailureKind, journal_failure
from sync.backoff import Backoff
from sync.batching import HourKey
from sync.city_client import CityClient
from sync.outbox import Applied, Load, Outbox
from sync.pace import UNBOUNDED, pause_s
from sync.protocol import MAX_BATCH_BUCKETS
from sync.state import SyncState, check_result

log = logging.getLogger(__name__)
LONGEST_NAP_S = 5.0
T = TypeVar("T")


class SyncAgent:
    """The worker that empties the outbox (`worker.Worker`).

    Args:
        journal: where the buckets are, and where the city's answers are written.
        clock: the node's clock.
        client: the city.
        send_every_s: how often it looks; what changed in between travels together.
        max_buckets_per_s: a backlog goes no faster; 0 is as fast as the city answers (see `sync.pace`).
        retry_max_s: the longest wait between two attempts (but for what the city asks for), and how long hours rest that
            a relay has and the city has not confirmed.
        on_city_time: told the city's clock from each authenticated answer, so that it can become a source of trust.
        randomness: the source of jitter.
    """

    name = "sync"

    def __init__(
        self,
        journal: JournalPort,
        clock: Clock,
        client: CityClient,
        *,
        send_every_s: float,
        retry_max_s: float,
        max_buckets_per_s: float = UNBOUNDED,
        on_city_time: Callable[[datetime], None] | None = None,
        randomness: random.Random | None = None,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._client = client
        self._outbox = Outbox(journal, clock)
        self._send_every_s = send_every_s
        self._max_buckets_per_s = max_buckets_per_s
        self._rest_s = retry_max_s
        self._backoff = Backoff(retry_max_s)
        self._on_city_time = on_city_time
        self._randomness = randomness or random.Random()
        self._max_buckets = MAX_BATCH_BUCKETS
        self._resting: dict[HourKey, float] = {}  # until when, by uptime
        self._state = SyncState()
        self._told: set[FailureKind] = set()  # logged since the city last answered: a long outage is a few lines

    @property
    def deadline_s(self) -> float:
        """Without a beat for this long it is hung: longer than the longest call."""
        return self._client.longest_call_s + 60.0

    @property
    def state(self) -> SyncState:
        """The newest attempts; readable from any thread."""
        return self._state

    def check(self) -> CheckResult:
        """The health check: see `sync.state`."""
        return check_result(self._state, self._outbox.figures(), self._clock.now().utc)

    def run(self, life: Life) -> None:
        """Send until it is time to stop. What the city has not confirmed by then is sent after the next start."""
        # A random phase, so that a city full of nodes that started together does not send at the same second.
        wait_s = self._randomness.uniform(0, self._send_every_s)
        try:
            while not self._nap(life, wait_s):
                wait_s = self.send_pending(life)
        except JournalClosed:
            if not life.stopping.is_set():
                raise
        finally:
            self._client.close()

    def wake(self) -> None:
        """Nothing to do: naps end with `life.stopping`, and a call ends by its timeouts."""

    def _nap(self, life: Life, seconds: float) -> bool:
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            if life.wait(min(left_s, LONGEST_NAP_S)):
                return True
        life.beat()
        return life.stopping.is_set()

    def send_pending(self, life: Life) -> float:
        """Send batch after batch until nothing is left, something fails or the rate asks for a pause.

        Returns how long to wait then, in seconds. Presses do not wait for any of it.
        """
        while not life.stopping.is_set():
            life.beat()
            load = self._outbox.load(self._max_buckets, self._still_resting())
            if load is None and not self._wants_city_time():
                break
            began_s = self._clock.uptime_s()
            outcome = self._client.send(
                self._journal.chain_head(), [item.wire for item in load.buckets] if load else []
            )
            if isinstance(outcome, Failure) and outcome.kind == "too_large" and load is not None:
                self._shrink(load)
                continue
            failure = outcome if isinstance(outcome, Failure) else self._settle(load, outcome)
            if failure is not None:
                return self._failed(failure)
            self._succeeded()
            if load is None:
                break
            wait_s = pause_s(len(load.buckets), self._clock.uptime_s() - began_s, self._max_buckets_per_s)
            if wait_s > 0:
                return wait_s
        return self._send_every_s

    def _wants_city_time(self) -> bool:
        """Without a trusted clock nothing can be pending, yet the city's answer to an empty batch tells the time."""
        return self._on_city_time is not None and not self._clock.now().trusted

    def _settle(self, load: Load | None, answered: Answered) -> Failure | None:
        """Write the answer down, and only then believe it."""
        if load is not None:
            applied = _kept(lambda: self._outbox.apply(load, answered.answer))
            if isinstance(applied, Failure):
                return applied
            self._note(applied)
        if self._on_city_time is not None and answered.city_time is not None:
            self._on_city_time(answered.city_time)
        return None

    def _note(self, applied: Applied) -> None:
        self._max_buckets = min(MAX_BATCH_BUCKETS, self._max_buckets * 2)
        until_s = self._clock.uptime_s() + self._rest_s
        self._resting.update(dict.fromkeys(applied.relayed, until_s))
        if applied.new_store:
            self._resting.clear()
            log.warning("the city has another store (restored from a backup?): everything is sent again")
        if applied.rejected:
            log.error("the city rejected %d buckets: they are kept and counted as rejected", applied.rejected)

    def _shrink(self, load: Load) -> None:
        """Halve. What cannot be made smaller rests and stays pending: a limit that is lifted loses nothing."""
        if load.parts > 1:
            self._max_buckets = max(1, len(load.buckets) // 2)
            log.info("the city found a batch of %d too large: halving", len(load.buckets))
            return
        until_s = self._clock.uptime_s() + self._rest_s
        self._resting.update(dict.fromkeys((bucket.key for bucket in load.buckets), until_s))
        log.error("the city finds %d buckets that belong together too large: they wait", len(load.buckets))

    def _still_resting(self) -> frozenset[HourKey]:
        now_s = self._clock.uptime_s()
        self._resting = {key: until_s for key, until_s in self._resting.items() if until_s > now_s}
        return frozenset(self._resting)

    def _succeeded(self) -> None:
        before = self._state
        self._told.clear()
        self._state = SyncState(last_attempt_at=iso(self._clock.now().utc))
        if before.last_failure_kind is not None:
            log.warning(
                "the city answers again (%s since %s, %d attempts)",
                before.last_failure_kind, before.since, before.consecutive_failures,
            )  # fmt: skip

    def _failed(self, failure: Failure) -> float:
        before, now = self._state, iso(self._clock.now().utc)
        if failure.kind not in self._told:
            self._told.add(failure.kind)
            log.warning("the city gave no answer: %s; everything is kept (%s)", failure.kind, failure.detail)
        failures = before.consecutive_failures + 1
        since = before.since or now
        self._state = SyncState(failure.kind, failure.text, since, failures, now)
        return self._backoff.wait_s(
            failures,
            slow=failure.kind in SLOW_KINDS,
            retry_after_s=failure.retry_after_s,
            randomness=self._randomness,
        )


def _kept(write: Callable[[], T]) -> T | Failure:
    """What a write to the journal returns, or that it could not be kept: a full disk is an outage, no reason to die."""
    try:
        return write()
    except JournalClosed:
        raise
    except (JournalError, TimeoutError) as error:
        return journal_failure(error)
