"""Who may ask: the Host and Origin checks, and the headers that keep a browser honest.

A page anywhere on the web can make a browser on the node send requests to loopback: directly (another Origin) or by a
name that it lets resolve to 127.0.0.1 (DNS rebinding: another Host). Both are refused before any route runs.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from flask import Flask, Response, request

from config.addresses import is_loopback
from config.settings import ApiSettings
from local_api.problems import ProblemError

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def host_name(host: str) -> str | None:
    """The name in a Host header, lower case, without port and brackets; None for what is no host.

    >>> host_name("[::1]:8080"), host_name("LocalHost"), host_name("a b")
    ('::1', 'localhost', None)
    """
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises for a port that is none
    except ValueError:
        return None
    if not parts.hostname or parts.netloc != host or parts.username is not None or " " in host:
        return None
    return parts.hostname


def host_allowed(host: str, configured: str, names: Collection[str] = ()) -> bool:
    """Whether a request may use this Host.

    Loopback's names, the configured host and the configured names always. A node that listens on all addresses is also
    reached by any of them: an address cannot be rebound, a name can.
    """
    name = host_name(host)
    if name is None:
        return False
    if name in LOOPBACK_NAMES or name in names or name == configured.strip("[]").lower():
        return True
    if configured in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True
    return False


def origin_allowed(origin: str | None, fetch_site: str | None, host: str, names: Collection[str] = ()) -> bool:
    """Whether a state-changing request comes from our own pages, or from no browser at all.

    Our own are those of the Host that was asked, and those of the configured names: behind a reverse proxy the browser's
    Origin is the proxy's, and the Host may be another.
    """
    if fetch_site in {"cross-site", "same-site"}:
        return False
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
        name, _ = parts.hostname, parts.port
    except ValueError:
        return False  # what is no address is nobody's page of ours
    return parts.netloc.lower() == host.lower() or (parts.scheme in {"http", "https"} and name in names)


def from_this_computer() -> bool:
    """Whether the request's own sender is on loopback (or on the local socket), and no proxy speaks for another."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    return is_loopback(request.remote_addr or "")  # "localhost" is what waitress calls a peer on the unix socket


def guard(app: Flask, api: ApiSettings) -> None:
    """Check every request of `app`, and dress every answer."""

    @app.before_request
    def check() -> None:
        host = request.headers.get("Host", "")
        if not host_allowed(host, api.host, api.names):
            raise ProblemError(
                421,
                "wrong_host",
                "Misdirected Request",
                "This node answers under localhost, 127.0.0.1, [::1] and its configured [api] host and names only.",
            )
        if request.method not in SAFE_METHODS and not origin_allowed(
            request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site"), host, api.names
        ):
            raise ProblemError(
                403, "foreign_origin", "Foreign origin", "A page of another site may not change anything here."
            )

    @app.after_request
    def dress(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
