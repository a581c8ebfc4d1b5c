"""The composed node inside the test's own process: what it does when its disk is full, and when a worker hangs."""

import threading

import pytest
from support.calendars import AlwaysOpen, Hours
from support.workers import until

from config.loading import load
from config.secrets import Secrets
from devices.kinds import settings_by_kind
from firmware_py import app as app_module
from firmware_py import watch as watch_module
from firmware_py.app import NodeApp
from firmware_py.cli.options import site_file
from firmware_py.core.contracts import Accepted, GiveRating
from firmware_py.core.errors import JournalRefusing

NEVER_OPEN = Hours([])


@pytest.fixture
def node(tmp_path, monkeypatch):
    """The simulated centre without its embedded city: it has no token, so nothing is sent."""
    monkeypatch.setattr(app_module, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(watch_module, "PROBE_EVERY_S", 0.05)
    text = site_file(None).read_text().replace('url = "embedded"', 'url = "https://city.example"')
    (tmp_path / "site.toml").write_text(text)
    settings = load(tmp_path / "site.toml", settings_by_kind())
    settings = settings.model_copy(update={"api": settings.api.model_copy(update={"port": 0})})
    made = NodeApp(settings, tmp_path / "data", receiver_port=0, secrets=Secrets())
    try:
        made.start()
        assert made.wait_ready(30)
        until(lambda: all(device.available for device in made.devices.statuses()), "all panels are available")
        yield made
    finally:
        made.stop()


class Watching:
    """`run_until_stopped` in a thread; `clean` is what it returned."""

    def __init__(self, node):
        self.clean = None
        self._thread = threading.Thread(target=self._run, args=(node,), name="main under test", daemon=True)
        self._thread.start()

    def _run(self, node):
        self.clean = node.run_until_stopped()

    def ended(self):
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.clean


def press(node, level=5, counter="1", ticket=None):
    command = GiveRating(source="test", counter=counter, level=level, ticket=ticket, simulated=True)
    return node.journal.submit(command).result(20)


def lights(node):
    return {device.light for device in node.devices.statuses()}


def test_while_the_disk_is_full_panels_show_it_and_they_recover_by_themselves(node):
    watching = Watching(node)
    node.journal.run(lambda tx: tx.row(f"PRAGMA max_page_count = {tx.row('PRAGMA page_count')[0]}")).result(20)
    with pytest.raises(JournalRefusing):
        press(node, ticket="x" * 100_000)
    assert node.ready()
    until(lambda: lights(node) == {"unavailable"}, "all panels show that no press is taken")
    node.journal.run(lambda tx: tx.row("PRAGMA max_page_count = 1000000")).result(20)
    until(lambda: node.ready() is None, "the node found out by itself")
    until(lambda: lights(node) == {"ready"}, "all panels are ready again")
    assert isinstance(press(node), Accepted)
    node.request_stop("the test is over")
    assert watching.ended()


class Hanging:
    """A worker that never beats, and ends with the test."""

    name, deadline_s = "camera", 0.05

    def __init__(self):
        self.let_go = threading.Event()

    def run(self, life):
        self.let_go.wait(60)

    def wake(self):
        self.let_go.set()


@pytest.mark.parametrize("open_", [True, False])
def test_a_hung_worker_ends_the_process_outside_opening_hours_only(node, open_):
    """A thread can only be ended with its process; in opening hours somebody may be waiting at a counter."""
    node.calendar = AlwaysOpen() if open_ else NEVER_OPEN
    node.supervisor.start(Hanging())
    watching = Watching(node)
    until(lambda: "camera" in node.supervisor.hung(), "it is seen to hang")
    if open_:
        assert isinstance(press(node), Accepted)
        node.request_stop("the test is over")
    assert watching.ended() is False  # systemd starts it anew


def test_the_writers_death_ends_the_process(node):
    watching = Watching(node)

    def breaks(_tx):
        raise ValueError("a mistake")

    node.journal.before_commit(breaks)
    with pytest.raises(RuntimeError):
        press(node)
    assert watching.ended() is False
    assert "khởi động lại" in node.journal.broken  # in words for people; what it was is in the log


def test_stopping_twice_is_harmless(node):
    node.stop()
    node.stop()
