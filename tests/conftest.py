"""Standing here puts this folder on the import path: tests say `from support.journals import running_journal`.

On a laptop a test may skip for lack of a system package (Chromium, a C compiler). Where NUCUOI_NO_SKIP is set, as on the
build machine, a skip is a failure: what is not run there would be believed to work.
"""

import logging
import os
import sys
import threading
from collections.abc import Generator, Iterator
from typing import TypeVar

import hypothesis
import pytest
from support.databases import database, module_database, own_postgres, postgres

__all__ = ["database", "module_database", "own_postgres", "postgres"]  # fixtures
hypothesis.settings.register_profile("any machine", deadline=None)  # no test depends on speed
hypothesis.settings.load_profile("any machine")
NO_SKIP = "NUCUOI_NO_SKIP"
Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips."""
    return _nothing_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A file that skips as a whole (`pytest.importorskip`)."""
    return _nothing_skipped((yield))


def _nothing_skipped(report: Report) -> Report:
    expected_to_fail = hasattr(report, "wasxfail")
    if os.environ.get(NO_SKIP) and report.skipped and not expected_to_fail:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason} ({NO_SKIP} is set: nothing may be skipped here)"
    return report


@pytest.fixture(autouse=True)
def _no_logger_is_silenced() -> Iterator[None]:
    """A library that sets up logging (`dictConfig`) disables every logger that exists: the tests after it would hear nothing."""
    yield
    loggers = logging.root.manager.loggerDict.items()
    silenced = [logger for _, logger in loggers if isinstance(logger, logging.Logger) and logger.disabled]
    for logger in silenced:
        logger.disabled = False
    assert not silenced, f"this test silenced {len(silenced)} loggers, {silenced[0].name} among them"


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    """For a test that sets up logging in this process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


_exit_status = [0]


def pytest_sessionfinish(exitstatus: int) -> None:
    """Kept for `pytest_unconfigure`, which is not told."""
    _exit_status[0] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """A thread that a failed test left behind must not keep the build machine waiting: it is named, and left."""
    left = [
        thread.name for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon
    ]
    if left:
        sys.stderr.write(f"\nthreads still running after the tests: {', '.join(left)}\n")
        sys.stderr.flush()
        os._exit(_exit_status[0] or 1)
