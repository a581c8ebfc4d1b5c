"""Asking the running node over its local socket: for the command line. Standard library only."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any

from firmware_py.core.errors import NuCuoiError
from local_api import local_socket


class NodeNotRunningError(NuCuoiError, OSError):
    """No node answers in this data folder; the text says what to do."""


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over the unix socket of a data folder."""

    def __init__(self, data_dir: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._data_dir = data_dir
        self._timeout_s = timeout_s

    def connect(self) -> None:
        """Reach the socket instead of a port."""
        self.sock: socket.socket = local_socket.connect(self._data_dir, self._timeout_s)


def get(data_dir: Path, path: str, timeout_s: float = 15.0) -> tuple[int, Any]:
    """GET `path` from the node that runs in `data_dir`: the status and the JSON of its answer.

    Raises:
        NodeNotRunningError: no node answers there, it may not be asked, or it died while answering.
    """
    connection = _SocketConnection(data_dir, timeout_s)
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except PermissionError as error:
        raise NodeNotRunningError(
            f"{data_dir / local_socket.NAME} belongs to another user: run this command as the node's user"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise NodeNotRunningError(
            f"no node answers in {data_dir} ({error}): start it with `nucuoi run --data {data_dir}`, "
            "or name its folder with --data"
        ) from error
    except ValueError as error:
        raise NodeNotRunningError(f"what answers in {data_dir} is no node: its answer is no JSON") from error
    finally:
        connection.close()
