"""The GPIO wire on mock pins: floods, faults, plugs, and what a real chip says when it is missing."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from device_rig import GPIO, Rig, eventually, running, settings

from devices.simulation.gpio_board import SimulatedGpioWire
from devices.wires.gpio import QUEUE_EDGES, GpioWire
from firmware_py.core.clock import SystemClock
from firmware_py.core.errors import WireError

ROOT = Path(__file__).parents[2]


class Listener:
    """Remembers the changes it is told of; being told a known state (the pins are read as well) is none."""

    def __init__(self) -> None:
        self.edges: list[tuple[int, bool]] = []
        self.state: dict[int, bool] = {}

    def edge(self, channel: int, uptime_s: float, *, pressed: bool) -> None:
        assert uptime_s > 0
        if self.state.get(channel, False) != pressed:
            self.edges.append((channel, pressed))
        self.state[channel] = pressed

    def settle(self, uptime_s: float) -> float | None:
        return None


def board() -> SimulatedGpioWire:
    wire = SimulatedGpioWire(SystemClock())
    wire.open()
    return wire


def test_edges_reach_their_listener_in_order_with_their_channel():
    wire, listener = board(), Listener()
    wire.input(17, listener, 1)
    wire.input(27, listener, 2)
    for pin, closed in ((17, True), (27, True), (17, False), (27, False)):
        wire.board.ground(pin, closed=closed)
    wire.step(0)
    wire.close()
    assert listener.edges == [(1, True), (2, True), (1, False), (2, False)]


def test_a_pin_cannot_be_taken_twice_and_the_error_names_it():
    wire = board()
    lamp = wire.output(5)
    with pytest.raises(WireError, match="chân GPIO 5"):
        wire.input(5, Listener(), 1)
    lamp.close()
    wire.close()


def test_a_pin_that_does_not_exist_is_an_error_that_names_it():
    wire = board()
    with pytest.raises(WireError, match="chân GPIO 99"):
        wire.output(99)
    wire.close()


def test_a_wire_that_is_not_open_says_so():
    with pytest.raises(WireError, match="Chưa mở"):
        SimulatedGpioWire(SystemClock()).output(5)


def test_a_closed_input_hears_nothing_and_its_pin_can_be_taken_and_heard_again():
    wire, first, second = board(), Listener(), Listener()
    wire.input(17, first, 1)
    wire.forget(first)
    wire.board.ground(17, closed=True)
    wire.board.ground(17, closed=False)
    wire.input(17, second, 1)
    wire.board.ground(17, closed=True)
    wire.step(0)
    wire.close()
    assert (first.edges, second.edges) == ([], [(1, True)])


def test_the_chip_can_be_closed_and_opened_again_and_a_held_contact_stays_held():
    wire = board()
    wire.input(17, Listener(), 1)
    wire.board.ground(17, closed=True)
    wire.close()
    wire.close()
    wire.open()
    assert wire.input(17, Listener(), 1).pressed is True
    assert wire.input(27, Listener(), 2).pressed is False
    wire.close()


def test_lost_edges_are_counted_and_the_pins_read_anew():
    """Nobody takes from the queue while a contact chatters: it overflows, and then another button is pressed."""
    wire, listener = board(), Listener()
    wire.input(17, listener, 1)
    wire.input(27, listener, 2)
    for index in range(QUEUE_EDGES + 10):
        wire.board.ground(17, closed=index % 2 == 0)
    wire.board.ground(27, closed=True)  # its edge is lost
    assert wire.lost_edges == 11
    wire.step(0)
    wire.close()
    assert (2, True) in listener.edges
    assert wire.resyncs == 1


def test_an_edge_that_the_kernel_lost_is_found_within_a_second_and_the_next_press_counts():
    """The pin moves without a callback, as when the kernel's own short queue of edges was full."""
    with running(settings(GPIO)) as rig:
        rig.available()
        far_end: Any = rig.far_end()
        pin = far_end._board._chip.factory.pin(17)
        pin._change_state(False)
        eventually(lambda: len(rig.journal.ratings) == 1, "a press whose edge was lost")
        pin._change_state(True)
        rig.far_end().press(2, hold_s=1.2)  # longer than a second: meanwhile the lost release is found
        rig.far_end().press(1, hold_s=0.05)
        eventually(lambda: [one.level for one in rig.journal.ratings] == [1, 2, 1], "the next press")


