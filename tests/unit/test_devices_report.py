from __future__ import annotations

from concurrent.futures import Future

from devices.report import Report
from firmware_py.core.contracts import Accepted, Command, Outcome, ReportDevice
from firmware_py.core.errors import JournalRefusing


class Journal:
    def __init__(self) -> None:
        self.asked: list[tuple[Command, Future[Outcome]]] = []

    def __call__(self, command: Command) -> Future[Outcome]:
        self.asked.append((command, Future()))
        return self.asked[-1][1]

    def keep(self, index: int) -> None:
        self.asked[index][1].set_result(Accepted({}))

    def refuse(self, index: int) -> None:
        self.asked[index][1].set_exception(JournalRefusing("full"))


def command(*, available: bool) -> ReportDevice:
    return ReportDevice(source="p", device="p", available=available)


def test_a_state_is_told_once():
    journal = Journal()
    report = Report[bool](journal)
    for _ in range(3):
        report.tell(True, command(available=True))
    journal.keep(0)
    report.tell(True, command(available=True))
    report.retry()
    assert len(journal.asked) == 1


def test_what_the_journal_refused_is_told_again_and_then_no_more():
    journal = Journal()
    report = Report[bool](journal)
    report.tell(False, command(available=False))
    report.retry()
    assert len(journal.asked) == 1  # still being decided
    journal.refuse(0)
    report.retry()
    journal.keep(1)
    report.retry()
    assert [one.available for one, _ in journal.asked] == [False, False]


def test_after_a_refusal_what_is_true_now_is_told():
    journal = Journal()
    report = Report[bool](journal)
    report.tell(False, command(available=False))
    journal.refuse(0)
    report.tell(True, command(available=True))
    journal.keep(1)
    report.retry()
    assert [one.available for one, _ in journal.asked] == [False, True]


def test_an_older_refusal_does_not_repeat_what_is_no_longer_true():
    journal = Journal()
    report = Report[bool](journal)
    report.tell(False, command(available=False))
    report.tell(True, command(available=True))
    journal.refuse(0)
    journal.keep(1)
    report.retry()
    assert len(journal.asked) == 2


def test_what_was_known_from_the_start_is_not_told():
    journal = Journal()
    Report[str](journal, known="").tell("", command(available=True))
    assert journal.asked == []
