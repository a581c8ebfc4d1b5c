"""The credential of a request."""

from __future__ import annotations

from flask import request

from sync.receiver.problems import ProblemError


def bearer() -> str | None:
    """The token that a request brings, or None."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def unauthorised(detail: str) -> ProblemError:
    """401, saying how to be known."""
    return ProblemError(401, "unauthorised", detail, headers={"WWW-Authenticate": 'Bearer realm="nucuoi"'})
