"""Which addresses a credential may be sent to."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def unsafe_because(url: str) -> str | None:
    """Why the city's credential may not travel there, or None: only over TLS, or inside this computer.

    The text never repeats the address: it can hold a secret.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return 'must be "https://..." with a valid host and port'
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        how = "the systemd credential city_token or the variable NUCUOI_CITY_TOKEN"
        return f"must hold no user, password, query or fragment; give the secret as {how}"
    if parts.scheme not in ("https", "http") or not host or not url.isprintable() or " " in url:
        return 'must be "embedded" or "https://..." (http:// only to this computer itself)'
    if parts.scheme == "http" and not is_loopback(host):
        return "must use https://; http:// is only for this computer itself (127.0.0.1, ::1, localhost)"
    return None


def is_loopback(host: str) -> bool:
    """Whether an address is this computer itself: `127.0.0.1`, `::1`, `localhost`. What is no address is not."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
