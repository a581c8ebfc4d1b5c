"""Who may read the scoreboard: a program with a bearer token, a person with HTTP Basic, and in a simulation this machine.

A browser cannot be given a bearer token. With Basic (RFC 7617) it asks the person itself: the user is the reader's name, the
password its token. There is no session to steal and nothing to log out of but the browser; the credential travels with every
request, so it is for TLS, as the token always was. Reading changes nothing: a page elsewhere that makes a browser ask gains
nothing, for it cannot read the answer.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from flask import Blueprint, Response, request
from sqlalchemy import Connection, Engine, select

from config.addresses import is_loopback
from sync.receiver.bearer import bearer, unauthorised
from sync.receiver.credentials import has_readers, is_reader, token_sha256
from sync.receiver.tables import reader

BASIC_CHALLENGE = 'Basic realm="nucuoi", charset="UTF-8"'


def only_readers(area: Blueprint, engine: Engine, *, open_on_loopback: bool) -> None:
    """Let none but readers into an area."""

    @area.before_request
    def check() -> None:
        check_reader(engine, open_on_loopback=open_on_loopback)

    @area.after_request
    def ask_a_browser(response: Response) -> Response:
        # A line of its own: a browser that does not know the scheme of the first one reads on.
        if response.status_code == 401:
            response.headers.add("WWW-Authenticate", BASIC_CHALLENGE)
        return response


def check_reader(engine: Engine, *, open_on_loopback: bool) -> None:
    """Let a reader pass.

    Raises:
        Problem: 401.
    """
    with engine.begin() as connection:
        token = bearer()
        if token is not None and is_reader(connection, token):
            return
        if _is_reader_by_name(connection):
            return
        if open_on_loopback and _is_local() and not has_readers(connection):
            return
    raise unauthorised(
        "Reading the scoreboard needs a reader's token: `Authorization: Bearer TOKEN`, or in a browser the reader's name as "
        "the user and the token as the password."
    )


def _is_reader_by_name(connection: Connection) -> bool:
    """HTTP Basic: the token must be a reader's, and the name that reader's."""
    sent = request.authorization
    if sent is None or sent.type != "basic" or not sent.username or not sent.password:
        return False
    if not is_reader(connection, sent.password):
        return False
    name = connection.execute(
        select(reader.c.name).where(reader.c.token_sha256 == token_sha256(sent.password))
    ).scalar_one()
    return hmac.compare_digest(str(name).encode(), sent.username.encode())


def _is_local() -> bool:
    """From this machine, by no proxy, and under a name of this machine (a web page elsewhere cannot rebind its own)."""
    if "Forwarded" in request.headers or "X-Forwarded-For" in request.headers:
        return False
    host = urlsplit(f"//{request.host}").hostname or ""
    return is_loopback(request.remote_addr or "") and is_loopback(host)
