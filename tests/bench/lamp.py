"""Press to thanks: from handing in a press until the lamp's pin is high, against the same press's COMMIT.

Everything between is the product's: the reactor, the panel's rule of the light, gpiozero. Only the pin is simulated, and
tells when it changed.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from figures import Figure, percentile
from journal_bench import SITE_FILE, accepted, running_journal

from config.loading import load
from config.settings import Settings
from devices.kinds import kinds, settings_by_kind
from devices.rack import DeviceRack
from firmware_py.core.clock import SystemClock
from firmware_py.core.contracts import RATING_GIVEN, GiveRating, Outcome
from firmware_py.core.events import Event
from firmware_py.core.journal.writer import Journal
from firmware_py.core.ports import DeviceContext
from firmware_py.core.reactors import Reactor, ReactorWorker
from firmware_py.core.worker import Life, Worker

THANKS_S = 0.1  # the shortest the site file allows: the lamp must be off again before the next press
PANEL, COUNTER, THANKS_PIN = "panel-1", "1", 12  # of the simulated centre
DEADLINE_S = 5.0
LOOK_EVERY_S = 0.002


def lamp_figures(samples: int, tell: Callable[[str], None]) -> list[Figure]:
    """p50 and p99 of press to light, each against press to durable of the same presses."""
    settings = _one_panel(load(SITE_FILE, settings_by_kind()))
    lit, durable = list[float](), list[float]()
    clock = SystemClock()
    clock.trust()
    with tempfile.TemporaryDirectory() as name, running_journal(Path(name), settings, clock) as journal:
        context = DeviceContext(clock, journal.submit, simulation=True)
        rack = DeviceRack(settings.devices, context, kinds())
        with _running(rack, journal, clock):
            pin = _pin(rack)
            for _ in range(samples):
                durable_s, lit_s = _one(journal, pin)
                durable.append(durable_s)
                lit.append(lit_s)
    tell(f"{samples} thanks")
    return [
        Figure(
            f"press to thanks light, {name}",
            percentile(lit, share) * 1000,
            percentile(durable, share) * 1000,
            "the same presses durable",
            "ms",
        )
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]


def _one_panel(settings: Settings) -> Settings:
    """The simulated centre with its first panel only, whose thanks are short, and where every press counts."""
    panel = next(device for device in settings.devices if device.id == PANEL)
    ratings = settings.ratings.model_copy(update={"correction_s": 0.0, "lockout_s": 0.0})
    return settings.model_copy(
        update={"devices": (panel.model_copy(update={"thanks_s": THANKS_S}),), "ratings": ratings}
    )


@contextmanager
def _running(rack: DeviceRack, journal: Journal, clock: SystemClock) -> Iterator[None]:
    """The devices open and the thanks reactor at work, as the node's own start does it."""

    def thank(event: Event) -> None:
        rack.thank(event.source, clock.uptime_s() + THANKS_S)

    reactor = ReactorWorker(Reactor("thanks", frozenset({RATING_GIVEN}), 2.0, thank), journal, clock, simulated=True)
    journal.before_commit(reactor.save_cursor)
    with ExitStack() as stack:
        stack.enter_context(_thread(reactor))
        rack.set_accepting(accepting=True)
        rack.open()
        stack.callback(rack.close)
        for worker in rack.workers():
            stack.enter_context(_thread(worker))
        yield


@contextmanager
def _thread(worker: Worker) -> Iterator[None]:
    life = Life()
    thread = threading.Thread(target=worker.run, args=(life,), name=worker.name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        life.stopping.set()
        worker.wake()


def _pin(rack: DeviceRack) -> Any:
    """The mock pin of the thanks lamp."""
    far_end: Any = rack.simulated(PANEL)
    return far_end._board._chip.factory.pin(THANKS_PIN)


def _one(journal: Journal, pin: Any) -> tuple[float, float]:
    """Seconds until durable, and until the lamp's pin changed; returns when the lamp is dark again."""
    done_at: list[float] = []

    def done(_: Future[Outcome]) -> None:
        done_at.append(time.monotonic())

    changes, changed_at = len(pin.states), float(pin._last_change)  # the mock pin's own record of itself
    began = time.monotonic()
    future = journal.submit(GiveRating(source=PANEL, simulated=True, counter=COUNTER, level=4, pressed_ago_s=0.021))
    future.add_done_callback(done)
    _wait(lambda: len(pin.states) >= changes + 2)  # lit, and dark again
    accepted(future)
    lit = pin.states[changes]
    if not lit.state:
        raise RuntimeError("the thanks lamp was not dark before the press")
    return done_at[0] - began, changed_at + lit.timestamp - began


def _wait(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not happened():
        if time.monotonic() > deadline:
            raise RuntimeError("the lamp did not change")
        time.sleep(LOOK_EVERY_S)
