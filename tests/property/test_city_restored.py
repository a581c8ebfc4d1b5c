"""A city that is put back from its backup gets everything again, by whatever way it was put back; nobody has to say so.

Each way is a way that operators go. A node presses, the city is backed up, more presses, the city is restored, and in the end
the city equals the model. The ways that are not noticed are in docs/protocol.md, with the command for them.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from city_stores import CityStore, PostgresStore, SqliteStore
from support.postgres import Cluster
from worlds import World

from sync.receiver.home import renew_store
from sync.receiver.opening import open_engine
from sync.receiver.tables import metadata, store_id


class Dumped(PostgresStore):
    """Backed up by pg_dump, as most are. How it is loaded again is the subclass's."""

    def back_up(self) -> None:
        self._dump = self._cluster.data.with_name(f"{self._name}.dump")
        self._cluster.run("pg_dump", *self._where(), "--format=custom", f"--file={self._dump}")

    def load(self, *arguments: str) -> None:
        self._cluster.run("pg_restore", *self._where(), *arguments, str(self._dump))

    def _where(self) -> list[str]:
        return ["--host=127.0.0.1", f"--port={self._cluster.port}", "--username=nucuoi", f"--dbname={self._name}"]


class IntoANewDatabase(Dumped):
    def restore(self) -> None:
        self._cluster.drop_database(self._name)
        self._cluster.execute(f"CREATE DATABASE {self._name}")
        self.load()


class OverTheOldTables(Dumped):
    def restore(self) -> None:
        with pytest.raises(RuntimeError, match="cannot drop inherited constraint"):  # it complains, and goes on
            self.load("--clean", "--if-exists")


class IntoTheEmptiedTables(Dumped):
    def restore(self) -> None:
        self._cluster.execute(f"TRUNCATE {', '.join(metadata.tables)}", self._name)
        self.load("--data-only", "--disable-triggers")


class OverwrittenInPlace(SqliteStore):
    """`cp backup city.db`: the same file, the same inode."""

    def restore(self) -> None:
        for end in ("-wal", "-shm"):
            self._file.with_name(self._file.name + end).unlink(missing_ok=True)
        self._file.write_bytes(self._copy.read_bytes())


class ByItsOwnBackupApi(SqliteStore):
    """The backup is read into the file that is there, as `sqlite3 city.db '.restore backup'` does."""

    def restore(self) -> None:
        with closing(sqlite3.connect(self._copy)) as source, closing(sqlite3.connect(self._file)) as target:
            source.backup(target)


class WithAllThatIsBesideIt(SqliteStore):
    """The folder is copied and put back as a whole, the mark with it: the file is another one."""

    def back_up(self) -> None:
        super().back_up()
        shutil.copy(self._mark, self._copy.with_name("mark-backup"))

    def restore(self) -> None:
        aside = self._file.with_name("old.db")
        self._file.rename(aside)  # it still takes its inode
        super().restore()
        shutil.copy(self._copy.with_name("mark-backup"), self._mark)

    @property
    def _mark(self) -> Path:
        return self._file.with_name(f"{self._file.name}-mark")


Maker = Callable[[Path, pytest.FixtureRequest], CityStore]
ON_POSTGRESQL = [IntoANewDatabase, OverTheOldTables, IntoTheEmptiedTables]
ON_SQLITE = [SqliteStore, OverwrittenInPlace, ByItsOwnBackupApi, WithAllThatIsBesideIt]


@pytest.fixture(params=[*ON_SQLITE, *ON_POSTGRESQL], ids=lambda way: way.__name__)
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    made = request.param
    place = request.getfixturevalue("postgres") if issubclass(made, PostgresStore) else tmp_path
    it = World(tmp_path, store=made(place))
    yield it
    it.close()


def send(world: World) -> None:
    letter = world.write_letter()
    assert letter is not None
    world.read_answer(letter, world.deliver(letter))


def id_of(world: World) -> str:
    with world.engine.begin() as connection:
        return store_id(connection)


def test_what_the_backup_lacked_is_sent_again(world: World) -> None:
    world.press("1", 3)
    send(world)
    world.back_up_city()
    before = id_of(world)
    for level in (1, 2, 3):
        world.advance(60)
        world.press("2", level)
        send(world)
    world.restore_city()
    world.advance(60)
    world.press("1", 2)
    send(world)
    assert id_of(world) != before
    world.check()


def test_a_restart_is_no_restore(world: World) -> None:
    world.press("1", 3)
    send(world)
    before = id_of(world)
    for _ in range(2):
        world.engine.dispose()
        world._open_city()
        world.advance(60)
        world.press("2", 3)
        send(world)
    assert id_of(world) == before


def test_a_store_renewed_by_hand_is_renewed_once(world: World) -> None:
    world.press("1", 3)
    send(world)
    before = id_of(world)
    new = renew_store(world.engine)
    world.advance(60)
    world.press("2", 3)
    send(world)
    assert id_of(world) == new != before
    world.check()


def test_a_city_that_was_promoted_or_recovered_to_a_point_in_time_has_another_timeline(own_postgres: Cluster) -> None:
    """A standby that takes over may lack the last batches, and a recovery to a point in time lacks all that came after it."""
    name = own_postgres.new_database()
    engine = open_engine(own_postgres.url(name))
    with engine.begin() as connection:
        before = store_id(connection)
    engine.dispose()
    own_postgres.stop()
    (own_postgres.data / "standby.signal").touch()
    shutil.chown(own_postgres.data / "standby.signal", own_postgres.data.owner(), own_postgres.data.group())
    own_postgres.start()
    own_postgres.execute("SELECT pg_promote()")
    engine = open_engine(own_postgres.url(name))
    with engine.begin() as connection:
        assert store_id(connection) != before
    engine.dispose()


def test_a_dump_that_is_loaded_under_a_running_receiver_is_noticed_too(tmp_path: Path, postgres: Cluster) -> None:
    store = OverTheOldTables(postgres)
    world = World(tmp_path, store=store)
    try:
        world.press("1", 3)
        send(world)
        store.back_up()
        delivered = dict(world.model.delivered)
        world.advance(60)
        world.press("2", 1)
        send(world)
        store.restore()  # the receiver keeps its connections
        world.model.delivered = delivered
        world.advance(60)
        world.press("1", 2)
        world.check()
    finally:
        world.close()
