"""pydantic's errors in short English sentences: what is expected, with unit, range and choices, and what was given."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from config.fields import (
    as_in_file,
    choices,
    field_at,
    header,
    is_simple,
    keys,
    limits,
    listed,
    shown,
    table_at,
    tables_in,
)
from config.rules import Finding, Location, nearest

_SECRET = re.compile(r"token|passw|secret|credential|api_?key|auth", re.IGNORECASE)


class _Complaint(NamedTuple):
    """One error of pydantic, with the declaration of the key it speaks of."""

    context: Mapping[str, Any]
    given: Any
    table: type[BaseModel]
    field: FieldInfo | None
    location: Location
    message: str


def findings(error: ValidationError, model: type[BaseModel], at: Location = ()) -> Iterator[Finding]:
    """Every problem of one validation. `at` is where in the file the validated table stands."""
    for detail in error.errors(include_url=False):
        if detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
            continue  # pydantic counts only the valid items; what is wrong with the others is told already
        of_key = detail["loc"][-1:] == ("[key]",)
        inside = as_in_file(model, detail["loc"][:-1] if of_key else detail["loc"])
        location = (*at, *inside)
        complaint = _Complaint(
            detail.get("ctx", {}),
            detail["input"],
            table_at(model, inside[:-1]),
            None if of_key else field_at(model, inside),
            location,
            detail["msg"],
        )
        text = _SAID.get(detail["type"], _as_pydantic_says)(complaint)
        text = f"the key {text}" if of_key else text
        repeat = detail["type"] not in _NOT_REPEATED and is_simple(complaint.given)
        yield location, f"{text} (given: {shown(complaint.given)})" if repeat else text


def _unknown_key(complaint: _Complaint) -> str:
    name = str(complaint.location[-1])
    if _SECRET.search(name):
        where = "the systemd credential city_token or the variable NUCUOI_CITY_TOKEN"
        return f"a secret does not belong in the site file; take it out and give it as {where}"
    known = keys(complaint.table)
    return f"is no known key{nearest(name, known)}; keys here: {', '.join(known)}"


def _missing(complaint: _Complaint) -> str:
    annotation = complaint.field.annotation if complaint.field else None
    if get_origin(annotation) is Literal:
        return f"is missing; choose one of {listed(choices(annotation))}"
    if any(tables_in(annotation)):
        name = header(complaint.location)
        return f"is missing; write {f'[[{name}]]' if get_origin(annotation) is tuple else f'[{name}]'}"
    return "is missing; every file must say it"


def _rule(complaint: _Complaint) -> str:
    return str(complaint.context.get("text") or complaint.context["error"])


def _choice(complaint: _Complaint) -> str:
    allowed = choices(complaint.field.annotation) if complaint.field else ()
    if not allowed:
        return f"must be {complaint.context['expected']}"
    near = nearest(complaint.given, map(str, allowed)) if isinstance(complaint.given, str) else ""
    return f"must be one of {listed(allowed)}{near}"


def _limited(words: str) -> Callable[[_Complaint], str]:
    """The whole range where the key declares one, else the limit that was passed."""

    def text(complaint: _Complaint) -> str:
        bounds = limits(complaint.field, str(complaint.location[-1])) if complaint.field else ""
        return f"must be {bounds or f'{words} {next(iter(complaint.context.values()))}'}"

    return text


def _number(words: str) -> Callable[[_Complaint], str]:
    def text(complaint: _Complaint) -> str:
        bounds = limits(complaint.field, str(complaint.location[-1])) if complaint.field else ""
        return f"must be {words} {bounds}".rstrip()

    return text


def _array(complaint: _Complaint) -> str:
    if complaint.field and any(tables_in(complaint.field.annotation)):
        return f"must be written [[{header(complaint.location)}]], once for each"
    return "must be an array: [ ... ]"


def _too_short(complaint: _Complaint) -> str:
    least = complaint.context["min_length"]
    return "must not be empty" if least == 1 else f"must have at least {least}"


def _too_long(complaint: _Complaint) -> str:
    return f"must have at most {complaint.context['max_length']} characters"


def _pattern(complaint: _Complaint) -> str:
    pattern = complaint.context["pattern"]
    return _PATTERNS.get(pattern, f"must match {pattern}")


def _fixed(words: str) -> Callable[[_Complaint], str]:
    return lambda _: words


def _as_pydantic_says(complaint: _Complaint) -> str:
    return complaint.message


#: Nothing was given, it is in the text already, or it could be a secret.
_NOT_REPEATED = frozenset({"missing", "extra_forbidden", "rule"})

_PATTERNS: Mapping[str, str] = {
    r"^[A-Za-z0-9._-]+$": "must have only letters without accents, digits, dots, underscores and hyphens",
    r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$": (
        'must be a host name in lower case, without scheme, port and blanks, such as "node.hall"'
    ),
}
_DATE = "must be a date such as 2026-09-02, without quotes and without a time"
_SAID: Mapping[str, Callable[[_Complaint], str]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "rule": _rule,
    "value_error": _rule,
    "literal_error": _choice,
    "greater_than": _limited("more than"),
    "greater_than_equal": _limited("at least"),
    "less_than": _limited("less than"),
    "less_than_equal": _limited("at most"),
    "int_type": _number("a whole number"),
    "int_parsing": _number("a whole number"),
    "float_type": _number("a number"),
    "finite_number": _number("a finite number"),
    "string_type": _fixed("must be a text in quotes"),
    "bool_type": _fixed("must be true or false"),
    "date_type": _fixed(_DATE),
    "date_from_datetime_inexact": _fixed(_DATE),
    "model_type": _fixed("must be a table"),
    "dict_type": _fixed("must be a table"),
    "tuple_type": _array,
    "too_short": _too_short,
    "string_too_short": _too_short,
    "string_too_long": _too_long,
    "string_pattern_mismatch": _pattern,
}
