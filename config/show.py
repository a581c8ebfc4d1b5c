"""The configuration in force as TOML: every default filled in, secrets masked. Loading it again gives the same."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

from pydantic import BaseModel

from config.secrets import Secrets
from config.settings import Settings

_SECRETS = tuple(part.name for part in fields(Secrets))
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def show(settings: Settings, secrets: Secrets) -> str:
    """The site file that says everything these settings say. Secrets are told to be there, never shown."""
    told = (f'# {name} = "********"' if getattr(secrets, name) else f"# {name} is not set" for name in _SECRETS)
    return "\n".join([*told, *_table("", settings), ""])


def _table(path: str, table: BaseModel) -> Iterator[str]:
    """A table's own keys, then the tables in it; a key that is not set is shown as a comment."""
    inner: list[tuple[str, Sequence[BaseModel]]] = []
    for name, field in type(table).model_fields.items():
        key, value = field.alias or name, getattr(table, name)
        if isinstance(value, BaseModel):
            inner.append((f"[{path}{key}]", [value]))
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            inner.append((f"[[{path}{key}]]", value))
        elif value is None:
            yield f"# {key} is not set"
        else:
            yield f"{key} = {_value(value)}"
    for header, entries in inner:
        for entry in entries:
            yield from ("", header)
            yield from _table(f"{header.strip('[]')}.", entry)


def _key(name: object) -> str:
    text = str(name)
    return text if _BARE.fullmatch(text) else _text(text)


def _text(value: str) -> str:
    # JSON's escapes are TOML's too, but JSON lets DEL stand as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float) and math.isfinite(value):
        return repr(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        pairs = (f"{_key(name)} = {_value(item)}" for name, item in value.items() if item is not None)
        return f"{{ {', '.join(pairs)} }}"
    raise TypeError(f"a setting of type {type(value).__name__} cannot be written to a site file")
