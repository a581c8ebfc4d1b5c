"""The data folder: where it is, and one node in it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from firmware_py.folder import FolderInUse, FolderLock, FolderUnusable, data_folder


@pytest.mark.parametrize(
    ("given", "environ", "expected"),
    [
        (Path("/a"), {"NUCUOI_DATA": "/b"}, "/a"),
        (None, {"NUCUOI_DATA": "/b", "STATE_DIRECTORY": "/c"}, "/b"),
        (None, {"STATE_DIRECTORY": "/c"}, "/c"),
        (None, {"NUCUOI_DATA": ""}, "var"),
        (None, {}, "var"),
    ],
)
def test_the_folder_is_the_one_that_was_named_most_explicitly(given, environ, expected):
    assert data_folder(given, environ) == Path(expected)


def test_only_one_node_works_in_a_folder(tmp_path):
    lock = FolderLock(tmp_path)
    with pytest.raises(FolderInUse, match="another node already runs in"):
        FolderLock(tmp_path)
    lock.release()
    FolderLock(tmp_path).release()


def test_releasing_twice_is_harmless(tmp_path):
    lock = FolderLock(tmp_path)
    lock.release()
    lock.release()
    other = FolderLock(tmp_path)
    lock.release()
    with pytest.raises(FolderInUse):
        FolderLock(tmp_path)
    other.release()


def test_the_kernel_frees_the_folder_of_a_process_that_was_killed(tmp_path):
    code = "import sys; from pathlib import Path; from firmware_py.folder import FolderLock; "
    code += "lock = FolderLock(Path(sys.argv[1])); print('locked', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(FolderInUse):
            FolderLock(tmp_path)
        other.kill()
        other.wait(20)
    FolderLock(tmp_path).release()


def test_a_folder_is_made_and_is_not_for_everyone(tmp_path):
    folder = tmp_path / "state" / "nucuoi"
    FolderLock(folder).release()
    assert folder.stat().st_mode & 0o007 == 0


def test_a_folder_that_cannot_be_made_is_told_with_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderUnusable, match="choose another with --data"):
        FolderLock(tmp_path / "file" / "folder")


def test_the_lock_is_not_inherited_by_child_processes(tmp_path):
    """Else the embedded city would keep the folder of a node that was killed."""
    lock = FolderLock(tmp_path)
    assert not os.get_inheritable(lock._file)
    lock.release()
