"""Start, tick, stop, trust, and the reports of devices: the events that states are reckoned from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Protocol

from firmware_py.core.clock import iso, iso_hour, parse_iso
from firmware_py.core.contracts import (
    BUTTON_FAULTED,
    BUTTON_RECOVERED,
    CLOCK_TRUSTED,
    DEVICE_AVAILABLE,
    DEVICE_UNAVAILABLE,
    EFFECT_SKIPPED,
    NODE_STARTED,
    NODE_STOPPED,
    NODE_TICK,
    SITE_CLOSED,
    SITE_OPENED,
    Command,
    Rejection,
    ReportButton,
    ReportDevice,
    SkipEffect,
    StartNode,
    StopNode,
    Tick,
    TrustClock,
)  # fmt: skip
from firmware_py.core.events import Event, NewEvent
from firmware_py.core.placing import Placement, Span, UntrustedBoot, place_ended, subtract
from firmware_py.core.ports import Decision, Fold, SchemaStep, View
from firmware_py.features.timekeeping import spans

TABLES = SchemaStep(
    "timekeeping",
    (
        """CREATE TABLE boot_placed (boot_id TEXT PRIMARY KEY, zero TEXT NOT NULL, basis TEXT NOT NULL)
            STRICT, WITHOUT ROWID""",
        """CREATE TABLE timekeeping (one INTEGER PRIMARY KEY CHECK (one = 1), trusted_seq INTEGER NOT NULL,
            known_until TEXT) STRICT""",
        "INSERT INTO timekeeping VALUES (1, 0, NULL)",
    ),
)
#: Beyond this, a gap of opening hours is a node taken out of service, not an outage to be reckoned.
LONGEST_GAP = timedelta(days=62)
SHORTEST_GAP = timedelta(seconds=1)  # less is the rounding of times, not an outage


class Calendar(Protocol):
    """The site's opening hours (`config.opening.OpeningHours`)."""

    def is_open(self, utc: datetime) -> bool:
        """Whether the doors are open then."""
        ...

    def spans(self, start: datetime, end: datetime) -> list[Span]:
        """The open spans between two moments, in order."""
        ...


def _report(command: Command) -> tuple[str, dict[str, Any]]:
    """The event of a command that only reports something: its type and data."""
    match command:
        case StopNode():
            return NODE_STOPPED, {}
        case ReportDevice():
            kind = DEVICE_AVAILABLE if command.available else DEVICE_UNAVAILABLE
            return kind, {"device": command.device, "counter": command.counter, "reason": command.reason}
        case ReportButton():
            kind = BUTTON_FAULTED if command.fault else BUTTON_RECOVERED
            return kind, {"device": command.device, "button": command.button, "fault": command.fault}
        case SkipEffect():
            data = {"reactor": command.reactor, "event_seq": command.event_seq, "reason": command.reason}
            return EFFECT_SKIPPED, data
        case _:
            raise TypeError(f"not a command of timekeeping: {command!r}")


