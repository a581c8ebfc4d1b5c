"""What is wrong with a configuration, where, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from config.rules import Location


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, in a short English sentence that says what to do. `line` counts from 1."""

    key: str  # "device[2].baud", counted from 0; empty for the file as a whole
    line: int | None
    text: str
    file: str  # the file's name without its folder, or where else the value came from

    def __str__(self) -> str:
        """`site.toml:12: device[2].baud: must be ...`."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.text}" if self.key else f"{place}: {self.text}"


class ConfigError(ValueError):
    """A configuration that cannot be run, with every problem found in it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def key_text(location: Location) -> str:
    """`device[2].baud` for `("device", 2, "baud")`."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else repr(part)
            text += f".{name}" if text else name
    return text
