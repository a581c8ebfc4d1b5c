"""The notify protocol of systemd: ready, stopping, and the watchdog's food.

Ten lines of datagram (sd_notify(3)); the libraries for it are unmaintained. Without NOTIFY_SOCKET nothing is sent.
"""

from __future__ import annotations

import logging
import os
import socket

log = logging.getLogger(__name__)


def notify(message: str) -> None:
    """Send `READY=1`, `WATCHDOG=1`, `STOPPING=1` or `STATUS=...` to systemd, if it listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.connect(address)
            sock.sendall(message.encode())
    except OSError as error:  # never worth a node: systemd notices by itself that it is not fed
        log.warning("systemd does not listen on %s: %s", address.replace("\0", "@"), error)


def interval_s() -> float | None:
    """How often systemd wants to be fed: a third of WATCHDOG_USEC; None when it does not watch this process."""
    usec = os.environ.get("WATCHDOG_USEC")
    if not usec or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(usec) / 1e6 / 3
