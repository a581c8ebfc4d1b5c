"""Folding ratings: what a press and a placing do to acts, to what waits, and to buckets.

No settings and no calendar: the verdict stands in the event.
"""

from __future__ import annotations

from datetime import timedelta

from firmware_py.core.clock import iso_hour, parse_iso
from firmware_py.core.events import Event
from firmware_py.core.ports import Fold
from firmware_py.core.series import Delta, Series, labels_json, observation

RATINGS = Series("ratings", "count")
CORRECTED = Series("ratings_corrected", "count")
EXCLUDED = Series("ratings_excluded", "count")
DELAY = Series("rating_delay", "histogram", (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0))
#: Ratings of any outcome whose hour is known only within bounds: given in a boot that ended before its clock was trusted.
HOUR_ESTIMATED = Series("ratings_hour_estimated", "count")
ACTS_KEPT_S = 3600.0  # a press that arrives later than this is judged without the acts around it
DEFINITION = 1  # of the series that no scale changes
#: `ratings_corrected` by the level that was taken back. Definition 1 had no level, and events from before it name none.
CORRECTED_DEFINITION = 2


def pressed_uptime_s(uptime_s: float, ago_s: float) -> float:
    """When the finger pressed, to the millisecond that events have: decide and apply must reckon the same."""
    return round(round(uptime_s, 3) - ago_s, 3)


def apply_given(fold: Fold, event: Event) -> None:
    """A press: its act, and its bucket; or it waits for a trusted clock."""
    data = event.data
    counter, outcome, ago_s = data["counter"], data["outcome"], data["pressed_ago_s"]
    pressed_s = pressed_uptime_s(event.uptime_s, ago_s)
    hour = iso_hour(parse_iso(event.time) - timedelta(seconds=ago_s)) if event.clock_trusted else None
    if hour is not None:
        _add(fold, event, DELAY, {"counter": counter}, hour, DEFINITION, observation(DELAY, ago_s))
    first_s = pressed_s
    if outcome == "corrected":
        first_s, hour = _correct(fold, event, pressed_s)
    elif outcome == "counted":
        _begin_act(fold, event, pressed_s, hour)
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


def _begin_act(fold: Fold, event: Event, pressed_s: float, hour: str | None) -> None:
    """A counted press begins an act."""
    data = event.data
    fold.execute(
        "INSERT OR REPLACE INTO rating_act VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            data["counter"], int(event.simulated), event.boot_id, pressed_s, pressed_s, data["level"], event.seq,
            data["definition"], hour,
        ),
    )  # fmt: skip


def forget_old_acts(fold: Fold, event: Event) -> None:
    """At a tick: acts that no press can belong to any more."""
    fold.execute(
        "DELETE FROM rating_act WHERE boot_id <> ? OR first_uptime_s < ?",
        (event.boot_id, event.uptime_s - ACTS_KEPT_S),
    )


def _correct(fold: Fold, event: Event, pressed_s: float) -> tuple[float, str | None]:
    """Take back what the act counted before. Returns the act's first uptime, and its hour (None: it waits)."""
    counter, replaced = event.data["counter"], event.data["corrects"]
    act = (counter, int(event.simulated), replaced)
    row = fold.row(
        "SELECT first_uptime_s, level, definition, hour FROM rating_act WHERE counter = ? AND simulated = ? AND seq = ?",
        act,
    )
    if row is None:
        raise RuntimeError(f"event {event.seq} corrects rating {replaced} of counter {counter}, which is not there")
    first_s, level, definition, hour = row
    if hour is None:
        fold.execute("UPDATE rating_waiting SET outcome = 'corrected' WHERE seq = ?", (replaced,))
    else:
        _add_rating(fold, event, counter, level, definition, hour, -1)
        _add_corrected(fold, event, hour)
    fold.execute(
        "UPDATE rating_act SET seq = ?, level = ?, word_uptime_s = ? WHERE counter = ? AND simulated = ? AND seq = ?",
        (event.seq, event.data["level"], pressed_s, *act),
    )
    return first_s, hour


def apply_placed(fold: Fold, event: Event) -> None:
    """A press that waited has its hour."""
    data = event.data
    counter, hour = data["counter"], data["hour"]
    fold.execute("DELETE FROM rating_waiting WHERE seq = ?", (data["rating_seq"],))
    if data["outcome"] == "counted":
        _add_rating(fold, event, counter, data["level"], data["definition"], hour, 1)
        fold.execute(
            "UPDATE rating_act SET hour = ? WHERE counter = ? AND seq = ?", (hour, counter, data["rating_seq"])
        )
    elif data["outcome"] == "corrected":
        _add_corrected(fold, event, hour)
    else:
        _add(fold, event, EXCLUDED, {"counter": counter, "reason": data["reason"]}, hour, DEFINITION, (1,))
        fold.execute("DELETE FROM rating_act WHERE counter = ? AND seq = ?", (counter, data["rating_seq"]))
    if data["estimated"]:
        _add(fold, event, HOUR_ESTIMATED, {"counter": counter}, hour, DEFINITION, (1,))


def _add_rating(fold: Fold, event: Event, counter: str, level: int, definition: int, hour: str, count: int) -> None:
    _add(fold, event, RATINGS, {"counter": counter, "level": str(level)}, hour, definition, (count,))


def _add_corrected(fold: Fold, event: Event, hour: str) -> None:
    """One rating taken back; the event says which definition it is folded under, so that old journals refold as they were."""
    counter, level = event.data["counter"], event.data.get("corrected_level")
    if level is None:
        _add(fold, event, CORRECTED, {"counter": counter}, hour, DEFINITION, (1,))
    else:
        labels = {"counter": counter, "level": str(level)}
        _add(fold, event, CORRECTED, labels, hour, CORRECTED_DEFINITION, (1,))


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
