"""The floors: what the machine and the libraries cost by themselves, without a line of this product.

Whatever a figure does on top of its floor is ours to explain.
"""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

#: As long as an event's row with its index is: the floor writes as much of the user's data as a press does.
ROW_BYTES = 450
#: What a node imports from others, without anything of ours. SQLAlchemy belongs to the receiver's process.
LIBRARIES = "sqlite3, pydantic, sqlite_utils, gpiozero, serial, requests, flask, flask_babel, waitress, click, holidays"


class BareCommits:
    """The least that keeps one row through a power cut: SQLite, WAL, `synchronous=FULL`, one row in one transaction."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE fact (seq INTEGER PRIMARY KEY, data TEXT NOT NULL) STRICT")
        self._data = "x" * ROW_BYTES

    def close(self) -> None:
        self._connection.close()

    def one_s(self) -> float:
        """Seconds of one durable row."""
        began = time.perf_counter()
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO fact (data) VALUES (?)", (self._data,))
        self._connection.execute("COMMIT")
        return time.perf_counter() - began

    def rate(self, rows: int) -> float:
        """Rows a second, one after the other."""
        began = time.perf_counter()
        for _ in range(rows):
            self.one_s()
        return rows / (time.perf_counter() - began)


class Took(NamedTuple):
    """Seconds that a process took: by the clock on the wall, and of a processor."""

    wall_s: float
    processor_s: float


def interpreter_start() -> Took:
    """From exec to the end of a Python that does nothing."""
    return _python("pass")


def libraries_import() -> Took:
    """From exec to the end of a Python that imports what a node needs of others."""
    return _python(f"import {LIBRARIES}")


def _python(code: str) -> Took:
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Took(time.perf_counter() - began, processor_s)
