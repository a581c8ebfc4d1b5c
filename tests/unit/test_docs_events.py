"""docs/events.md: every event, with the fields that are really written."""

import re
from collections.abc import Sequence
from pathlib import Path

from support.fake_clock import FakeClock
from support.journals import do, events, press, running_journal
from support.pages import DOCS, section, text_of

from firmware_py.core import contracts
from firmware_py.core.contracts import (
    STREAMED_FIELDS,
    ReportButton,
    ReportDevice,
    SkipEffect,
    StartNode,
    StopNode,
    Tick,
    TrustClock,
)
from firmware_py.core.events import Event

PAGE = text_of(DOCS / "events.md")
WITHOUT_DATA_BY_DESIGN = {contracts.SITE_OPENED, contracts.SITE_CLOSED}  # the doors of this test's hall never close


def event_types() -> set[str]:
    return {
        value for name, value in vars(contracts).items() if name.isupper() and re.fullmatch(r"\w+\.\w+", str(value))
    }


def documented() -> dict[str, str]:
    return {kind: section(PAGE, f"### `{kind}`") for kind in re.findall(r"^### `(\w+\.\w+)`$", PAGE, re.MULTILINE)}


def documented_fields(text: str) -> set[str]:
    cells = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_every_event_type_is_documented_and_none_besides() -> None:
    assert set(documented()) == event_types() == set(STREAMED_FIELDS)


def test_the_fields_of_an_event_are_those_that_are_written(tmp_path: Path) -> None:
    """One of each is made; what stands in its data is what the page says."""
    written = {event.type: set(event.data) for event in one_of_each(tmp_path)}
    assert event_types() - set(written) == WITHOUT_DATA_BY_DESIGN
    assert {kind: documented_fields(text) for kind, text in documented().items() if kind in written} == written


def test_what_may_be_streamed_is_told_and_no_more() -> None:
    for kind, text in documented().items():
        told = re.search(r"Streamed: (.*?)\.$", text, re.MULTILINE)
        fields = set(re.findall(r"`(\w+)`", told[1])) if told else set()
        everything = told is not None and told[1] == "all"
        assert set(STREAMED_FIELDS[kind]) == (documented_fields(text) if everything else fields), kind


def one_of_each(folder: Path) -> Sequence[Event]:
    clock = FakeClock(trusted=False)
    with running_journal(folder, clock) as journal:
        do(journal, StartNode(source="node", version="0"))
        do(journal, ReportDevice(source="p", device="p", available=False, reason="Rút dây"))
        do(journal, ReportDevice(source="p", device="p", available=True))
        do(journal, ReportButton(source="p", device="p", button=1, fault="stuck"))
        do(journal, ReportButton(source="p", device="p", button=1, fault=None))
        do(journal, SkipEffect(source="r", reactor="thanks", event_seq=1, reason="expired"))
        press(journal, 5)
        clock.advance(60)
        clock.trust()
        do(journal, TrustClock(source="clock", origin="network"))
        do(journal, Tick(source="node"))
        do(journal, StopNode(source="node"))
        return events(journal)