class Timekeeping:
    """The node's life as events (`ports.Feature`). Its decisions need the calendar; its folding needs nothing."""

    name = "timekeeping"
    commands: tuple[type[Command], ...] = (
        StartNode, StopNode, Tick, TrustClock, ReportDevice, ReportButton, SkipEffect,
    )  # fmt: skip
    schema = (spans.SCHEMA, TABLES)

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar

    def decide(self, view: View, command: Command) -> Decision | Rejection:
        """Every report becomes an event; ticks also notice that the doors opened or closed."""
        match command:
            case StartNode():
                return self._event(command, NODE_STARTED, {"version": command.version, "site": self._site(view)})
            case Tick():
                return self._tick(view, command)
            case TrustClock():
                return self._trust(view, command)
            case _:
                return self._event(command, *_report(command))

    @staticmethod
    def _event(command: Command, kind: str, data: dict[str, Any]) -> Decision:
        return Decision([NewEvent(kind, data, command.source, command.simulated, command.purpose)])

    def _site(self, view: View) -> str:
        if not view.moment.trusted:
            return "unknown"
        return "open" if self._calendar.is_open(view.moment.utc) else "closed"

    def _tick(self, view: View, command: Tick) -> Decision:
        events = [NewEvent(NODE_TICK, {}, command.source, command.simulated)]
        if view.moment.trusted:
            row = view.row("SELECT value FROM open_state WHERE key = ?", (spans.SITE,))
            site = self._site(view)
            if row is not None and row[0] not in ("unknown", site):
                kind = SITE_OPENED if site == "open" else SITE_CLOSED
                events.append(NewEvent(kind, {}, command.source, command.simulated))
        return Decision(events)

    def _trust(self, view: View, command: TrustClock) -> Decision:
        """Place every boot that waits, and say when the doors were open in all that time."""
        now = view.moment
        trusted_seq, known_until = view.row("SELECT trusted_seq, known_until FROM timekeeping") or (0, None)
        last_known = None if known_until is None else parse_iso(known_until)
        placements = self._placements(view, trusted_seq, last_known)
        covered = spans.waiting_of_node(view, placements)
        since = view.row("SELECT uptime_s FROM open_since")
        if since is not None:  # this process has been running since then: it knows
            covered.append((now.utc - timedelta(seconds=now.uptime_s - since[0]), now.utc))
        earliest = min([start for start, _ in covered] + ([last_known] if last_known else []), default=now.utc)
        earliest = max(earliest, now.utc - LONGEST_GAP)
        open_spans = self._calendar.spans(earliest, now.utc) if earliest < now.utc else []
        holes = [*covered, (earliest, last_known or now.utc)]
        gap = [(start, end) for start, end in subtract(open_spans, holes) if end - start >= SHORTEST_GAP]
        return self._event(
            command,
            CLOCK_TRUSTED,
            {
                "origin": command.origin,
                "boots": [{"boot_id": p.boot_id, "zero": iso(p.zero), "basis": p.basis} for p in placements],
                "open": spans.spans_json(open_spans),
                "unknown": spans.spans_json(gap),
                "site": self._site(view),
            },
        )

    @staticmethod
    def _placements(view: View, trusted_seq: int, last_known: datetime | None) -> list[Placement]:
        """All boots with untrusted events since the last trust, newest first, so that each bounds the one before it."""
        now = view.moment
        rows = view.rows(
            "SELECT boot_id, min(seq), max(seq) FROM event WHERE clock_trusted = 0 AND seq > ? "
            "GROUP BY boot_id ORDER BY min(seq) DESC",
            (trusted_seq,),
        )
        boots: list[UntrustedBoot] = []
        for boot_id, first_seq, last_seq in rows:
            first, last = (
                view.row("SELECT time, uptime_s FROM event WHERE seq = ?", (seq,)) for seq in (first_seq, last_seq)
            )
            if first is not None and last is not None:
                boots.append(UntrustedBoot(boot_id, parse_iso(first[0]), first[1], last[1]))
        before = now.utc
        older = timedelta(seconds=sum(boot.lasted_s for boot in boots))
        placed: list[Placement] = []
        for boot in boots:
            older -= timedelta(seconds=boot.lasted_s)
            if boot.boot_id == now.boot_id:
                placement = Placement(boot.boot_id, now.utc - timedelta(seconds=now.uptime_s), "exact")
            else:
                # The boots before it need their room too: else they would be pushed into what is known already.
                placement = place_ended(boot, last_known + older if last_known else None, before)
            before = placement.at(boot.first_uptime_s)
            placed.append(placement)
        return placed

    def apply(self, fold: Fold, event: Event) -> None:
        """Close and open intervals; finish hours that ended."""
        match event.type:
            case "node.started":
                spans.begin(fold, event)
            case "node.stopped":
                self._close(fold, event)
                spans.end(fold)
            case "node.tick":
                self._close(fold, event)
                if event.clock_trusted:
                    fold.finalise(iso_hour(parse_iso(event.time)))
            case "site.opened" | "site.closed":
                self._close(fold, event)
                state = "open" if event.type == SITE_OPENED else "closed"
                spans.set_state(fold, spans.SITE, state, simulated=event.simulated)
            case "device.available" | "device.unavailable":
                self._close(fold, event)
                state = "available" if event.type == DEVICE_AVAILABLE else "unavailable"
                key = spans.device_key(event.data["device"], event.data.get("counter"))
                spans.set_state(fold, key, state, simulated=event.simulated)
            case "clock.trusted":
                self._trusted(fold, event)
            case _:
                pass

    @staticmethod
    def _close(fold: Fold, event: Event) -> None:
        spans.advance(fold, event)
        if event.clock_trusted:
            fold.execute("UPDATE timekeeping SET known_until = ?", (event.time,))

    @staticmethod
    def _trusted(fold: Fold, event: Event) -> None:
        spans.advance(fold, event)
        placements = [
            Placement(boot["boot_id"], parse_iso(boot["zero"]), boot["basis"]) for boot in event.data["boots"]
        ]
        for placement in placements:
            fold.execute(
                "INSERT OR REPLACE INTO boot_placed VALUES (?, ?, ?)",
                (placement.boot_id, iso(placement.zero), placement.basis),
            )
        spans.place_waiting(fold, placements, spans.spans_from_json(event.data["open"]))
        spans.fold_unknown(fold, spans.spans_from_json(event.data["unknown"]), simulated=event.simulated)
        spans.set_state(fold, spans.SITE, str(event.data["site"]), simulated=event.simulated)
        fold.execute("UPDATE timekeeping SET trusted_seq = ?, known_until = ?", (event.seq, event.time))
