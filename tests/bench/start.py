"""Start to first accepted press, and what a running node holds in memory: real processes, asked from outside."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

from figures import Figure, median, value_at_most
from floors import interpreter_start_s, libraries_import_s
from real_node import NodeProcess, bare_interpreter_bytes

PRESSES = 200
MIB = 1 << 20


def start_figures(rounds: int, tell: Callable[[str], None]) -> list[Figure]:
    """Starts on an empty folder and on the journal of the run before, in turns with the floors."""
    fresh, again, devices = list[float](), list[float](), list[float]()
    bare, libraries = list[float](), list[float]()
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "node"
        for _ in range(rounds):
            shutil.rmtree(data, ignore_errors=True)
            first_s, devices_s = _start(data)
            fresh.append(first_s)
            devices.append(devices_s)
            again.append(_start(data)[0])
            bare.append(interpreter_start_s())
            libraries.append(libraries_import_s())
    tell(f"{2 * rounds} starts")
    floor, imports = median(bare), median(libraries)
    return [
        Figure("start to first press, new data", median(fresh), floor, "python -c pass", "s", value_at_most(1.5)),
        Figure("start to first press, old journal", median(again), floor, "python -c pass", "s", value_at_most(1.5)),
        Figure("the same against its libraries alone", median(fresh), imports, "importing them", "s"),
        Figure("start to all devices open", median(devices), imports, "importing them", "s"),
    ]


def memory_figures(tell: Callable[[str], None]) -> list[Figure]:
    """What the node's process holds after PRESSES presses; the embedded city of the simulation is another process."""
    bare = bare_interpreter_bytes()
    with tempfile.TemporaryDirectory() as name, NodeProcess(Path(name) / "node") as node:
        node.first_press_s()
        for counter, level in itertools.islice(itertools.product("1234" * PRESSES, (5, 3)), PRESSES):
            node.press(counter, level)
        held = node.memory_bytes()
    tell(f"memory after {PRESSES} presses")
    floor = "bare interpreter"
    return [
        Figure("resident memory (RSS)", held["rss"] / MIB, bare["rss"] / MIB, floor, "MiB", value_at_most(100)),
        Figure("proportional memory (PSS)", held["pss"] / MIB, bare["pss"] / MIB, floor, "MiB"),
    ]


def _start(data: Path) -> tuple[float, float]:
    """Seconds from exec to the first press, and to the last device's opening as the journal has it."""
    with NodeProcess(data) as node:
        first_s = node.first_press_s()
        connection = sqlite3.connect(f"file:{data / 'journal.db'}?mode=ro", uri=True)
        try:
            opened = connection.execute(
                "SELECT max(uptime_s) FROM event WHERE type = 'device.available' AND uptime_s >= ?",
                (node.began_uptime_s,),
            ).fetchone()[0]
        finally:
            connection.close()
        if opened is None:
            raise RuntimeError("no device was opened before the first press")
        return first_s, opened - node.began_uptime_s
