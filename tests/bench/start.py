"""Start to first accepted press, and what a running node holds in memory: real processes, asked from outside."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from figures import Figure, median, value_at_most
from floors import Took, interpreter_start, libraries_import
from real_node import NodeProcess, bare_interpreter_bytes

PRESSES = 200
MIB = 1 << 20


class Started(NamedTuple):
    """Seconds from exec: to the first press, to the last device's opening, and of a processor until the first press."""

    press_s: float
    devices_s: float
    processor_s: float


def start_figures(rounds: int, tell: Callable[[str], None]) -> list[Figure]:
    """Starts on an empty folder and on the journal of the run before, in turns with the floors."""
    fresh, again = list[Started](), list[Started]()
    bare, libraries = list[Took](), list[Took]()
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "node"
        for _ in range(rounds):
            shutil.rmtree(data, ignore_errors=True)
            fresh.append(_start(data))
            bare.append(interpreter_start())
            again.append(_start(data))
            libraries.append(libraries_import())
    tell(f"{2 * rounds} starts")
    python_s = median([took.wall_s for took in bare])
    imports_s = median([took.wall_s for took in libraries])
    fresh_s = median([start.press_s for start in fresh])
    again_s = median([start.press_s for start in again])
    devices_s = median([start.devices_s for start in fresh])
    processor_s = median([start.processor_s for start in fresh])
    imports_processor_s = median([took.processor_s for took in libraries])
    return [
        Figure("start to first press, new data", fresh_s, python_s, "python -c pass", "s", value_at_most(1.5)),
        Figure("start to first press, old journal", again_s, python_s, "python -c pass", "s", value_at_most(1.5)),
        Figure("the first against the libraries", fresh_s, imports_s, "importing them", "s"),
        Figure("start to all devices open", devices_s, imports_s, "importing them", "s"),
        Figure("processor time to first press", processor_s, imports_processor_s, "importing them", "s"),
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


def _start(data: Path) -> Started:
    with NodeProcess(data) as node:
        press_s, processor_s = node.first_press_s(), node.processor_s()
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
        return Started(press_s, opened - node.began_uptime_s, processor_s)
