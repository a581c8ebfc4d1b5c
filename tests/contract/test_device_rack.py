from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from device_rig import GPIO, SERIAL, RecordingJournal, eventually, running, settings
from pydantic import Field

from config.settings import DeviceSettings
from devices.device import Device
from devices.rack import DeviceRack
from firmware_py.core.clock import SystemClock
from firmware_py.core.contracts import Outcome
from firmware_py.core.errors import DeviceUnavailable, JournalClosed
from firmware_py.core.ports import DeviceContext, DevicePort, SimulatedWire

ROOT = Path(__file__).parents[2]


class FlakySettings(DeviceSettings):
    kind: Literal["flaky"] = "flaky"
    raises: str = Field(default="", description="what open() raises")


class Flaky(Device):
    """A device without a light; not registered, as its kind stands in no module of the product."""

    Settings = FlakySettings
    raised: ClassVar[dict[str, Exception]] = {
        "hardware": DeviceUnavailable("Không có điện. Hãy cắm điện."),
        "fault": KeyError("a bug"),
    }

    def __init__(self, settings: FlakySettings, context: DeviceContext, wires: Any) -> None:
        super().__init__(settings, context, wires)
        self.fails = settings.raises
        self.closed = 0
        self._open = False

    @property
    def is_open(self) -> bool:
        return self._open

    def open(self) -> None:
        if self.fails:
            raise self.raised[self.fails]
        self._open = True
        self.set_available()

    def close(self) -> None:
        self._open = False
        self.closed += 1

    def simulated_wire(self) -> SimulatedWire | None:
        return None


Flaky.kind = "flaky"


def rack_of(*raises: str) -> tuple[DeviceRack, RecordingJournal]:
    journal = RecordingJournal()
    devices = [FlakySettings(id=f"d{n}", wire="real", raises=what) for n, what in enumerate(raises)]
    return DeviceRack(devices, DeviceContext(SystemClock(), journal, simulation=False), {"flaky": Flaky}), journal


def test_one_failing_device_stops_neither_the_ones_before_nor_after_it():
    rack, journal = rack_of("", "hardware", "fault", "")
    port: DevicePort = rack
    port.open()
    assert [one.available for one in port.statuses()] == [True, False, False, True]
    assert port.statuses()[1].reason == "Không có điện. Hãy cắm điện."
    assert "Lỗi chương trình" in port.statuses()[2].reason
    assert "KeyError" not in port.statuses()[2].reason  # people get words, the log the rest
    assert journal.availability == [("d0", True), ("d1", False), ("d2", False), ("d3", True)]


def test_what_failed_is_tried_again_and_reported_when_it_changes():
    rack, journal = rack_of("hardware")
    rack.open()
    rack.retry()
    (device,) = rack._devices.values()
    assert isinstance(device, Flaky)
    since = rack.statuses()[0].since
    device.fails = ""
    rack.retry()
    assert rack.statuses()[0].available
    assert rack.statuses()[0].reason == ""
    assert (rack.statuses()[0].since or "") >= (since or "")
    assert journal.availability == [("d0", False), ("d0", True)]


def test_what_the_journal_could_not_take_is_told_again():
    rack, journal = rack_of("hardware")
    journal.refusing = True
    rack.open()
    journal.refusing = False
    rack.retry()
    rack.retry()
    assert journal.availability == [("d0", False), ("d0", False)]
    assert len(journal.kept) == 1


def test_a_journal_that_is_closed_already_does_not_disturb_the_devices():
    def closed(_command: Any) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        future.set_exception(JournalClosed("stopping"))
        return future

    device = FlakySettings(id="d", wire="real")
    rack = DeviceRack([device], DeviceContext(SystemClock(), closed, simulation=False), {"flaky": Flaky})
    rack.open()
    assert rack.statuses()[0].available
    rack.close()


