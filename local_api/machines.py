"""What only machines read: /metrics and the buckets. Never the hall's network.

Who asks every second sees which level went up since a second ago, and can look who is at the counter: that is a vote. So
these answer this computer (a Prometheus on it, a tunnel to it), and the city's machines with the node's pull token.
"""

from __future__ import annotations

import hmac

from flask import request

from firmware_py.core.ports import NodePort
from local_api.guard import from_this_computer
from local_api.problems import ProblemError


def require_machine(node: NodePort) -> None:
    """For the routes of this module.

    Raises:
        ProblemError: 401, the token is not the node's; 403, there is none and the request is not from this computer.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        expected = node.pull_token
        if expected is not None and hmac.compare_digest(token.strip().encode(), expected.get_secret_value().encode()):
            return
        raise ProblemError(
            401,
            "unauthorised",
            "Unauthorised",
            "This is not the node's pull token; its operator has it.",
            headers={"WWW-Authenticate": 'Bearer realm="nucuoi"'},
        )
    if not from_this_computer():
        raise ProblemError(
            403,
            "loopback_only",
            "Only from this computer",
            "Figures by level are not for the hall's network: ask on the node itself, or send its pull token "
            "(Authorization: Bearer TOKEN).",
        )