def test_a_callback_never_raises_into_the_drivers_thread():
    class BrokenClock(SystemClock):
        def uptime_s(self) -> float:
            raise RuntimeError("no time")

    wire = SimulatedGpioWire(BrokenClock())
    wire.open()
    wire.input(17, Listener(), 1)
    wire.board.ground(17, closed=True)  # the mock calls back in this thread: an exception would come out here
    wire.close()
    assert wire.lost_edges == 1


def test_no_thread_is_started_per_button():
    before = threading.active_count()
    wire = board()
    for channel, pin in enumerate((17, 27, 22, 23, 24), start=1):
        wire.input(pin, Listener(), channel)
    wire.output(5)
    assert threading.active_count() == before
    wire.close()


def test_gpiozeros_default_factory_is_never_made():
    import gpiozero  # noqa: PLC0415 - as the wire does

    with running(settings(GPIO)) as rig:
        rig.available()
        assert gpiozero.Device.pin_factory is None


def test_a_chattering_button_is_cut_off_and_every_other_press_still_counts_once():
    # A long debounce: on a busy machine the simulated contact rests for 20 ms now and then, which would be an honest press.
    with running(settings(GPIO, chatter_edges=50, chatter_window_s=0.5, debounce_s=0.15)) as rig:
        rig.available()
        chatter = threading.Thread(target=rig.far_end().press, args=(1,), kwargs={"bounces": 400, "hold_s": 0})
        chatter.start()
        eventually(lambda: rig.journal.faults == [(1, "chattering")], "cut off")
        assert rig.status().faults == ("button 1 chattering",)
        for level in (2, 3, 2):
            rig.far_end().press(level, bounces=2, hold_s=0.4)
        chatter.join()
        eventually(lambda: rig.journal.faults == [(1, "chattering"), (1, None)], "well again")
        assert [one.level for one in rig.journal.ratings] == [2, 3, 2]
        rig.far_end().press(1, hold_s=0.4)
        eventually(lambda: [one.level for one in rig.journal.ratings] == [2, 3, 2, 1], "the recovered button")


def test_a_flood_faster_than_the_worker_does_not_cost_another_buttons_press():
    with running(settings(GPIO, chatter_window_s=0.5)) as rig:
        rig.available()
        far_end: Any = rig.far_end()
        stop = threading.Event()

        def flood() -> None:
            while not stop.is_set():
                far_end._board.ground(17, closed=True)
                far_end._board.ground(17, closed=False)

        screaming = threading.Thread(target=flood)
        screaming.start()
        try:
            eventually(lambda: (1, "chattering") in rig.journal.faults, "cut off")
            rig.far_end().press(3, hold_s=0.3)
            eventually(lambda: rig.journal.ratings, "the press")
        finally:
            stop.set()
            screaming.join()
        eventually(lambda: rig.journal.faults[-1] == (1, None), "well again")
        assert [one.level for one in rig.journal.ratings] == [3]


def test_a_cut_off_button_is_a_warning_in_the_self_test():
    with running(settings(GPIO)) as rig:
        rig.available()
        finger = threading.Thread(target=rig.far_end().press, args=(2,), kwargs={"hold_s": 1.5})
        finger.start()
        eventually(lambda: rig.journal.ratings, "the touch")
        rig.skip(30)
        eventually(lambda: rig.status().faults == ("button 2 stuck",), "stuck")
        (test,) = rig.rack.self_tests()
        assert (test.status.name, "nút 2 bị kẹt" in test.text) == ("WARN", True)
        rig.far_end().press(1, hold_s=0.05)
        eventually(lambda: len(rig.journal.ratings) == 2, "the others are live")
        finger.join()


def test_a_button_that_is_down_when_the_node_starts_is_no_press():
    rig = Rig([settings(GPIO)], simulation=True)
    finger = threading.Thread(target=rig.far_end().press, args=(2,), kwargs={"hold_s": 0.5})
    finger.start()
    eventually(lambda: rig.far_end().snapshot()["buttons"]["2"], "held before the start")
    rig.start()
    try:
        rig.available()
        rig.far_end().press(3, hold_s=0.05)
        finger.join()
        for level in (1, 2):  # released meanwhile: from now on 2 is a button like the others
            rig.far_end().press(level, hold_s=0.05)
        eventually(lambda: len(rig.journal.ratings) == 3, "three presses")
        assert [one.level for one in rig.journal.ratings] == [3, 1, 2]
    finally:
        rig.stop()


