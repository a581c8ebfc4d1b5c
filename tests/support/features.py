"""A small feature of the tests' own, to try the journal without the rules of the hall (`core.ports.Feature`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from firmware_py.core.clock import iso_hour, parse_iso
from firmware_py.core.contracts import Command, Rejection
from firmware_py.core.events import Event, NewEvent
from firmware_py.core.ports import Decision, Fold, SchemaStep, View
from firmware_py.core.series import Delta, Series, labels_json

NOTES = Series("notes", "count")
LENGTH = Series("note_length", "seconds")
NOTED = "note.taken"
MOVED = "note.moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Command):
    """Count one note. `fails` is where the rules break: "decide", "apply", "after" (between two events), "shape", "reject"."""

    text: str
    times: int = 1
    fails: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(Command):
    """A correction that takes one note out of an hour and puts it into another."""

    from_hour: str
    to_hour: str
    fails: bool = False


class Notes:
    """Counts notes by their first letter, and remembers their texts in a table of its own."""

    name = "notes"
    commands: tuple[type[Command], ...] = (Note, Move)
    schema: tuple[SchemaStep, ...] = (
        SchemaStep("notes", ("CREATE TABLE note (seq INTEGER PRIMARY KEY, text TEXT) STRICT",)),
    )

    def decide(self, view: View, command: Command) -> Decision | Rejection:
        if isinstance(command, Move):
            data: dict[str, Any] = {"from": command.from_hour, "to": command.to_hour, "fails": command.fails}
            return Decision([NewEvent(MOVED, data, command.source)])
        assert isinstance(command, Note)
        if command.fails == "reject":
            return Rejection("no_notes", "Không ghi.")
        if command.fails == "decide":
            raise RuntimeError("the rules broke while deciding")
        known = view.row("SELECT count(*) FROM note")
        data = {"text": command.text, "fails": command.fails, "known": known[0] if known else 0}
        note = NewEvent(NOTED, data, command.source, command.simulated, command.purpose)
        events = [note] * command.times
        if command.fails == "after":
            events.append(NewEvent(NOTED, data | {"fails": "apply"}, command.source))
        return Decision(events, {"known": data["known"]})

    def apply(self, fold: Fold, event: Event) -> None:
        hour = iso_hour(parse_iso(event.time))
        if event.type == MOVED:
            labels = labels_json({"letter": "m"})
            fold.add(Delta(NOTES, labels, event.data["from"], event.simulated, 1, (-1,)))
            fold.add(Delta(NOTES, labels, event.data["to"], event.simulated, 1, (1,)))
            if event.data["fails"]:
                raise RuntimeError("the rules broke while moving")
        if event.type != NOTED:
            return
        labels = labels_json({"letter": event.data["text"][:1]})
        fold.add(Delta(NOTES, labels, hour, event.simulated, 1, (1,)))
        fold.add(Delta(LENGTH, labels, hour, event.simulated, 1, (len(event.data["text"]),)))
        fold.execute("INSERT INTO note VALUES (?, ?)", (event.seq, event.data["text"]))
        if event.data["fails"] == "shape":
            fold.add(Delta(NOTES, labels, hour, event.simulated, 1, (1, 1)))
        if event.data["fails"] == "apply":
            raise RuntimeError("the rules broke while folding")


class LaterNotes(Notes):
    """The same feature in the product's next version: one migration more."""

    schema = (
        *Notes.schema,
        SchemaStep("note colours", ("ALTER TABLE note ADD COLUMN colour TEXT", "UPDATE note SET colour = 'blue'")),
    )
