"""The line of every key, against generated TOML of every shape that the scanner must walk over."""

import tomllib
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.lines import Lines
from config.rules import Location

JUNK = ('[x]"', "# not a comment", "a = 1", "}]", "\\\\", "", "'", "é ạ")


class Writer:
    """Writes random TOML. Every leaf is a text with a mark of its own, so that its line can be found by looking."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.count = 0

    def document(self) -> str:
        pieces = [self.random.choice([self.table, self.rows]) for _ in range(self.random.randrange(5))]
        text = self.pairs() + "".join(piece() for piece in pieces)
        return text.replace("\n", self.random.choice(["\n", "\r\n"]))

    def table(self) -> str:
        return f"{self.blank()}[{self.key()}.{self.key()}]{self.end()}{self.pairs()}"

    def rows(self) -> str:
        inner = f" [rows . 'in ner'] {self.end()}{self.pairs()}" if self.random.random() < 0.5 else ""
        deep = f"[[rows.deep]]\n{self.pairs()}" * self.random.randrange(3)
        return f"[[ rows ]]{self.end()}{self.pairs()}{inner}{self.unique(deep)}"

    def unique(self, text: str) -> str:
        """A repeated piece with marks of its own each time."""
        pieces = text.split("mark-")
        return pieces[0] + "".join(f"mark-{self.number()}x{piece.lstrip('0123456789x')}" for piece in pieces[1:])

    def pairs(self) -> str:
        return "".join(
            f"{self.blank()}{self.key()} = {self.value(depth=0)}{self.end()}" for _ in range(self.random.randrange(4))
        )

    def key(self) -> str:
        number = self.number()
        return self.random.choice(
            [f"k{number}", f"{number}-_", f'"q {number} ]#="', f"'l {number} \"['", f"k{number}.d . 'x.y'"]
        )

    def value(self, depth: int) -> str:
        shapes = [self.text] if depth > 2 else [self.text, self.text, self.array, self.inline]
        return self.random.choice(shapes)(depth)

    def text(self, depth: int) -> str:
        del depth
        mark, junk = f"mark-{self.number()}x", self.random.choice(JUNK)
        one_line = junk.replace("'", "")
        basic = junk.replace('"', '\\"') if junk != "\\\\" else junk
        return self.random.choice(
            [
                f'"{mark} {basic}"',
                f"'{mark} {one_line}'",
                f'"""{mark}\n{basic}\n"" ""\n"""',
                f'"""{mark}\\"{basic}"""""',
                f"'''{mark}\n{one_line}\n''x'''''",
            ]
        )

    def array(self, depth: int) -> str:
        items = [self.value(depth + 1) + self.gap() for _ in range(self.random.randrange(4))]
        comma = "," + self.gap() if items and self.random.random() < 0.3 else ""
        return f"[{self.gap()}{f',{self.gap()}'.join(items)}{comma}]"

    def inline(self, depth: int) -> str:
        pairs = [f" {self.key()} = {self.value(depth + 1)}" for _ in range(self.random.randrange(3))]
        return "{" + ",".join(pairs) + " }"

    def gap(self) -> str:
        return self.random.choice(["", " ", "\n", "\n\n\t", ' # "]\n'])

    def blank(self) -> str:
        return self.random.choice(["", "\n", "# [no] = {table}\n", "  "])

    def end(self) -> str:
        return self.random.choice(["\n", "  # 'end\n", "\n\n"])

    def number(self) -> int:
        self.count += 1
        return self.count


def places(value: Any, at: Location = ()) -> Iterator[tuple[Location, Any]]:
    if at:
        yield at, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*at, index))


@given(st.randoms(use_true_random=False))
def test_every_key_and_no_other_is_found_and_each_leaf_on_its_own_line(random: Random) -> None:
    text = Writer(random).document()
    expected = dict(places(tomllib.loads(text)))

    lines = Lines(text)

    assert set(lines.all()) == set(expected)
    for place, value in expected.items():
        if isinstance(value, str):
            mark = value[: value.index("x") + 1]
            assert lines.of(place) == text[: text.index(mark)].count("\n") + 1


TEXT = """# a site
[site]
id = "x"
[[site.opening]]
days = [
  "mon",
  "tue",
]
[[site.opening]]
days = []
born = 1979-05-27 07:32:00 # a date with a blank

[device.buttons]
"1" = 17
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("site",), 2),
        (("site", "id"), 3),
        (("site", "opening", 0), 4),
        (("site", "opening", 0, "days"), 5),
        (("site", "opening", 0, "days", 1), 7),
        (("site", "opening", 1), 9),
        (("site", "opening", 1, "born"), 11),
        (("device", "buttons", "1"), 14),
    ],
)
def test_tables_and_arrays_stand_where_they_are_written(place: Location, line: int) -> None:
    assert Lines(TEXT).of(place) == line


def test_what_is_not_there_is_told_at_the_table_around_it() -> None:
    assert Lines(TEXT).of(("site", "name")) == 2
    assert Lines(TEXT).of(("site", "opening", 1, "spans")) == 9
    assert Lines(TEXT).of(("city", "url")) is None
    assert Lines(TEXT).of(()) is None
