"""docs/configuration.md names every key, with the values, range, unit and default that the code has."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.fields import choices, keys, limits, shown, tables_in
from config.settings import DeviceSettings, Settings
from devices.kinds import settings_by_kind

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
Row = tuple[str, str, str]


def documented() -> Mapping[str, Mapping[str, Row]]:
    """Heading -> key -> values, default, meaning."""
    page: dict[str, dict[str, Row]] = {}
    section: dict[str, Row] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"##+ `(.+)`", line):
            section = page.setdefault(heading[1], {})
        elif row := re.fullmatch(r"\| `(\w+)` \|(.*)\|(.*)\|(.*)\|", line):
            section[row[1]] = (row[2].strip(), row[3].strip(), row[4].strip())
    return page


def tables(model: type[BaseModel], around: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    for key, field in keys(model).items():
        for table in tables_in(field.annotation):
            header = f"{around}{key}"
            yield (f"[[{header}]]" if str(field.annotation).startswith("tuple") else f"[{header}]"), table
            yield from tables(table, f"{header}.")


def own_keys(kind: type[DeviceSettings]) -> list[str]:
    """What the kind or a base of several kinds declares beyond, or otherwise than, every device."""
    bases = kind.__mro__[: kind.__mro__.index(DeviceSettings)]
    return [key for key in keys(kind) if key != "kind" and any(key in base.__annotations__ for base in bases)]


EVERY_KEY = [(heading, key, field) for heading, table in tables(Settings) for key, field in keys(table).items()]
EVERY_KEY += [(name, key, keys(kind)[key]) for name, kind in settings_by_kind().items() for key in own_keys(kind)]
PLAIN_KEYS = [(heading, key, field) for heading, key, field in EVERY_KEY if not any(tables_in(field.annotation))]


def default_text(value: Any) -> str:
    if value is None:
        return "not set"
    return f"`[{', '.join(map(shown, value))}]`" if isinstance(value, tuple) else f"`{shown(value)}`"


def test_the_page_has_every_key() -> None:
    written = {(heading, key) for heading, rows in documented().items() for key in rows}
    assert not {(heading, key) for heading, key, _ in EVERY_KEY} - written


def test_the_page_has_no_key_that_the_site_file_has_not() -> None:
    known = {heading: set(keys(table)) for heading, table in tables(Settings)}
    known |= {name: set(keys(kind)) for name, kind in settings_by_kind().items()}
    for heading, rows in documented().items():
        assert set(rows) <= known[heading]


@pytest.mark.parametrize(
    ("heading", "key", "field"), PLAIN_KEYS, ids=lambda part: part if isinstance(part, str) else ""
)
def test_a_row_says_what_the_declaration_says(heading: str, key: str, field: FieldInfo) -> None:
    values, default, meaning = documented()[heading][key]
    assert limits(field, key) in values
    assert all(f"`{shown(choice)}`" in values for choice in choices(field.annotation))
    assert default == ("required" if field.is_required() else default_text(field.default))
    assert meaning or key == "wire"
