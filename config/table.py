"""What every table of the site file is, and how a rule of several keys refuses at the right key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from config.rules import Finding


class Table(BaseModel):
    """A table of the site file: frozen, strictly typed, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _arrays_are_tuples(cls, values: Any) -> Any:
        """TOML's arrays come as lists; frozen settings hold tuples."""
        return frozen_arrays(values) if isinstance(values, dict) else values


def frozen_arrays(value: Any) -> Any:
    """The same plain data with every array, however deep, a tuple."""
    if isinstance(value, list):
        return tuple(frozen_arrays(item) for item in value)
    if isinstance(value, dict):
        return {key: frozen_arrays(item) for key, item in value.items()}
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
