"""Kiosk pages: they post ratings over HTTP and repeat the same key until the node has answered 201."""

from __future__ import annotations

import http.client
import json
import random
import threading
import uuid
from collections.abc import Sequence
from typing import Any

from presses import Answer, Ledger, Press

TIMEOUT_S = 15.0
RETRY_S = 0.02
MEAN_PAUSE_S = 0.06
#: What a page tries again: the node says that nothing was kept, or that it does not know yet.
TRY_AGAIN = (503,)


class UnexpectedAnswer(Exception):
    """The node answered what no page of this trial can cause."""


def post(connection: http.client.HTTPConnection, ledger: Ledger, press: Press) -> bool:
    """Send a press once; True when it was acknowledged.

    Raises:
        OSError, http.client.HTTPException: no answer.
        UnexpectedAnswer: an answer that is neither 201 nor a "try again".
    """
    body = json.dumps({"counter": press.counter, "level": press.level, "ticket": None})
    key = press.key.removeprefix("http:")
    try:
        connection.request(
            "POST", "/api/v1/ratings", body, {"Content-Type": "application/json", "Idempotency-Key": key}
        )
        ledger.written(press.key)
        response = connection.getresponse()
        text = response.read()
    except (OSError, http.client.HTTPException):
        ledger.unanswered(press.key)
        raise
    if response.status in TRY_AGAIN:
        ledger.unanswered(press.key)
        return False
    if response.status != 201:
        raise UnexpectedAnswer(f"{press}: {response.status} {text.decode(errors='replace')}")
    said: dict[str, Any] = json.loads(text)
    answer = Answer(said["id"], said["outcome"], said["reason"])
    ledger.acknowledged(press.key, answer, replayed=response.headers.get("Idempotency-Replayed") == "true")
    return True


class Kiosk(threading.Thread):
    """One page at one counter, with somebody who never stops pressing until `rest` is called."""

    def __init__(self, name: str, port: int, counters: Sequence[str], ledger: Ledger, rng: random.Random) -> None:
        super().__init__(name=name, daemon=True)
        self._port = port
        self._counters = counters
        self._ledger = ledger
        self._rng = rng
        self._resting = threading.Event()
        self._gone = threading.Event()
        self.failure: Exception | None = None

    def rest(self) -> None:
        """No new presses; the last one is still repeated until it is acknowledged."""
        self._resting.set()

    def leave(self) -> None:
        """End, whatever is open."""
        self._resting.set()
        self._gone.set()

    def run(self) -> None:
        """Press, repeat, pause."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
        try:
            while not self._resting.wait(self._rng.expovariate(1 / MEAN_PAUSE_S)):
                key = uuid.UUID(int=self._rng.getrandbits(128), version=4)
                press = Press(f"http:{key}", "http", self._rng.choice(self._counters), self._rng.randint(1, 5))
                self._ledger.add(press)
                self._send(connection, press)
        except UnexpectedAnswer as error:
            self.failure = error
        finally:
            connection.close()

    def _send(self, connection: http.client.HTTPConnection, press: Press) -> None:
        while not self._gone.is_set():
            try:
                if post(connection, self._ledger, press):
                    return
            except (OSError, http.client.HTTPException):
                connection.close()
            self._gone.wait(RETRY_S)
