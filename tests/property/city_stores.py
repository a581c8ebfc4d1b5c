"""Where a world's city keeps its figures, and how its operator backs it up and restores it. Nobody renews the store's id."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol

from support.postgres import Cluster


class CityStore(Protocol):
    """A database, and at most one backup of it. Nobody is connected while it is restored."""

    @property
    def url(self) -> str: ...

    def back_up(self) -> None: ...

    def restore(self) -> None: ...

    def close(self) -> None: ...


class SqliteStore:
    """A file; a restore puts another file in its place."""

    def __init__(self, folder: Path) -> None:
        self._file, self._copy = folder / "city.db", folder / "city-backup.db"
        self.url = f"sqlite:///{self._file}"

    def back_up(self) -> None:
        with closing(sqlite3.connect(self._file)) as source, closing(sqlite3.connect(self._copy)) as target:
            source.backup(target)

    def restore(self) -> None:
        for end in ("", "-wal", "-shm"):
            self._file.with_name(self._file.name + end).unlink(missing_ok=True)
        shutil.copy(self._copy, self._file)

    def close(self) -> None: ...


class PostgresStore:
    """A database of a cluster; a restore drops it and makes it again."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._name = cluster.new_database()
        self._copy = f"{self._name}_backup"
        self.url = cluster.url(self._name)

    def back_up(self) -> None:
        self._cluster.drop_database(self._copy)
        self._cluster.execute(f"CREATE DATABASE {self._copy} TEMPLATE {self._name}")

    def restore(self) -> None:
        self._cluster.drop_database(self._name)
        self._cluster.execute(f"CREATE DATABASE {self._name} TEMPLATE {self._copy}")

    def close(self) -> None:
        for name in (self._name, self._copy):
            self._cluster.drop_database(name)
