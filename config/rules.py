"""Rules between tables of the site file, over its plain data.

They are judged on plain data rather than on validated settings, so that they are told together with the
problems of single keys: a file with a misspelt key *and* a device at a counter that does not exist names both
at once. What is of a wrong type is passed over here; the key's own check speaks of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

SIMULATED_WIRE = "simulated"
EMBEDDED_CITY = "embedded"
SOURCES_OF_THE_NODE = ("http", "node", "clock")
"""What signs events beside the devices, each of which signs with its id."""

Location = tuple[str | int, ...]
Finding = tuple[Location, str]
"""Where (`("device", 2, "counter")`) and what is wrong, in words that say what to do."""


def nearest(name: str, known: Iterable[str]) -> str:
    """` (did you mean "levels"?)`, or nothing when no known name is near."""
    close = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f' (did you mean "{close[0]}"?)' if close else ""


def between_tables(file: Mapping[str, Any]) -> Iterator[Finding]:
    """Everything wrong between the tables of a site file, which itself may be wrong in any other way."""
    yield from _same_id_twice(file, "counter")
    yield from _same_id_twice(file, "device")
    yield from _ids_of_the_nodes_own(file)
    yield from _unknown_counters(file)
    if table(file, "site").get("mode") == "production":
        yield from _not_for_production(file)


def table(file: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The table under a key; empty where there is none or something else stands there."""
    value = file.get(key)
    return value if isinstance(value, Mapping) else {}


def entries(file: Mapping[str, Any], key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The tables of an array of tables with their index, passing over what is no table."""
    value = file.get(key)
    if isinstance(value, list | tuple):
        yield from ((index, entry) for index, entry in enumerate(value) if isinstance(entry, Mapping))


def _same_id_twice(file: Mapping[str, Any], key: str) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, entry in entries(file, key):
        name = entry.get("id")
        if not isinstance(name, str):
            continue
        if name in first:
            yield (key, index, "id"), f'"{name}" is already the id of {key}[{first[name]}]; ids must differ'
        first.setdefault(name, index)


def _ids_of_the_nodes_own(file: Mapping[str, Any]) -> Iterator[Finding]:
    for index, device in entries(file, "device"):
        if (name := device.get("id")) in SOURCES_OF_THE_NODE:
            text = f'"{name}" is how the node signs its own events; give the device another id, such as "panel-1"'
            yield ("device", index, "id"), text


def _unknown_counters(file: Mapping[str, Any]) -> Iterator[Finding]:
    known = [entry["id"] for _, entry in entries(file, "counter") if isinstance(entry.get("id"), str)]
    for index, device in entries(file, "device"):
        counter = device.get("counter")
        if isinstance(counter, str) and counter not in known:
            listed = ", ".join(f'"{name}"' for name in dict.fromkeys(known)) or "none"
            text = f'there is no counter "{counter}"{nearest(counter, known)}; counters: {listed}'
            yield ("device", index, "counter"), text


def _not_for_production(file: Mapping[str, Any]) -> Iterator[Finding]:
    if table(file, "city").get("url", EMBEDDED_CITY) == EMBEDDED_CITY:
        text = 'a site in production mode needs the city\'s address: url = "https://..."'
        yield ("city", "url"), text
    trust = table(file, "clock").get("trust", ())
    if isinstance(trust, list | tuple) and "host" in trust:
        text = '"host" believes the computer\'s own clock and is for simulation only; take it out of the list'
        yield ("clock", "trust"), text
    for index, device in entries(file, "device"):
        if device.get("wire") == SIMULATED_WIRE:
            text = 'production mode runs no simulated device; name the real wire, or set mode = "simulation"'
            yield ("device", index, "wire"), text