def test_the_journal_hears_of_a_device_in_the_order_in_which_it_changed():
    """Another thread pulls the plug between "it is available" and telling so."""

    class Interrupted(Flaky):
        unplugging: threading.Thread | None = None

        @property
        def simulated(self) -> bool:  # asked between the change and the command
            if self.available and self.unplugging is None:
                self.unplugging = threading.Thread(target=self.set_unavailable, args=("rút dây",))
                self.unplugging.start()
                self.unplugging.join(0.2)  # it must wait for its turn; without an order it is through by then
            return False

    journal = RecordingJournal()
    context = DeviceContext(SystemClock(), journal, simulation=False)
    rack = DeviceRack([FlakySettings(id="d", wire="real")], context, {"flaky": Interrupted})
    rack.open()
    (device,) = rack._devices.values()
    assert isinstance(device, Interrupted)
    assert device.unplugging is not None
    device.unplugging.join()
    assert journal.availability == [("d", True), ("d", False)]
    assert device.available is False


def test_a_device_without_light_is_thanked_in_vain_and_an_unknown_one_too():
    rack, _ = rack_of("")
    rack.open()
    rack.set_accepting(accepting=False)
    assert rack.statuses()[0].light is None
    assert rack.thank("d0", 1e9) is False
    assert rack.thank("nobody", 1e9) is False
    assert rack.simulated("nobody") is None


def test_devices_are_closed_however_often_it_is_asked():
    rack, _ = rack_of("", "hardware")
    rack.open()
    rack.close()
    rack.close()
    assert all(isinstance(one, Flaky) and one.closed == 2 for one in rack._devices.values())


def test_settings_of_another_kind_are_refused():
    context = DeviceContext(SystemClock(), RecordingJournal(), simulation=False)
    with pytest.raises(TypeError, match="FlakySettings"):
        DeviceRack([settings(SERIAL)], context, {"rating_panel_serial": Flaky})


def test_panels_on_one_line_share_its_thread_and_gpio_panels_the_chips():
    second = GPIO | {"buttons": {"1": 16, "2": 20, "3": 21}, "ready_led": 7, "thanks_led": 8, "detect_pin": 9}
    with running(
        settings(GPIO, id="g1"),
        settings(second, id="g2", unavailable_led=None),
        settings(SERIAL, id="s1", address=1),
        settings(SERIAL, id="s2", address=2),
        settings(SERIAL, id="s3", line="other", address=2),
    ) as rig:
        names = sorted(worker.name for worker in rig.rack.workers())
        assert names == [
            "devices-retry",
            "simulated-other",
            "simulated-rs485",
            "wire-gpio-simulated",
            "wire-other",
            "wire-rs485",
        ]
        for device in ("g1", "g2", "s1", "s2", "s3"):
            rig.available(device)
        assert [one.id for one in rig.rack.statuses()] == ["g1", "g2", "s1", "s2", "s3"]


def test_devices_are_open_before_their_workers_run_and_serial_ones_answer_once_they_do():
    with running(settings(GPIO, id="g"), settings(SERIAL, id="s")) as rig:
        assert rig.status("g").available
        eventually(lambda: rig.status("s").available, "the panel's first answer")


def test_a_new_kind_is_one_new_file_as_the_documentation_writes_it(tmp_path):
    """The package's folder is extended by one with the documentation's example, as adding the file would."""
    text = (ROOT / "docs/adding-a-device.md").read_text(encoding="utf-8")
    (tmp_path / "bell.py").write_text(text.split("```python\n")[1].split("```")[0], encoding="utf-8")
    program = (
        f"import devices; devices.__path__.append({str(tmp_path)!r})\n"
        "from devices.kinds import kinds, settings_by_kind\n"
        "print(*kinds()); print(settings_by_kind()['bell'](id='b', wire='w', pin=4).ring_s)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["bell", "rating_panel_gpio", "rating_panel_serial", "0.5"]


def test_knowing_all_kinds_imports_no_hardware_library_and_no_simulation():
    program = (
        "import sys; from devices.kinds import kinds; kinds()\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('gpiozero', 'serial', 'lgpio')"
        " or name.startswith('devices.simulation')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_one_kind_declared_in_two_modules_is_an_error_at_import():
    with pytest.raises(TypeError, match="rating_panel_gpio"):
        type(
            "Twin",
            (Flaky,),
            {"kind": "rating_panel_gpio", "__module__": "elsewhere"},
        )


def test_settings_that_are_not_frozen_are_an_error_at_import():
    class Loose(DeviceSettings, frozen=False):
        pass

    with pytest.raises(TypeError, match="frozen"):
        type("LooseDevice", (Flaky,), {"kind": "loose", "Settings": Loose})
