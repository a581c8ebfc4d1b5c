"""Ratings on the journal: a press becomes an event with its verdict, and the buckets follow the events.

The verdict stands in the event, so that folding needs neither settings nor calendar. A press before the clock is trusted
waits without an hour; `clock.trusted` brings one `rating.placed` per waiting press, which is what the buckets then take.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Protocol

from config.settings import RatingsSettings
from firmware_py.core.clock import iso_hour, parse_iso
from firmware_py.core.contracts import RATING_GIVEN, RATING_PLACED, Command, GiveRating, Rejection, TrustClock
from firmware_py.core.events import Event, NewEvent
from firmware_py.core.placing import placement_of
from firmware_py.core.ports import Decision, Fold, SchemaStep, View
from firmware_py.core.series import Delta, Series, labels_json, observation
from firmware_py.features.ratings.rules import Act, Windows, judge
from firmware_py.features.ratings.scale import definition_of

RATINGS = Series("ratings", "count")
CORRECTED = Series("ratings_corrected", "count")
EXCLUDED = Series("ratings_excluded", "count")
DELAY = Series("rating_delay", "histogram", (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0))
#: Ratings of any outcome whose hour is known only within bounds: given in a boot that ended before its clock was trusted.
HOUR_ESTIMATED = Series("ratings_hour_estimated", "count")
DEFINITION = 1  # of the series that no scale changes

TABLES = SchemaStep(
    "ratings",
    (
        # The newest act of each counter. `hour` NULL: not placed yet.
        """CREATE TABLE rating_act (counter TEXT NOT NULL, seq INTEGER NOT NULL, boot_id TEXT NOT NULL,
            first_uptime_s REAL NOT NULL, level INTEGER NOT NULL, definition INTEGER NOT NULL, hour TEXT,
            simulated INTEGER NOT NULL, PRIMARY KEY (counter, simulated)) STRICT, WITHOUT ROWID""",
        # Presses that wait for a trusted clock, with what they are apart from opening hours.
        """CREATE TABLE rating_waiting (seq INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, uptime_s REAL NOT NULL,
            first_uptime_s REAL NOT NULL, counter TEXT NOT NULL, level INTEGER NOT NULL, definition INTEGER NOT NULL,
            outcome TEXT NOT NULL, reason TEXT, simulated INTEGER NOT NULL) STRICT""",
    ),
)


class Doors(Protocol):
    """When the site is open (`config.opening.OpeningHours`)."""

    def is_open(self, utc: datetime) -> bool:
        """Whether the doors are open then."""
        ...


class Ratings:
    """The rules of rating (`ports.Feature`)."""

    name = "ratings"
    commands: tuple[type[Command], ...] = (GiveRating, TrustClock)
    schema = (TABLES,)

    def __init__(self, settings: RatingsSettings, counters: frozenset[str], doors: Doors) -> None:
        self._settings = settings
        self._counters = counters
        self._doors = doors
        self._windows = Windows(settings.correction_s, settings.lockout_s)
        self._definition = definition_of(settings.levels, settings.satisfied_from)

    def decide(self, view: View, command: Command) -> Decision | Rejection:
        """A press, or the clock's trust for the presses that waited."""
        if isinstance(command, GiveRating):
            return self._press(view, command)
        return self._place(view, command)

    def _press(self, view: View, press: GiveRating) -> Decision | Rejection:
        if press.counter not in self._counters:
            return Rejection("unknown_counter", f"Không có quầy {press.counter!r} trong cấu hình.")
        if not 1 <= press.level <= self._settings.levels:
            return Rejection("unknown_level", f"Mức {press.level} không có: chọn 1 đến {self._settings.levels}.")
        moment = view.moment
        ago_s = round(max(0.0, press.pressed_ago_s), 3)
        pressed_at = moment.utc - timedelta(seconds=ago_s)
        verdict = judge(
            read_act(view, press.counter, simulated=press.simulated),
            boot_id=moment.boot_id,
            uptime_s=moment.uptime_s - ago_s,
            level=press.level,
            definition=self._definition,
            windows=self._windows,
            is_open=self._doors.is_open(pressed_at) if moment.trusted else None,
        )
        data: dict[str, Any] = {
            "counter": press.counter,
            "level": press.level,
            "definition": self._definition,
            "outcome": verdict.outcome,
            "reason": verdict.reason,
            "pressed_ago_s": ago_s,
            "ticket": press.ticket,
        }
        event = NewEvent(RATING_GIVEN, data, press.source, press.simulated, press.purpose)
        return Decision([event], {"outcome": verdict.outcome, "reason": verdict.reason})

    def _place(self, view: View, command: Command) -> Decision:
        """Every waiting press gets its hour, and those outside opening hours their exclusion."""
        events: list[NewEvent] = []
        rows = view.rows(
            "SELECT seq, boot_id, uptime_s, first_uptime_s, counter, level, definition, outcome, reason, simulated "
            "FROM rating_waiting ORDER BY seq"
        )
        for seq, boot_id, uptime_s, first_s, counter, level, definition, outcome, reason, simulated in rows:
            placement = placement_of(view, boot_id)
            if placement is None:
                continue
            if outcome == "counted" and not self._doors.is_open(placement.at(first_s)):
                outcome, reason = "excluded", "outside_opening_hours"  # noqa: PLW2901 - the row's own verdict
            data = {
                "rating_seq": seq,
                "counter": counter,
                "level": level,
                "definition": definition,
                "outcome": outcome,
                "reason": reason,
                "hour": iso_hour(placement.at(first_s if outcome != "excluded" else uptime_s)),
                "estimated": placement.basis == "bounded",
            }
            events.append(NewEvent(RATING_PLACED, data, command.source, bool(simulated)))
        return Decision(events)

    def apply(self, fold: Fold, event: Event) -> None:
        """Fold presses and placings into acts and buckets."""
        if event.type == RATING_GIVEN:
            _apply_given(fold, event)
        elif event.type == RATING_PLACED:
            _apply_placed(fold, event)


