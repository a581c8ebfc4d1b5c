"""What every table of the site file is, and how a rule of several keys refuses at the right key."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from config.fields import keys
from config.rules import Finding


class Table(BaseModel):
    """A table of the site file: frozen, strictly typed, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _as_toml_means_it(cls, values: Any) -> Any:
        """TOML's arrays come as lists, where frozen settings hold tuples; its keys are texts, also where they count."""
        if not isinstance(values, dict):
            return values
        numbered = {key for key, field in keys(cls).items() if _has_number_keys(field.annotation)}
        return {key: _number_keys(value) if key in numbered else _frozen_arrays(value) for key, value in values.items()}


def _has_number_keys(annotation: Any) -> bool:
    if get_origin(annotation) is not dict:
        return False
    key_type = get_args(annotation)[0]
    return (get_args(key_type)[0] if get_origin(key_type) is Annotated else key_type) is int


def _number_keys(value: Any) -> Any:
    """`{ 1 = 17 }` with the number 1. `01` stays the text it is, and is refused: it could stand beside `1`."""
    if not isinstance(value, dict):
        return value
    return {_number(key): _frozen_arrays(item) for key, item in value.items()}


def _number(key: Any) -> Any:
    return int(key) if isinstance(key, str) and re.fullmatch(r"0|[1-9][0-9]{0,8}", key) else key


def _frozen_arrays(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen_arrays(item) for item in value)
    if isinstance(value, dict):
        return {key: _frozen_arrays(item) for key, item in value.items()}
    return value


def refuse(findings: Iterable[Finding]) -> None:
    """Tell pydantic every finding at its own place; unlike a ValueError, the value is not repeated to the reader.

    Raises:
        ValidationError: there is a finding.
    """
    errors = [
        InitErrorDetails(type=PydanticCustomError("rule", "{text}", {"text": text}), loc=location, input=None)
        for location, text in findings
    ]
    if errors:
        raise ValidationError.from_exception_data("site file", errors)
