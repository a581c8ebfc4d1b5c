from __future__ import annotations

import threading
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


def test_two_threads_are_heard_in_the_order_in_which_they_told():
    """The first is still handing in when the second comes."""
    journal = Journal()
    second = threading.Thread(target=lambda: report.tell(False, command(available=False)))

    def slow(asked: Command) -> Future[Outcome]:
        if not second.ident:
            second.start()
            second.join(0.2)  # it must wait for its turn; without an order it is through by then
        return journal(asked)

    report = Report[bool](slow)
    report.tell(True, command(available=True))
    second.join()
    assert [getattr(asked, "available", None) for asked, _ in journal.asked] == [True, False]


def test_a_journal_that_refuses_at_once_and_calls_back_in_this_thread_is_no_deadlock():
    def closed(_: Command) -> Future[Outcome]:
        report.retry()  # as the callback of an earlier command could, while the journal empties its inbox
        future: Future[Outcome] = Future()
        future.set_exception(JournalRefusing("full"))
        return future

    report = Report[bool](closed)
    telling = threading.Thread(target=report.tell, args=(True, command(available=True)), daemon=True)
    telling.start()
    telling.join(10)
    assert not telling.is_alive()
