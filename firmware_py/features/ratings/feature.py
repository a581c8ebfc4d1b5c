"""Ratings on the journal: a press becomes an event with its verdict, and the buckets follow the events.

The verdict stands in the event, so that folding needs neither settings nor calendar. A press before the clock is trusted
waits without an hour; `clock.trusted` brings one `rating.placed` per waiting press, which is what the buckets then take.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Protocol

from config.settings import RatingsSettings
from firmware_py.core.clock import iso_hour
from firmware_py.core.contracts import (
    NODE_TICK,
    RATING_GIVEN,
    RATING_PLACED,
    Command,
    GiveRating,
    Rejection,
    TrustClock,
)
from firmware_py.core.events import Event, NewEvent
from firmware_py.core.placing import placement_of
from firmware_py.core.ports import Decision, Fold, SchemaStep, View
from firmware_py.features.ratings import releases
from firmware_py.features.ratings.folding import apply_given, apply_placed, forget_old_acts, pressed_uptime_s
from firmware_py.features.ratings.rules import Act, Windows, judge
from firmware_py.features.ratings.scale import definition_of

TABLES = SchemaStep(
    "ratings",
    (
        # The acts of the last hour. `seq`: the rating that counts for it now. `hour` NULL: not placed yet.
        """CREATE TABLE rating_act (counter TEXT NOT NULL, simulated INTEGER NOT NULL, boot_id TEXT NOT NULL,
            first_uptime_s REAL NOT NULL, word_uptime_s REAL NOT NULL, level INTEGER NOT NULL, seq INTEGER NOT NULL,
            definition INTEGER NOT NULL, hour TEXT,
            PRIMARY KEY (counter, simulated, boot_id, first_uptime_s)) STRICT, WITHOUT ROWID""",
        # Presses that wait for a trusted clock, with what they are apart from opening hours.
        """CREATE TABLE rating_waiting (seq INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, uptime_s REAL NOT NULL,
            first_uptime_s REAL NOT NULL, counter TEXT NOT NULL, level INTEGER NOT NULL, definition INTEGER NOT NULL,
            outcome TEXT NOT NULL, reason TEXT, simulated INTEGER NOT NULL) STRICT""",
    ),
)


_ACT = """SELECT first_uptime_s, word_uptime_s, level, seq FROM rating_act
    WHERE counter = ? AND simulated = ? AND boot_id = ? AND definition = ?{} ORDER BY first_uptime_s {} LIMIT 1"""
_ACT_NEWEST = _ACT.format("", "DESC")
_ACT_BEFORE = _ACT.format(" AND first_uptime_s <= ?", "DESC")
_ACT_AFTER = _ACT.format(" AND first_uptime_s > ?", "ASC")


class Doors(Protocol):
    """When the site is open (`config.opening.OpeningHours`)."""

    def is_open(self, utc: datetime) -> bool:
        """Whether the doors are open then."""
        ...


class Ratings:
    """The rules of rating (`ports.Feature`)."""

    name = "ratings"
    commands: tuple[type[Command], ...] = (GiveRating, TrustClock)
    schema = (TABLES, releases.SCHEMA)

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
        pressed_s = pressed_uptime_s(moment.uptime_s, ago_s)
        before, after = self._acts_around(view, press, moment.boot_id, pressed_s)
        verdict = judge(
            before,
            after,
            uptime_s=pressed_s,
            level=press.level,
            windows=self._windows,
            is_open=self._doors.is_open(pressed_at) if moment.trusted else None,
        )
        data: dict[str, Any] = {
            "counter": press.counter,
            "level": press.level,
            "definition": self._definition,
            "outcome": verdict.outcome,
            "reason": verdict.reason,
            "corrects": verdict.corrects,
            "corrected_level": before.level if before and verdict.corrects else None,
            "pressed_ago_s": ago_s,
            "ticket": press.ticket,
        }
        event = NewEvent(RATING_GIVEN, data, press.source, press.simulated, press.purpose)
        return Decision([event], {"outcome": verdict.outcome, "reason": verdict.reason})

    def _acts_around(
        self, view: View, press: GiveRating, boot_id: str, pressed_s: float
    ) -> tuple[Act | None, Act | None]:
        """The acts before and after a press; simulated and real presses never meet in one."""
        where = (press.counter, int(press.simulated), boot_id, self._definition)
        newest = view.row(_ACT_NEWEST, where)
        if newest is None or newest[0] <= pressed_s:  # nearly always: the press is newer than every act
            return (Act(*newest) if newest else None, None)
        before, after = (view.row(sql, (*where, pressed_s)) for sql in (_ACT_BEFORE, _ACT_AFTER))
        return (Act(*before) if before else None, Act(*after) if after else None)

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
                "corrected_level": level if outcome == "corrected" else None,
                "estimated": placement.basis == "bounded",
            }
            events.append(NewEvent(RATING_PLACED, data, command.source, bool(simulated)))
        return Decision(events)

    def apply(self, fold: Fold, event: Event) -> None:
        """Fold presses and placings into acts and buckets."""
        if event.type == RATING_GIVEN:
            apply_given(fold, event)
        elif event.type == RATING_PLACED:
            apply_placed(fold, event)
        elif event.type == NODE_TICK:
            forget_old_acts(fold, event)
