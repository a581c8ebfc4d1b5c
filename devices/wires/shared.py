"""Wires are shared by name: two panels on one RS-485 line are one port and one thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from firmware_py.core.worker import Worker


class Wire(Protocol):
    """A bus, as the rack sees it; what devices say to it is its own business."""

    def workers(self) -> Sequence[Worker]:
        """The threads it needs."""
        ...

    def close(self) -> None:
        """Release the hardware; idempotent."""
        ...


W = TypeVar("W", bound=Wire)


class Wires:
    """The buses of one node, each made once."""

    def __init__(self) -> None:
        self._by_name: dict[tuple[type[Wire], str], Wire] = {}

    def share(self, kind: type[W], name: str, make: Callable[[], W]) -> W:
        """The wire of that kind and name: the first who asks makes it, the others get the same."""
        wire = self._by_name.get((kind, name))
        if wire is None:
            wire = self._by_name[kind, name] = make()
        if not isinstance(wire, kind):
            raise TypeError(f"wire {name!r} is a {type(wire).__name__}, not a {kind.__name__}")
        return wire

    def workers(self) -> list[Worker]:
        """All threads that the wires need."""
        return [worker for wire in self._by_name.values() for worker in wire.workers()]

    def close(self) -> None:
        """Close them all, the newest first; idempotent."""
        for wire in reversed(self._by_name.values()):
            wire.close()
