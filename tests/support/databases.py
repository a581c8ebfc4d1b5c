"""The databases that a city's tests run on: SQLite, and PostgreSQL for real. One cluster for each process of the run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.postgres import Cluster, programs

KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A cluster of this process's own. (Nothing here cuts the power, so it need not wait for the disk.)"""
    if programs() is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    with Cluster(fsync=False) as cluster:
        yield cluster


@pytest.fixture
def own_postgres() -> Iterator[Cluster]:
    """A cluster that a test may stop, crash and promote."""
    if programs() is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    with Cluster(fsync=False) as cluster:
        yield cluster


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database: the test runs once on each kind."""
    with _database(request, tmp_path) as url:
        yield url


@pytest.fixture(params=KINDS, scope="module")
def module_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same, for all tests of a module together."""
    with _database(request, tmp_path_factory.mktemp("city")) as url:
        yield url


@contextmanager
def _database(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{folder / 'city.db'}"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    with cluster.database() as url:
        yield url
