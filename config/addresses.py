"""Which addresses a credential may be sent to."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def refuse_unsafe_address(url: str) -> None:
    """The city's credential travels with every call: only over TLS, or inside this computer.

    Raises:
        ValueError: what is wrong with the address. It is never repeated there: it can hold a secret.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError('must be "https://..." with a valid host and port') from None
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError(
            "must hold no user, password, query or fragment; "
            "the credential is city_token or NUCUOI_CITY_TOKEN"
        )
    if parts.scheme not in ("https", "http") or not host or any(sign.isspace() for sign in url):
        raise ValueError('must be "embedded" or "https://..." (http:// only to this computer itself)')
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError(
            "must use https://; http:// is only for this computer itself (127.0.0.1, ::1, localhost)"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