def test_contacts_that_move_while_the_plug_is_out_are_nobodys_press():
    with running(settings(GPIO)) as rig:
        rig.available()
        far_end: Any = rig.far_end()
        far_end._board.ground(13, closed=False)  # the detect loop alone: a loose plug
        rig.unavailable()
        rig.far_end().press(2, hold_s=0.1)
        far_end._board.ground(17, closed=True)
        far_end._board.ground(13, closed=True)  # back, with a button down
        rig.available()
        far_end._board.ground(17, closed=False)
        rig.far_end().press(3, hold_s=0.05)
        eventually(lambda: rig.journal.ratings, "a press after it")
        assert [one.level for one in rig.journal.ratings] == [3]


def test_a_light_that_cannot_be_driven_makes_the_panel_unavailable_until_it_is_opened_again():
    with running(settings(GPIO)) as rig:
        rig.available()
        board_under_test: Any = rig.far_end()
        factory = board_under_test._board._chip.factory
        factory.pin(6).function = "input"  # as if another program had taken the pin
        assert rig.rack.thank("panel", rig.clock.uptime_s() + 1) is False
        assert "chân GPIO" in rig.unavailable()
        rig.rack.retry()
        rig.available()


SECOND = GPIO | {"buttons": {"1": 16, "2": 20, "3": 21}, "ready_led": 7, "thanks_led": 8, "detect_pin": 9}
SECOND["unavailable_led"] = 11


def pin_of(rig: Rig, number: int, device: str = "panel") -> Any:
    far_end: Any = rig.far_end(device)
    return far_end._board._chip.factory.pin(number)


def cannot_be_read() -> bool:
    raise OSError("Input/output error")


@pytest.mark.parametrize("failing", range(1, 7))
def test_whichever_read_fails_while_opening_the_panel_is_unavailable_and_opened_again(failing):
    """Nothing may look open that is not: the rack tries again only what is closed."""
    rig = Rig([settings(GPIO)], simulation=True)
    wire: Any = rig.rack._devices["panel"]
    wire._wire.open()
    reads = iter(range(1, 1000))
    for number in (17, 27, 22, 13):
        pin = pin_of(rig, number)
        pin._get_state = lambda pin=pin: cannot_be_read() if next(reads) == failing else pin._state
    rig.start()
    try:
        assert next(reads) > failing or rig.status().available  # it failed, or there are not so many reads
        if not rig.status().available:
            assert "Không đọc được chân GPIO" in rig.status().reason
            assert not wire.is_open
            assert rig.journal.availability == [("panel", False)]  # it was never claimed to work
            rig.rack.retry()
        rig.available()
        rig.far_end().press(2, hold_s=0.05)
        eventually(lambda: rig.journal.ratings, "a press")
    finally:
        rig.stop()


def test_a_panel_whose_pins_stay_dead_is_reported_once_however_often_it_is_opened():
    rig = Rig([settings(GPIO)], simulation=True)
    rig.start()
    try:
        pin_of(rig, 6).function = "input"  # as if another program had taken it: no light can be driven
        rig.rack.thank("panel", rig.clock.uptime_s() + 1)
        pin_of(rig, 27)._get_state = cannot_be_read
        for _ in range(3):
            rig.rack.retry()
        assert "chân GPIO 27" in rig.status().reason
        assert rig.journal.availability == [("panel", True), ("panel", False)]
    finally:
        rig.stop()


def test_a_pin_that_fails_while_working_costs_its_panel_only_and_the_chip_goes_on():
    """The worker survives (`Rig.stop` looks), and with it the edges of every other panel."""
    with running(settings(GPIO), settings(SECOND, id="second")) as rig:
        rig.available()
        rig.far_end().unplug()
        rig.unavailable()
        pin_of(rig, 27)._get_state = cannot_be_read
        rig.far_end().plug()  # met anew, and cannot be read
        eventually(lambda: "chân GPIO 27" in rig.status().reason, "why it does not work")
        rig.far_end("second").press(3, hold_s=0.05)
        eventually(lambda: [(one.source, one.level) for one in rig.journal.ratings] == [("second", 3)], "the other")
        del pin_of(rig, 27)._get_state
        rig.rack.retry()
        rig.available()


