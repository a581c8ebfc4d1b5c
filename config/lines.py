"""On which line of a TOML text each key stands; tomllib does not say.

The text must be valid TOML (tomllib has read it): this scanner only walks over it and refuses nothing. It finds
keys of tables, of arrays of tables and of inline tables, and the items of arrays.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping

from config.rules import Location

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BASIC, _LITERAL = r'"(?:\\.|[^"\\\n])*"', r"'[^'\n]*'"
_KEY_PART = re.compile(rf"[A-Za-z0-9_-]+|{_BASIC}|{_LITERAL}")
# A text of several lines can end in one or two quotes of its own, before the three that close it.
_LONG = r'"""(?:\\.|[^\\])*?""""{0,2}' + r"|'''.*?''''{0,2}"
_SCALAR = re.compile(rf"{_LONG}|{_BASIC}|{_LITERAL}|[^,\]}}#\n]+", re.DOTALL)


class Lines:
    """The line of every key in one text; `Lines("a = 1").of(("a",)) == 1`."""

    def __init__(self, text: str) -> None:
        self._known = _Scan(text).known

    def of(self, location: Location) -> int | None:
        """The line of a key, or of what is nearest around one that is not there; None for the whole file."""
        for length in range(len(location), 0, -1):
            if location[:length] in self._known:
                return self._known[location[:length]]
        return None

    def all(self) -> Mapping[Location, int]:
        """Every key with its line, counted from 1."""
        return self._known


class _Scan:
    """One walk over the text; `known` is what it found."""

    def __init__(self, text: str) -> None:
        self.known: dict[Location, int] = {}
        self._text = text
        self._at = 0
        self._newlines = [found.start() for found in re.finditer("\n", text)]
        self._tables_in: dict[Location, int] = {}  # arrays of tables: how many so far
        self._table: Location = ()
        self._skip_blank()
        while self._at < len(text):
            self._statement()
            self._skip_blank()

    def _statement(self) -> None:
        if self._text.startswith("[", self._at):
            self._header()
        else:
            self._pair(self._table)

    def _header(self) -> None:
        repeated = self._text.startswith("[[", self._at)
        line = self._line()
        self._at += 2 if repeated else 1
        self._skip_blank()
        *around, last = self._dotted_key()
        location: Location = ()
        for part in around:
            location = self._newest((*location, part), line)
        location = (*location, last)
        if repeated:
            self.known.setdefault(location, line)
            self._tables_in[location] = self._tables_in.get(location, 0) + 1
        self._table = self._newest(location, line)
        self._skip_blank()
        self._at += 2 if repeated else 1

    def _newest(self, location: Location, line: int) -> Location:
        """The table that a header's name means now: of an array of tables, the newest one."""
        self.known.setdefault(location, line)
        if location not in self._tables_in:
            return location
        newest = (*location, self._tables_in[location] - 1)
        self.known.setdefault(newest, line)
        return newest

    def _pair(self, table: Location) -> None:
        line = self._line()
        location = table
        for part in self._dotted_key():
            location = (*location, part)
            self.known.setdefault(location, line)
        self._skip_blank()
        self._at += len("=")
        self._skip_blank()
        self._value(location)

    def _value(self, location: Location) -> None:
        if self._text.startswith("[", self._at):
            self._array(location)
        elif self._text.startswith("{", self._at):
            self._inline_table(location)
        else:
            self._take(_SCALAR)

    def _array(self, location: Location) -> None:
        index = 0
        self._open_or_next()
        while not self._text.startswith("]", self._at):
            self.known[(*location, index)] = self._line()
            self._value((*location, index))
            index += 1
            self._to_next("]")
        self._at += 1

    def _inline_table(self, location: Location) -> None:
        self._open_or_next()
        while not self._text.startswith("}", self._at):
            self._pair(location)
            self._to_next("}")
        self._at += 1

    def _to_next(self, end: str) -> None:
        """Past the comma to the next item, or to the end of the array or inline table."""
        self._skip_blank()
        if not self._text.startswith(end, self._at):
            self._open_or_next()

    def _open_or_next(self) -> None:
        self._at += 1
        self._skip_blank()

    def _dotted_key(self) -> list[str]:
        parts = [_plain(self._take(_KEY_PART))]
        self._skip_blank()
        while self._text.startswith(".", self._at):
            self._open_or_next()
            parts.append(_plain(self._take(_KEY_PART)))
            self._skip_blank()
        return parts

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:  # tomllib has read the text, so this is a fault of this module
            raise ValueError(f"line {self._line()} is not understood")
        self._at = match.end()
        return match.group()

    def _skip_blank(self) -> None:
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _line(self) -> int:
        return bisect_right(self._newlines, self._at) + 1


def _plain(part: str) -> str:
    """A key as tomllib gives it: without its quotes and escapes."""
    return str(tomllib.loads(f"key = {part}")["key"]) if part[0] in "\"'" else part
