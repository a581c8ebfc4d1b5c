"""Clients that read or send one byte at a time, each from an address of its own; one that is cut off comes again.

Arguments: port, how many, path to read, certificate (or "" for plain HTTP). Says `ready` when all are there, and ends with stdin.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import sys
import time
from pathlib import Path

NAME = "node.hall"  # of the certificate; the request itself asks for localhost, which every node answers
EVERY_S = 0.1  # one byte of each client
TIMEOUT_S = 20.0
BODY = b'{"counter": "1", "level": 5}' + b" " * 10_000


class Slow:
    """One client: of three, one never ends its headers, one its body, and one does not come to the end of the answer."""

    def __init__(self, number: int, port: int, path: str, trust: ssl.SSLContext | None) -> None:
        self._source = f"127.1.{number // 200}.{number % 200 + 1}"
        self._port = port
        self._trust = trust
        start = {
            0: f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
            1: "POST /api/v1/ratings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: slow-{number}\r\nContent-Length: {len(BODY)}\r\n\r\n",
            2: f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        }
        self._reads = number % 3 == 2
        self._start = start[number % 3].encode()
        self._rest = BODY if number % 3 == 1 else b"x" * 10_000
        self._sent = 0
        self._connection: socket.socket | None = None
        self.comings = 0

    def come(self) -> None:
        """Connect, and begin quickly: what is slow is the rest."""
        self.leave()
        bare = socket.socket()
        self._connection = bare
        bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        bare.bind((self._source, 0))
        bare.settimeout(TIMEOUT_S)
        bare.connect(("127.0.0.1", self._port))
        if self._trust is not None:
            self._connection = self._trust.wrap_socket(bare, server_hostname=NAME)
        self._connection.sendall(self._start)
        self._connection.setblocking(False)
        self._sent = 0
        self.comings += 1

    def step(self) -> None:
        """One byte; anew if the server had enough of it."""
        try:
            if self._connection is None:
                self.come()
            elif self._reads:
                self._read()
            else:
                self._send()
        except OSError:
            self.leave()

    def _read(self) -> None:
        if self._byte() == b"":
            self.leave()

    def _send(self) -> None:
        assert self._connection is not None
        if self._byte() is not None:
            self.leave()  # an end, or an answer to half a request: it is refused
            return
        with contextlib.suppress(BlockingIOError, ssl.SSLWantWriteError):
            self._sent += self._connection.send(self._rest[self._sent : self._sent + 1])

    def _byte(self) -> bytes | None:
        """The next byte that came, b"" at the end, None while there is none."""
        assert self._connection is not None
        with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
            return self._connection.recv(1)
        return None

    def leave(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def main(port: int, count: int, path: str, certificate: str) -> None:
    trust = ssl.create_default_context(cadata=Path(certificate).read_text(encoding="ascii")) if certificate else None
    clients = [Slow(number, port, path, trust) for number in range(count)]
    for client in clients:
        client.come()
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        next_s = time.monotonic() + EVERY_S
        for client in clients:
            client.step()
        time.sleep(max(0.0, next_s - time.monotonic()))
    for client in clients:
        client.leave()
    print(f"{sum(client.comings for client in clients) - count} came again", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