def test_a_pin_fails_in_words_for_people_and_in_the_drivers_words_for_the_log(caplog):
    with running(settings(GPIO)) as rig:
        rig.available()
        pin_of(rig, 27)._get_state = cannot_be_read
        rig.far_end().unplug()
        rig.unavailable()
        rig.far_end().plug()
        eventually(lambda: "chân GPIO 27" in rig.status().reason, "why it does not work")
        assert "Hãy" in rig.status().reason
        assert "Input/output" not in rig.status().reason
        assert "OSError('Input/output error')" in caplog.text


def test_a_panel_whose_pins_are_taken_leaves_none_of_them_behind():
    with running(settings(GPIO, id="first"), settings(GPIO, ready_led=7, id="second")) as rig:
        rig.available("first")
        assert "Không dùng được chân GPIO 6" in rig.status("second").reason
        rig.rack.retry()
        assert "Không dùng được chân GPIO 6" in rig.status("second").reason  # and not 7, its own


def test_a_press_that_is_refused_is_counted_in_the_figures():
    with running(settings(GPIO)) as rig:
        rig.available()
        rig.journal.held = []
        rig.far_end().press(1, hold_s=0.05)
        (answer,) = eventually(lambda: rig.journal.held, "submitted")
        answer.set_exception(OSError("full"))
        assert isinstance(answer, Future)
        assert rig.rack.self_tests()[0].figures["presses_refused"] == 1


def run_without_hardware(tmp_path: Path, program: str, **environment: str) -> str:
    """Run a program in a process of its own: what lgpio does at import can be seen only once in a process."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{tmp_path}:{ROOT}", "HOME": str(tmp_path)} | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


OPEN_REAL = """
    from devices.wires.gpio_chips import open_lgpio
    from firmware_py.core.errors import DeviceUnavailable
    try:
        open_lgpio()
    except DeviceUnavailable as error:
        print(error)
"""


def test_without_lgpio_the_reason_says_what_to_install_and_nothing_else_is_tried(tmp_path):
    (tmp_path / "lgpio.py").write_text("raise ImportError('No module named lgpio')")
    program = OPEN_REAL + "    import sys; print([name for name in sys.modules if 'RPi' in name or 'pigpio' in name])"
    said = run_without_hardware(tmp_path, program)
    assert "python3-lgpio" in said
    assert said.splitlines()[-1] == "[]"


@pytest.mark.skipif(Path("/proc/device-tree/system/linux,revision").exists(), reason="this is a Raspberry Pi")
def test_a_machine_that_is_no_raspberry_pi_is_told_so_and_lgpio_got_a_folder_before_its_import(tmp_path):
    """A stand-in for lgpio that only notes where it was told to work."""
    (tmp_path / "lgpio.py").write_text(
        "import os\nprint('folder', os.environ['LG_WD'], os.access(os.environ['LG_WD'], os.W_OK))\n"
        "class error(Exception): ...\n"
        "SET_PULL_NONE = SET_PULL_UP = SET_PULL_DOWN = 0\nBOTH_EDGES = RISING_EDGE = FALLING_EDGE = 0\n"
    )
    first, *rest = run_without_hardware(tmp_path, OPEN_REAL).splitlines()
    _, folder, writable = first.split()
    assert writable == "True"
    assert Path(folder) != tmp_path  # not the working directory
    assert not Path(folder).exists()  # and gone with the process
    assert "không phải Raspberry Pi" in "".join(rest)
    runtime = tmp_path / "run"
    runtime.mkdir()
    said = run_without_hardware(tmp_path, OPEN_REAL, RUNTIME_DIRECTORY=str(runtime))
    assert said.startswith(f"folder {runtime} True")


def test_a_real_wire_is_not_a_simulated_one():
    def no_chip() -> Any:
        raise AssertionError("not to be opened here")

    assert not isinstance(GpioWire("gpio", SystemClock(), no_chip), SimulatedGpioWire)
