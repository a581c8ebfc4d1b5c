"""The notify protocol of systemd: ready, stopping, and the watchdog's food.

Ten lines of datagram (sd_notify(3)); the libraries for it are unmaintained. Without NOTIFY_SOCKET nothing is sent.
"""

from __future__ import annotations

import os
import socket


def notify(message: str) -> None:
    """Send `READY=1`, `WATCHDOG=1`, `STOPPING=1` or `STATUS=...` to systemd, if it listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.connect(address)
        sock.sendall(message.encode())


def interval_s() -> float | None:
    """How often systemd wants to be fed: a third of WATCHDOG_USEC; None when it does not watch this process."""
    usec = os.environ.get("WATCHDOG_USEC")
    if not usec or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(usec) / 1e6 / 3
