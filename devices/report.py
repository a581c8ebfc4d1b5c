"""Telling the journal how something is: once per change, and again if the journal could not take it."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Generic, TypeVar

from firmware_py.core.contracts import Command, Outcome
from firmware_py.core.ports import Submit

State = TypeVar("State")


class Report(Generic[State]):
    """The newest state of one thing, as the journal should know it. Callable from any thread.

    A command that the journal did not keep (full disk, stopping) is not forgotten: `retry` sends what is true *then*.
    """

    def __init__(self, submit: Submit, known: State | None = None) -> None:
        self._submit = submit
        self._lock = threading.RLock()  # submit may call back at once, in this thread
        self._known: State | None = known  # what the journal was told
        self._wanted: tuple[State, Command] | None = None

    def tell(self, state: State, command: Command) -> None:
        """Submit `command` if `state` is not what the journal was told last."""
        with self._lock:
            if state == self._known:
                self._wanted = None
                return
            self._known = state
            self._wanted = (state, command)
            future = self._submit(command)  # in the lock, so that the journal hears in the order of what happened
        self._await(command, future)

    def retry(self) -> None:
        """Submit again what the journal refused; nothing otherwise."""
        with self._lock:
            if self._wanted is None or self._known == self._wanted[0]:
                return
            self._known, command = self._wanted
            future = self._submit(command)
        self._await(command, future)

    def _await(self, command: Command, future: Future[Outcome]) -> None:
        def done(_: Future[Outcome]) -> None:
            with self._lock:
                if self._wanted is None or self._wanted[1] is not command:
                    return
                if future.exception() is None:
                    self._wanted = None
                else:
                    self._known = None

        future.add_done_callback(done)
