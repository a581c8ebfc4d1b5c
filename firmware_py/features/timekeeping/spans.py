"""Time in state: how long the node ran and each device was available, within opening hours.

Every state event and every tick closes all open intervals and begins new ones, so that within one interval nothing changed.
What is measured is uptime, so a clock step cannot stretch it; where it belongs is civil time. While nobody trusts the clock
the intervals wait, and `clock.trusted` places them. From the last tick before a power cut to the next start nothing is
known: those opening hours are the node's `unknown` ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from firmware_py.core.clock import iso, parse_iso
from firmware_py.core.events import Event
from firmware_py.core.placing import Placement, Span, intersect
from firmware_py.core.ports import Fold, Reader, SchemaStep
from firmware_py.core.series import Delta, Series, labels_json, split_by_hour

OPEN_SECONDS = Series("open_seconds", "seconds")
DEVICE_SECONDS = Series("device_seconds", "seconds")
DEFINITION = 1
SITE, NODE = "site", "node"  # keys of open states; a device's is `device_key`

SCHEMA = SchemaStep(
    "spans",
    (
        """CREATE TABLE open_state (key TEXT PRIMARY KEY, value TEXT NOT NULL, simulated INTEGER NOT NULL)
            STRICT, WITHOUT ROWID""",
        "CREATE TABLE open_since (one INTEGER PRIMARY KEY CHECK (one = 1), uptime_s REAL NOT NULL) STRICT",
        """CREATE TABLE waiting_span (id INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, key TEXT NOT NULL,
            value TEXT NOT NULL, simulated INTEGER NOT NULL, from_uptime_s REAL NOT NULL, to_uptime_s REAL NOT NULL) STRICT""",
    ),
)


def device_key(device: str, counter: str | None) -> str:
    """The key of a device's state: `device/ID`, and `device/ID/COUNTER` where it stands at a counter (ids have no slash)."""
    return f"device/{device}" if counter is None else f"device/{device}/{counter}"


def begin(fold: Fold, event: Event) -> None:
    """A process starts: whatever was open before ended at some unknown moment."""
    fold.execute("DELETE FROM open_state")
    fold.execute("INSERT OR REPLACE INTO open_since VALUES (1, ?)", (event.uptime_s,))
    set_state(fold, NODE, "up", simulated=event.simulated)
    set_state(fold, SITE, str(event.data["site"]), simulated=event.simulated)


def end(fold: Fold) -> None:
    """A clean stop: nothing is open any more."""
    fold.execute("DELETE FROM open_state")
    fold.execute("DELETE FROM open_since")


def set_state(fold: Fold, key: str, value: str, *, simulated: bool) -> None:
    """From now on `key` is in state `value`."""
    fold.execute("INSERT OR REPLACE INTO open_state VALUES (?, ?, ?)", (key, value, int(simulated)))


def advance(fold: Fold, event: Event) -> None:
    """Close every open interval at this event and begin the next ones."""
    since = fold.row("SELECT uptime_s FROM open_since")
    if since is None:
        return
    fold.execute("UPDATE open_since SET uptime_s = ?", (event.uptime_s,))
    lasted_s = event.uptime_s - since[0]
    states = {key: (value, bool(simulated)) for key, value, simulated in fold.rows("SELECT * FROM open_state")}
    site = states.pop(SITE, ("unknown", False))[0]
    if lasted_s <= 0 or site == "closed":
        return
    for key, (value, simulated) in states.items():
        if site == "unknown":
            fold.execute(
                "INSERT INTO waiting_span (boot_id, key, value, simulated, from_uptime_s, to_uptime_s) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (event.boot_id, key, value, int(simulated), since[0], event.uptime_s),
            )
        else:
            now = parse_iso(event.time)
            _fold_span(fold, key, value, (now - timedelta(seconds=lasted_s), now), simulated=simulated)


def waiting_of_node(reader: Reader, placements: Iterable[Placement]) -> list[Span]:
    """When a process ran in boots that are placed now. Between two processes of one boot nobody knows anything."""
    return [
        (placement.at(from_s), placement.at(to_s))
        for placement in placements
        for from_s, to_s in reader.rows(
            "SELECT from_uptime_s, to_uptime_s FROM waiting_span WHERE key = ? AND boot_id = ? ORDER BY id",
            (NODE, placement.boot_id),
        )
    ]


def place_waiting(fold: Fold, placements: Iterable[Placement], open_spans: Sequence[Span]) -> None:
    """The clock is trusted: what waited falls into its hours, as far as the site was open then."""
    for placement in placements:
        rows = fold.rows(
            "SELECT key, value, simulated, from_uptime_s, to_uptime_s FROM waiting_span WHERE boot_id = ? ORDER BY id",
            (placement.boot_id,),
        )
        for key, value, simulated, from_s, to_s in rows:
            for span in intersect((placement.at(from_s), placement.at(to_s)), open_spans):
                _fold_span(fold, key, value, span, simulated=bool(simulated))
        fold.execute("DELETE FROM waiting_span WHERE boot_id = ?", (placement.boot_id,))


def fold_unknown(fold: Fold, spans: Iterable[Span], *, simulated: bool) -> None:
    """Opening hours in which nobody knows whether the node ran."""
    for span in spans:
        _fold_span(fold, NODE, "unknown", span, simulated=simulated)


def _fold_span(fold: Fold, key: str, value: str, span: Span, *, simulated: bool) -> None:
    if key == NODE:
        series, labels = OPEN_SECONDS, {"state": value}
    else:
        _, device, *counter = key.split("/")
        series, labels = (
            DEVICE_SECONDS,
            {"device": device, "state": value, **({"counter": counter[0]} if counter else {})},
        )
    for hour, lasted_ms in split_by_hour(*span):
        fold.add(Delta(series, labels_json(labels), hour, simulated, DEFINITION, (lasted_ms,)))


def spans_json(spans: Iterable[Span]) -> list[list[str]]:
    """Spans as they stand in an event's data."""
    return [[iso(start), iso(end)] for start, end in spans]


def spans_from_json(data: Iterable[Sequence[str]]) -> list[Span]:
    """The inverse of `spans_json`."""
    return [(parse_iso(start), parse_iso(end)) for start, end in data]
