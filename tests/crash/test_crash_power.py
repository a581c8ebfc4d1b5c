"""The power-loss model: what was synced is there after the cut, what was not is gone, and SQLite lives on what is left."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from power import SECTOR_BYTES, Disk, NoCompiler, build_shim, torn_content

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler (Debian: gcc, libc6-dev)")

#: Writes rows, tells each number after its COMMIT, and is killed by us.
WRITER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1] + "/x.db", isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA synchronous = " + sys.argv[2])
database.execute("PRAGMA wal_autocheckpoint = 20")
database.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, filler TEXT) STRICT")
first = database.execute("SELECT coalesce(max(n), 0) FROM t").fetchone()[0]
for n in range(first + 1, first + 10_000):
    database.execute("INSERT INTO t VALUES (?, ?)", (n, "x" * 700))
    print(n, flush=True)
"""

SYNC_AND_WRITE_ON = """
import os, sys
synced = os.open(sys.argv[1] + "/synced", os.O_RDWR | os.O_CREAT)
os.write(synced, b"before")
os.fsync(synced)
os.write(synced, b" and after")
open(sys.argv[1] + "/never", "w").write("never synced")
"""

UNLINK = """
import os, sys
for name in ("old", "other"):
    file = os.open(sys.argv[1] + "/" + name, os.O_RDWR | os.O_CREAT)
    os.fsync(file)
    os.close(file)
os.unlink(sys.argv[1] + "/old")
if sys.argv[2] == "sync":
    file = os.open(sys.argv[1] + "/other", os.O_RDWR)
    os.fdatasync(file)
"""

RENAME = "import os, sys; open(sys.argv[1] + '/a', 'w').close(); os.rename(sys.argv[1] + '/a', sys.argv[1] + '/b')"


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_shim(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def disk(tmp_path: Path, shim: Path) -> Disk:
    return Disk(tmp_path / "data", tmp_path / "disk", shim)


def run(disk: Disk, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **disk.environment()}
    command = [sys.executable, "-c", program, environment["SHIM_DIR"], *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@needs_compiler
def test_a_cut_leaves_what_was_synced_and_nothing_that_was_not(disk: Disk, tmp_path: Path) -> None:
    assert run(disk, SYNC_AND_WRITE_ON).returncode == 0
    disk.cut()
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["synced"]
    assert (tmp_path / "data" / "synced").read_bytes() == b"before"
    assert disk.syncs == 1


@needs_compiler
def test_what_a_cut_left_is_what_the_next_cut_finds(disk: Disk, tmp_path: Path) -> None:
    run(disk, SYNC_AND_WRITE_ON)
    disk.cut()
    (tmp_path / "data" / "synced").write_bytes(b"written over, by a node that never synced it")
    disk.cut()
    assert (tmp_path / "data" / "synced").read_bytes() == b"before"


@needs_compiler
@pytest.mark.parametrize(("then", "left"), [("sync", {"other"}), ("nothing", {"old", "other"})])
def test_an_unlink_is_durable_with_the_next_sync(disk: Disk, tmp_path: Path, then: str, left: set[str]) -> None:
    assert run(disk, UNLINK, then).returncode == 0
    disk.cut()
    assert {path.name for path in (tmp_path / "data").iterdir()} == left


@needs_compiler
def test_a_rename_ends_the_process_because_the_model_cannot_follow_it(disk: Disk) -> None:
    ended = run(disk, RENAME)
    assert ended.returncode == 70
    assert "not modelled" in ended.stderr


@needs_compiler
@pytest.mark.parametrize("torn", [False, True])
def test_sqlite_with_full_keeps_every_committed_row_through_cuts(disk: Disk, tmp_path: Path, torn: bool) -> None:
    rng = random.Random(7)
    acknowledged = 0
    for _ in range(6):
        acknowledged = write_until_killed(disk, "FULL", rng.randint(5, 60))
        disk.cut(rng if torn else None)
        assert intact_rows(tmp_path / "data", tmp_path / "seen") >= acknowledged


@needs_compiler
@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_sqlite_told_to_promise_less_loses_committed_rows(disk: Disk, tmp_path: Path, synchronous: str) -> None:
    acknowledged = write_until_killed(disk, synchronous, 10)
    disk.cut()
    assert intact_rows(tmp_path / "data", tmp_path / "seen") < acknowledged


def write_until_killed(disk: Disk, synchronous: str, rows: int) -> int:
    """Let the writer commit some rows and kill it while it commits more; the newest that it told of."""
    environment = {**os.environ, **disk.environment()}
    command = [sys.executable, "-c", WRITER, environment["SHIM_DIR"], synchronous]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(rows):
            newest = writer.stdout.readline()
        writer.kill()
        told = (newest + writer.stdout.read()).split("\n")[:-1]  # the last line may be cut off
    return int(told[-1])


def intact_rows(data: Path, copy: Path) -> int:
    """How many rows there are; the database must be whole and the rows without gaps.

    Looked at in a copy: opening recovers the database, and the model would not know.
    """
    shutil.copytree(data, copy, dirs_exist_ok=True)
    with closing(sqlite3.connect(copy / "x.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if not database.execute("SELECT 1 FROM sqlite_master").fetchall():
            return 0
        rows, newest = database.execute("SELECT count(*), coalesce(max(n), 0) FROM t").fetchone()
        assert rows == newest
        return int(rows)


@given(synced=st.binary(max_size=4 * SECTOR_BYTES), written=st.binary(max_size=4 * SECTOR_BYTES), seed=st.integers())
def test_each_sector_of_a_torn_file_is_of_one_of_both_moments(synced: bytes, written: bytes, seed: int) -> None:
    torn = torn_content(synced, written, random.Random(seed))
    assert len(torn) in (len(synced), len(written))
    for start in range(0, len(torn), SECTOR_BYTES):
        sector = torn[start : start + SECTOR_BYTES]
        possible = [content[start:][: len(sector)].ljust(len(sector), b"\0") for content in (synced, written)]
        assert sector in possible


def test_without_a_compiler_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoCompiler, match="gcc"):
        build_shim(tmp_path)
