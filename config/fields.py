"""What the declaration of a key says about it: limits, unit, choices, tables inside."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.rules import Location

_UNITS = {"_per_s": " per s", "_s": " s", "_ms": " ms", "_bytes": " bytes"}
_LONGEST_SHOWN = 60
_LOW = (("ge", "from"), ("gt", "more than"))
_HIGH = (("le", "to"), ("lt", "less than"))


def keys(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """The keys of a table as the site file writes them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def tables_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The tables that a type is made of: `tuple[OpeningSettings, ...]` has one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from tables_in(part)


def table_at(model: type[BaseModel], inside: Location) -> type[BaseModel]:
    """The table at a place inside a table, or the innermost one around it."""
    for part in inside:
        if isinstance(part, str) and part in keys(model):
            model = next(tables_in(keys(model)[part].annotation), model)
    return model


def field_at(model: type[BaseModel], inside: Location) -> FieldInfo | None:
    """The declaration of the key at a place inside a table; for an item of an array or mapping, of the whole."""
    found = None
    for part in inside:
        if not isinstance(part, str):
            continue
        if found is not None:
            model = next(tables_in(found.annotation), model)
        found = keys(model).get(part) or (found if found and get_origin(found.annotation) is dict else None)
    return found


def limits(field: FieldInfo, name: str) -> str:
    """`from 0.05 to 3600 s`, `more than 0 and at most 600 s`; empty for a field without limits."""
    low, high = _bound(field, _LOW), _bound(field, _HIGH)
    if low and high:
        word, bound = high
        if low[0] != "from" or word != "to":
            word = f"and {'at most' if word == 'to' else word}"
        text = f"{low[0]} {low[1]} {word} {bound}"
    elif low:
        text = f"{'at least' if low[0] == 'from' else low[0]} {low[1]}"
    elif high:
        text = f"{'at most' if high[0] == 'to' else high[0]} {high[1]}"
    else:
        return ""
    return text + next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")


def choices(annotation: Any) -> tuple[Any, ...]:
    """The values that a choice allows, also inside a list of choices; empty for any other type."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return next(filter(None, (choices(part) for part in get_args(annotation))), ())


def header(location: Location) -> str:
    """The name in a table's header: without the indexes of arrays."""
    return ".".join(part for part in location if isinstance(part, str))


def shown(value: Any) -> str:
    """A value as TOML writes it, cut short."""
    if isinstance(value, bool):
        return str(value).lower()
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def listed(values: Iterable[Any]) -> str:
    """`"off", "preferred", "required"`."""
    return ", ".join(map(shown, values))


def is_simple(value: Any) -> bool:
    """Whether a value is short enough to repeat to a person: no table and no array."""
    return isinstance(value, str | int | float | date)


def as_in_file(model: type[BaseModel], inside: Location) -> Location:
    """A place as the site file writes it: there the keys of a `dict[int, ...]` are texts, not indexes."""
    written: Location = ()
    for part in inside:
        holder = field_at(model, written)
        is_key = holder is not None and get_origin(holder.annotation) is dict
        written = (*written, str(part) if is_key else part)
    return written


def _bound(field: FieldInfo, words: Iterable[tuple[str, str]]) -> tuple[str, Any] | None:
    for attribute, word in words:
        for constraint in (*field.metadata, *_constraints(field.annotation)):
            bound = getattr(constraint, attribute, None)
            if bound is not None:
                return word, bound
    return None


def _constraints(annotation: Any) -> Iterator[Any]:
    """What the types inside a declaration demand: of an array its items, of a mapping its values."""
    if get_origin(annotation) is Annotated:
        for constraint in annotation.__metadata__:
            yield from constraint.metadata if isinstance(constraint, FieldInfo) else (constraint,)
    else:
        parts = get_args(annotation)
        for part in parts[1:] if get_origin(annotation) is dict else parts:
            yield from _constraints(part)
