"""Who may write and who may read. Tokens are kept as SHA-256 only: a copy of the database opens nothing.

A plain hash is enough because tokens are long and random (`nucuoi` makes them so), not words that people choose.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Engine, Row, Table, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from sync.protocol import Name
from sync.receiver.database import writing
from sync.receiver.tables import node, reader

NODES_VARIABLE = "NUCUOI_RECEIVER_NODES"
READERS_VARIABLE = "NUCUOI_RECEIVER_READERS"
_name = TypeAdapter[str](Name)


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """The site and node that a credential speaks for: no other."""

    id: int
    site: str
    name: str


def token_sha256(token: str) -> str:
    """What is stored of a token.

    Raises:
        ValueError: it could not be sent in a header.
    """
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("a token must be printable ASCII without blanks, and not empty")
    return hashlib.sha256(token.encode()).hexdigest()


def add_node(engine: Engine, site: str, name: str, token: str) -> None:
    """Register a node, or give a known one a new token (the old one ends).

    Raises:
        ValueError: a name or token that cannot be, or a token that is another node's.
    """
    digest = token_sha256(token)
    for text in (site, name):
        _check_name(text)
    try:
        with writing(engine) as connection:
            known = connection.execute(
                update(node).where(node.c.site == site, node.c.name == name).values(token_sha256=digest)
            )
            if known.rowcount == 0:
                connection.execute(insert(node).values(site=site, name=name, token_sha256=digest))
    except IntegrityError as error:
        raise ValueError(f"the token of {site}/{name} is another node's: each needs its own") from error


def add_reader(engine: Engine, name: str, token: str) -> None:
    """Let someone read the scoreboard; a known name gets a new token. From the first on, no read is open any more.

    Raises:
        ValueError: a name or token that cannot be, or a token that is another reader's.
    """
    digest = token_sha256(token)
    _check_name(name)
    try:
        with writing(engine) as connection:
            known = connection.execute(update(reader).where(reader.c.name == name).values(token_sha256=digest))
            if known.rowcount == 0:
                connection.execute(insert(reader).values(name=name, token_sha256=digest))
    except IntegrityError as error:
        raise ValueError(f"the token of reader {name} is another reader's: each needs its own") from error


def node_of(connection: Connection, token: str) -> NodeIdentity | None:
    """The node a token speaks for, or None."""
    row = _row_of(connection, node, token)
    return None if row is None else NodeIdentity(row.id, row.site, row.name)


def is_reader(connection: Connection, token: str) -> bool:
    """Whether a token may read the scoreboard."""
    return _row_of(connection, reader, token) is not None


def has_readers(connection: Connection) -> bool:
    """Whether any reader was registered."""
    return bool(connection.execute(select(func.count()).select_from(reader)).scalar())


def nodes_from_variable(text: str) -> list[tuple[str, str, str]]:
    """(site, node, token) of `site/node=token,site/node2=token2`.

    Raises:
        ValueError: an entry that is none; the message never holds a token.
    """
    entries = []
    for number, (names, token) in enumerate(_entries(text), start=1):
        site, slash, name = names.partition("/")
        if not (slash and site and name and token):
            raise _malformed(NODES_VARIABLE, number, "site/node=token")
        entries.append((site, name, token))
    return entries


def readers_from_variable(text: str) -> list[tuple[str, str]]:
    """(name, token) of `name=token,name2=token2`.

    Raises:
        ValueError: an entry that is none; the message never holds a token.
    """
    entries = list(_entries(text))
    for number, (name, token) in enumerate(entries, start=1):
        if not (name and token):
            raise _malformed(READERS_VARIABLE, number, "name=token")
    return entries


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """What stands before and after the first `=` of each entry; tokens may have more of them."""
    for entry in filter(None, (part.strip() for part in text.split(","))):
        names, _, token = entry.partition("=")
        yield names, token


def _malformed(variable: str, number: int, form: str) -> ValueError:
    return ValueError(f"{variable}: entry {number} is not of the form {form} (several are separated by commas)")


def _check_name(text: str) -> None:
    try:
        _name.validate_python(text)
    except ValidationError as error:
        raise ValueError(f"not a name (letters, digits, . _ -, at most 64): {text!r}") from error


def _row_of(connection: Connection, table: Table, token: str) -> Row[Any] | None:
    try:
        digest = token_sha256(token)
    except ValueError:
        return None
    row = connection.execute(select(table).where(table.c.token_sha256 == digest)).first()
    # The index compares hashes, which tell nothing about a token; the word that counts takes the same time always.
    return row if row is not None and hmac.compare_digest(row.token_sha256, digest) else None
