"""Simulation only: the sockets of the faulty path to the embedded city, all in one thread."""

from __future__ import annotations

import selectors
import socket
from collections import deque
from collections.abc import Callable, Mapping

SEND_TIMEOUT_S = 5.0
CHUNK_BYTES = 64 * 1024

_PORTAL_PAGE = "<!doctype html><title>Đăng nhập Wi-Fi</title><form>Nhập số điện thoại để dùng Wi-Fi</form>".encode()
_OWN_ANSWERS: Mapping[str, bytes] = {
    "error": b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n"
    b"Connection: close\r\n\r\nerror\n",
    "portal": b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: "
    + str(len(_PORTAL_PAGE)).encode()
    + b"\r\nConnection: close\r\n\r\n"
    + _PORTAL_PAGE,
}


class _Pair:
    """One client's connection, and the one to the city behind it."""

    def __init__(self, client: socket.socket) -> None:
        self.client = client
        self.city: socket.socket | None = None
        self.request = bytearray()  # read only where we answer ourselves
        self.answers: deque[tuple[float, bytes]] = deque()  # (not before, what): an empty one ends the connection


class RelayLoop:
    """The relay's sockets, all in one thread."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        target: tuple[str, int],
        port: int,
        clock_s: Callable[[], float],
        slow_s: float,
    ) -> None:
        self._selector = selector
        self._target = target
        self._port = port
        self._clock_s = clock_s
        self._slow_s = slow_s
        self._state = "down"
        self._listener: socket.socket | None = None
        self._pairs: set[_Pair] = set()

    def become(self, state: str) -> None:
        """Cut everything, then be as told."""
        self.close()
        self._state = state
        if state != "down":
            listener = bound_socket(self._port)
            listener.listen()
            listener.setblocking(False)
            self._listener = listener
            self._selector.register(listener, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        """Close all but the held port."""
        for pair in list(self._pairs):
            self._drop(pair)
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None

    def timeout_s(self) -> float:
        """Until the next delayed answer is due, at most a second."""
        due = [pair.answers[0][0] for pair in self._pairs if pair.answers]
        return max(0.0, min([1.0, *(at - self._clock_s() for at in due)]))

    def flush(self) -> None:
        """Send what is due."""
        for pair in list(self._pairs):
            while pair.answers and pair.answers[0][0] <= self._clock_s():
                _, answer = pair.answers.popleft()
                if not answer or not _send(pair.client, answer):
                    self._drop(pair)
                    break

    def _accept(self) -> None:
        if self._listener is None:
            return
        try:
            client, _ = self._listener.accept()
        except OSError:
            return  # it has left again
        client.settimeout(SEND_TIMEOUT_S)
        pair = _Pair(client)
        self._pairs.add(pair)
        if self._state in _OWN_ANSWERS:
            self._selector.register(client, selectors.EVENT_READ, lambda: self._answer_ourselves(pair))
            return
        try:
            pair.city = socket.create_connection(self._target, timeout=SEND_TIMEOUT_S)
        except OSError:
            self._drop(pair, registered=False)
            return
        self._selector.register(client, selectors.EVENT_READ, lambda: self._to_city(pair))
        self._selector.register(pair.city, selectors.EVENT_READ, lambda: self._to_client(pair))

    def _to_city(self, pair: _Pair) -> None:
        if pair not in self._pairs:
            return  # dropped by an earlier event of the same turn
        data = _receive(pair.client)
        if not data or pair.city is None or not _send(pair.city, data):
            self._drop(pair)

    def _to_client(self, pair: _Pair) -> None:
        if pair not in self._pairs or pair.city is None:
            return
        data = _receive(pair.city)
        delay_s = self._slow_s if self._state == "slow" else 0.0
        pair.answers.append((self._clock_s() + delay_s, data))
        if not data:
            self._selector.unregister(pair.city)
            pair.city.close()
            pair.city = None

    def _answer_ourselves(self, pair: _Pair) -> None:
        """Read the whole request first: closing on unread bytes would reset the connection and lose the answer."""
        data = _receive(pair.client)
        if not data:
            self._drop(pair)
            return
        pair.request += data
        if not is_whole_request(bytes(pair.request)):
            return
        now_s = self._clock_s()
        pair.request.clear()
        pair.answers.extend([(now_s, _OWN_ANSWERS[self._state]), (now_s, b"")])

    def _drop(self, pair: _Pair, *, registered: bool = True) -> None:
        if pair not in self._pairs:
            return
        self._pairs.discard(pair)
        for each in (pair.client, pair.city):
            if each is not None:
                if registered:
                    self._selector.unregister(each)
                each.close()


def is_whole_request(data: bytes) -> bool:
    """Whether an HTTP/1.1 request with a Content-Length has arrived to its end."""
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        return False
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return len(rest) >= int(value)
    return True


def bound_socket(port: int) -> socket.socket:
    """A socket on this loopback port (0: a free one) that does not listen: until it does, it only keeps the port."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(CHUNK_BYTES)
    except OSError:
        return b""


def _send(connection: socket.socket, data: bytes) -> bool:
    try:
        connection.sendall(data)
    except OSError:
        return False
    return True
