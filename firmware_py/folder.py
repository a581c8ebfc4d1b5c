"""The data folder: where it is, and that only one node works in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path

from firmware_py.core.errors import NuCuoiError

LOCK_NAME = "node.lock"
DEFAULT = Path("var")


class FolderInUse(NuCuoiError, OSError):
    """Another node works in this data folder."""


class FolderUnusable(NuCuoiError, OSError):
    """The data folder cannot be made or written to."""


def data_folder(given: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """`--data`, else $NUCUOI_DATA, else systemd's $STATE_DIRECTORY, else `var` where one stands."""
    if given is not None:
        return given
    for name in ("NUCUOI_DATA", "STATE_DIRECTORY"):
        if environ.get(name):
            return Path(environ[name])
    return DEFAULT


class FolderLock:
    """An exclusive lock on the folder, held until the process ends or `release`: the kernel frees it even on SIGKILL."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)
            self._file = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise FolderUnusable(
                f"cannot use the data folder {folder}: {error.strerror}; choose another with --data"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise FolderInUse(
                f"another node already runs in {folder}; stop it, or choose another folder with --data"
            ) from error

    def release(self) -> None:
        """Free the folder; idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
