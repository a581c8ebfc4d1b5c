"""The node's local socket: `node.sock` in the data folder, for the command line, with the rights of the file.

A unix socket's path may have 107 bytes and a data folder can be deeper: so it is always reached through the folder's
own file descriptor, `/proc/self/fd/N/node.sock`. Standard library only: the command line must start fast.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from firmware_py.core.errors import NuCuoiError

NAME = "node.sock"
MODE = 0o600


class NodeAlreadyRunsError(NuCuoiError, OSError):
    """Another node answers on the socket of this data folder."""


@contextlib.contextmanager
def short_path(data_dir: Path) -> Iterator[str]:
    """The socket's path, short enough for the kernel, while the context lasts.

    Raises:
        OSError: there is no such folder, or it may not be read.
    """
    folder = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{NAME}"
    finally:
        os.close(folder)


def bind(data_dir: Path) -> socket.socket:
    """A bound unix socket (not yet listening) that only the folder's owner may use.

    Raises:
        NodeAlreadyRunsError: a node answers there.
        OSError: the folder cannot be written.
    """
    with short_path(data_dir) as path:
        _remove_dead(path, data_dir)
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            os.fchmod(bound.fileno(), MODE)  # before bind: the file never exists with wider rights
            bound.bind(path)
            Path(path).chmod(MODE)
        except OSError:
            bound.close()
            raise
    return bound


def remove(data_dir: Path) -> None:
    """Take the socket's name away; no error where it is already gone."""
    (data_dir / NAME).unlink(missing_ok=True)


def connect(data_dir: Path, timeout_s: float) -> socket.socket:
    """A connection to the node of this data folder.

    Raises:
        OSError: no node answers there.
    """
    with short_path(data_dir) as path:
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(timeout_s)
        try:
            client.connect(path)
        except OSError:
            client.close()
            raise
    return client


def _remove_dead(path: str, data_dir: Path) -> None:
    """What a killed node left behind is in the way of bind; a living node's socket is not touched."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            Path(path).unlink(missing_ok=True)
            return
    raise NodeAlreadyRunsError(f"another node runs with the data folder {data_dir}: stop it first, or choose --data")
