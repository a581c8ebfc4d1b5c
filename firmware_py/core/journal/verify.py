"""`nucuoi journal verify`: does the chain hold, and do the buckets equal the events?

The chain: every event's hash is reckoned again from its own fields and the hash before it, so a row that was changed, taken
out or put in shows at the place where it happened. The buckets: all events are folded again, into an empty journal in memory,
by the same code; the result must be equal, not near. One snapshot is read, so the node may run meanwhile.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware_py.core.errors import JournalUnreadable
from firmware_py.core.events import Event, chain_hash
from firmware_py.core.journal.folding import FoldingTables
from firmware_py.core.journal.reading import EVENT_COLUMNS, Readers, event_of
from firmware_py.core.journal.schema import memory_database, migrate
from firmware_py.core.ports import Feature

_BUCKETS = """SELECT epoch, series, labels, hour, simulated, definition, value, revision, final, partial FROM bucket
              ORDER BY epoch, series, labels, hour, simulated, definition"""
#: The outbox: a bucket is waiting for the city, rejected by it, or accepted as it is. Anything else would never be sent.
_NEVER_SENT = """SELECT epoch, series, labels, hour, simulated, definition FROM bucket
    WHERE accepted_revision > revision
       OR (pending_since IS NULL AND rejected_code IS NULL AND accepted_revision < revision)
       OR (pending_since IS NOT NULL AND rejected_code IS NOT NULL)"""
_KEY_LENGTH = 6
FOLD_EVERY = 500  # events gathered before the buckets are written: as one group commit would


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be, and where."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was read and what was found; good when nothing was found."""

    events: int
    buckets: int
    findings: tuple[Finding, ...]


def verify(
    path: Path, features: Sequence[Feature], progress: Callable[[int, int], None] = lambda _done, _all: None
) -> Verdict:
    """Check the journal at `path`.

    Args:
        path: the database file.
        features: all features, in the composition root's order.
        progress: called now and then with (events done, all events).

    Raises:
        JournalUnreadable: there is no journal, it is no database, or it is damaged beyond reading.
    """
    if not path.is_file():
        raise JournalUnreadable(f"there is no journal at {path}")
    readers = Readers(path)
    try:
        with readers.frozen() as connection:
            return _verify(connection, features, progress)
    except (sqlite3.Error, KeyError) as error:
        raise JournalUnreadable(f"{path} cannot be read as a journal: {error}") from error
    finally:
        readers.close()


def _verify(
    connection: sqlite3.Connection, features: Sequence[Feature], progress: Callable[[int, int], None]
) -> Verdict:
    meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    total = int(connection.execute("SELECT count(*) FROM event").fetchone()[0])
    findings: list[Finding] = []
    previous_seq, previous_hash = int(meta["anchor_seq"]), str(meta["anchor_hash"])
    done = 0
    with closing(_Refold(features)) as refold:
        for row in connection.execute(f"SELECT {EVENT_COLUMNS} FROM event ORDER BY seq"):  # noqa: S608 - a constant
            done += 1
            fields, stored = row[:-1], row[-1]
            seq = fields[0]
            if seq != previous_seq + 1:
                findings.append(Finding(f"event {seq}", f"events {previous_seq + 1} to {seq - 1} are missing"))
            if chain_hash(previous_hash, fields) != stored:
                findings.append(
                    Finding(f"event {seq}", "its hash does not follow from its fields and the event before")
                )
            previous_seq, previous_hash = seq, stored
            _refold_one(refold, row, findings)
            if done % 5000 == 0:
                progress(done, total)
        progress(done, total)
        buckets = connection.execute(_BUCKETS).fetchall()
        findings.extend(_differences(buckets, refold.buckets()))
        told = {finding.where for finding in findings}
        lost = (_name(key) for key in connection.execute(_NEVER_SENT))
        text = "is neither waiting for the city nor accepted by it as it is"
        findings.extend(Finding(where, text) for where in lost if where not in told)
    return Verdict(done, len(buckets), tuple(findings))


def _refold_one(refold: _Refold, row: tuple[Any, ...], findings: list[Finding]) -> None:
    """A damaged event must not end the search: it is named, and the ones after it are still read."""
    try:
        refold.fold(event_of(row))
    except (ValueError, KeyError, TypeError, RuntimeError, sqlite3.Error) as error:
        findings.append(Finding(f"event {row[0]}", f"cannot be folded again: {error!r}"))


class _Refold:
    """An empty journal in memory that events are folded into."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self._features = features
        self._db = memory_database()
        migrate(self._db, ((feature.name, feature.schema) for feature in features))
        self._tables = FoldingTables(self._db)
        self._folded = 0

    def fold(self, event: Event) -> None:
        if event.purpose != "normal":
            return
        self._tables.begin_event(event)
        try:
            for feature in self._features:
                feature.apply(self._tables, event)
        except BaseException:
            self._tables.drop_own()
            raise
        self._tables.keep_own()
        self._folded += 1
        if self._folded % FOLD_EVERY == 0:
            self._tables.flush()

    def buckets(self) -> list[tuple[Any, ...]]:
        self._tables.flush()
        return self._tables.rows(_BUCKETS)

    def close(self) -> None:
        self._db.close()


def _differences(stored: Sequence[tuple[Any, ...]], refolded: Sequence[tuple[Any, ...]]) -> Iterator[Finding]:
    """Where the two bucket tables differ, bucket by bucket."""
    have = {row[:_KEY_LENGTH]: row[_KEY_LENGTH:] for row in stored}
    want = {row[:_KEY_LENGTH]: row[_KEY_LENGTH:] for row in refolded}
    for key in sorted(have.keys() | want.keys()):
        if key not in have:
            yield Finding(_name(key), f"is missing; the events give {_content(want[key])}")
        elif key not in want:
            yield Finding(_name(key), f"is {_content(have[key])}, but no event gives it")
        elif _comparable(have[key]) != _comparable(want[key]):
            yield Finding(_name(key), f"is {_content(have[key])}, but the events give {_content(want[key])}")


def _comparable(content: tuple[Any, ...]) -> tuple[Any, ...]:
    try:
        return (json.loads(content[0]), *content[1:])
    except ValueError:
        return content


def _name(key: tuple[Any, ...]) -> str:
    epoch, series, labels, hour, simulated, _ = key
    return f"bucket {series}{labels} {hour} epoch {epoch[:8]}{' simulated' if simulated else ''}"


def _content(content: tuple[Any, ...]) -> str:
    value, revision, final, partial = content
    marks = "".join([" final" if final else "", " partial" if partial else ""])
    return f"{value} at revision {revision}{marks}"
