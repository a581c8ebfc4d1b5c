"""Loading a site file: either whole and valid settings, or every problem of the file at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from config.fields import listed
from config.lines import Lines
from config.problems import ConfigError, Problem, key_text
from config.rules import Finding, between_tables, entries, nearest
from config.settings import DeviceSettings, RatingsSettings, Settings
from config.wording import findings

DEFAULT_FILE = Path(__file__).with_name("default.toml")
"""The complete simulated centre."""

Kinds = Mapping[str, type[DeviceSettings]]
"""The settings of every kind of device, by the kind's name."""


def load(path: Path, kinds: Kinds) -> Settings:
    """The settings in a site file.

    Raises:
        ConfigError: the file cannot be read or run; it names every problem, in the file's order.
    """
    return loads(_text_of(path), path.name, kinds)


def loads(text: str, name: str, kinds: Kinds) -> Settings:
    """The settings in a site file's text; `name` is what its problems call it.

    Raises:
        ConfigError: as `load`.
    """
    file = _parsed(text, name)
    devices: dict[int, DeviceSettings] = {}
    found = dict.fromkeys(_everything_wrong(file, kinds, devices))  # the same finding can come by two ways
    if found:
        lines = Lines(text)
        problems = [Problem(key_text(at), lines.of(at), wrong, name) for at, wrong in found]
        raise ConfigError(sorted(problems, key=lambda problem: problem.line or 0))
    whole = {**file, "device": tuple(devices.values())}
    return Settings.model_validate(whole, by_alias=True, by_name=False)


def _everything_wrong(file: Mapping[str, Any], kinds: Kinds, devices: dict[int, DeviceSettings]) -> Iterator[Finding]:
    """All findings; the devices that are valid each alone are put into `devices` under their index."""
    without_devices = {key: value for key, value in file.items() if key != "device"}
    try:
        Settings.model_validate(without_devices, by_alias=True, by_name=False)
    except ValidationError as error:
        yield from findings(error, Settings)
    yield from _not_tables(file.get("device", []))
    for index, entry in entries(file, "device"):
        yield from _device(index, entry, kinds, devices)
    yield from _between_devices(devices)
    yield from _off_the_scale(file, devices)
    yield from between_tables(file)


def _not_tables(given: Any) -> Iterator[Finding]:
    if not isinstance(given, list):
        yield ("device",), "must be written [[device]], once for each"
        return
    for index, entry in enumerate(given):
        if not isinstance(entry, dict):
            yield ("device", index), "must be a table"


def _device(
    index: int, entry: Mapping[str, Any], kinds: Kinds, devices: dict[int, DeviceSettings]
) -> Iterator[Finding]:
    name = entry.get("kind")
    kind = kinds.get(name) if isinstance(name, str) else None
    try:
        valid = (kind or DeviceSettings).model_validate(entry)
    except ValidationError as error:
        for location, text in findings(error, kind or DeviceSettings, ("device", index)):
            # Without its kind nobody knows a device's own keys: only what every device has is judged.
            if kind or (location[2] in DeviceSettings.model_fields and location[2] != "kind"):
                yield location, text
    else:
        if kind:
            devices[index] = valid
    if not kind:
        yield ("device", index, "kind"), _kind_text(name, kinds)


def _kind_text(name: object, kinds: Kinds) -> str:
    known = f"kinds: {listed(sorted(kinds))}"
    if name is None:
        return f"is missing; {known}"
    if not isinstance(name, str):
        return f"must be a text in quotes; {known}"
    return f'there is no kind "{name}"{nearest(name, kinds)}; {known}'


class _Placed(NamedTuple):
    position: int
    device: DeviceSettings


def _between_devices(devices: Mapping[int, DeviceSettings]) -> Iterator[Finding]:
    """What each kind says of its own devices together."""
    by_kind: dict[type[DeviceSettings], list[_Placed]] = {}
    for index, device in devices.items():
        by_kind.setdefault(type(device), []).append(_Placed(index, device))
    for kind, placed in by_kind.items():
        index_of = {each.device.id: each.position for each in placed}
        for device_id, field, text in kind.problems_together([each.device for each in placed]):
            yield ("device", index_of[device_id], field), text


def _off_the_scale(file: Mapping[str, Any], devices: Mapping[int, DeviceSettings]) -> Iterator[Finding]:
    """Devices that do not fit [ratings]; a broken [ratings] has its own findings, and nothing can be held against it."""
    try:
        ratings = RatingsSettings.model_validate(file.get("ratings", {}))
    except ValidationError:
        return
    for index, device in devices.items():
        for field, text in device.problems_with(ratings):
            yield ("device", index, field), text


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError([Problem("", None, "is nested too deep to be a site file", name)]) from None
    except ValueError as error:
        at = re.search(r"line (\d+)", str(error))
        last = text.rstrip().count("\n") + 1
        line = int(at[1]) if at else last
        raise ConfigError([Problem("", line, f"is not valid TOML: {error}", name)]) from None


def _text_of(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError([Problem("", None, f"cannot be read: {error.strerror}", str(path))]) from None
    try:
        return raw.decode("utf-8-sig")  # some editors on Windows put a mark in front
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        text = "is not UTF-8 text; save it as UTF-8 in the editor"
        raise ConfigError([Problem("", line, text, path.name)]) from None