def read_act(view: View, counter: str, *, simulated: bool) -> Act | None:
    """The counter's newest act; simulated and real presses never meet in one."""
    row = view.row(
        "SELECT boot_id, first_uptime_s, level, definition FROM rating_act WHERE counter = ? AND simulated = ?",
        (counter, int(simulated)),
    )
    return None if row is None else Act(*row)


def _apply_given(fold: Fold, event: Event) -> None:
    data = event.data
    counter, outcome = data["counter"], data["outcome"]
    pressed_s = event.uptime_s - data["pressed_ago_s"]
    pressed_at = parse_iso(event.time) - timedelta(seconds=data["pressed_ago_s"])
    hour = iso_hour(pressed_at) if event.clock_trusted else None
    if event.clock_trusted:
        delay = observation(DELAY, data["pressed_ago_s"])
        _add(fold, event, DELAY, {"counter": counter}, str(hour), DEFINITION, delay)
    if outcome == "corrected":
        first_s, hour = _correct(fold, event)
    else:
        first_s = pressed_s
    if outcome == "counted":
        fold.execute(
            "INSERT OR REPLACE INTO rating_act VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                counter, event.seq, event.boot_id, pressed_s, data["level"], data["definition"], hour,
                int(event.simulated),
            ),
        )  # fmt: skip
    if hour is None:
        fold.execute(
            "INSERT INTO rating_waiting VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                event.seq, event.boot_id, pressed_s, first_s, counter, data["level"], data["definition"],
                "counted" if outcome == "corrected" else outcome, data["reason"], int(event.simulated),
            ),
        )  # fmt: skip
    elif outcome == "excluded":
        _add(fold, event, EXCLUDED, {"counter": counter, "reason": data["reason"]}, hour, DEFINITION, (1,))
    else:
        _add_rating(fold, event, counter, data["level"], data["definition"], hour, 1)


def _correct(fold: Fold, event: Event) -> tuple[float, str | None]:
    """Take back what the act counted before. Returns the act's first uptime, and its hour (None: it waits)."""
    counter = event.data["counter"]
    act = (counter, int(event.simulated))
    row = fold.row(
        "SELECT seq, first_uptime_s, level, definition, hour FROM rating_act WHERE counter = ? AND simulated = ?", act
    )
    if row is None:
        raise RuntimeError(f"event {event.seq} corrects a rating of counter {counter} that is not there")
    seq, first_s, level, definition, hour = row
    if hour is None:
        fold.execute("UPDATE rating_waiting SET outcome = 'corrected' WHERE seq = ?", (seq,))
    else:
        _add_rating(fold, event, counter, level, definition, hour, -1)
        _add(fold, event, CORRECTED, {"counter": counter}, hour, DEFINITION, (1,))
    fold.execute(
        "UPDATE rating_act SET seq = ?, level = ? WHERE counter = ? AND simulated = ?",
        (event.seq, event.data["level"], *act),
    )
    return first_s, hour


def _apply_placed(fold: Fold, event: Event) -> None:
    data = event.data
    counter, hour = data["counter"], data["hour"]
    fold.execute("DELETE FROM rating_waiting WHERE seq = ?", (data["rating_seq"],))
    if data["outcome"] == "counted":
        _add_rating(fold, event, counter, data["level"], data["definition"], hour, 1)
        fold.execute(
            "UPDATE rating_act SET hour = ? WHERE counter = ? AND seq = ?", (hour, counter, data["rating_seq"])
        )
    elif data["outcome"] == "corrected":
        _add(fold, event, CORRECTED, {"counter": counter}, hour, DEFINITION, (1,))
    else:
        _add(fold, event, EXCLUDED, {"counter": counter, "reason": data["reason"]}, hour, DEFINITION, (1,))
        fold.execute("DELETE FROM rating_act WHERE counter = ? AND seq = ?", (counter, data["rating_seq"]))
    if data["estimated"]:
        _add(fold, event, HOUR_ESTIMATED, {"counter": counter}, hour, DEFINITION, (1,))


def _add_rating(fold: Fold, event: Event, counter: str, level: int, definition: int, hour: str, count: int) -> None:
    _add(fold, event, RATINGS, {"counter": counter, "level": str(level)}, hour, definition, (count,))


def _add(
    fold: Fold,
    event: Event,
    series: Series,
    labels: dict[str, str],
    hour: str,
    definition: int,
    parts: tuple[int, ...],
) -> None:
    fold.add(Delta(series, labels_json(labels), hour, event.simulated, definition, parts))
