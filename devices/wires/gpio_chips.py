"""The two chips a `GpioWire` can open: a Raspberry Pi's own, and a board of mock pins with contacts and lamps on it.

This module imports gpiozero at once, so it is itself imported only when a wire is opened.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable

from gpiozero.exc import GPIOZeroError, PinUnknownPi
from gpiozero.pins.mock import MockFactory, MockPin

from devices.wires.gpio import Chip
from firmware_py.core.errors import DeviceUnavailable

MOCK_REVISION = "a02082"  # a Raspberry Pi 3B: 40 pins, as all since


def open_lgpio() -> Chip:
    """The Raspberry Pi's pins by lgpio.

    Raises:
        DeviceUnavailable: the library is missing, this is no Raspberry Pi, or the chip cannot be opened.
    """
    _give_lgpio_a_folder()
    try:
        import lgpio  # noqa: PLC0415 - it opens a FIFO when imported
        from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415 - imports lgpio
    except ImportError as error:
        raise DeviceUnavailable(
            "Thiếu thư viện lgpio nên không dùng được chân GPIO. "
            "Hãy cài gói python3-lgpio của Raspberry Pi OS rồi khởi động lại chương trình."
        ) from error
    errors = (GPIOZeroError, lgpio.error, OSError)
    try:
        return Chip(LGPIOFactory(), errors)
    except PinUnknownPi as error:
        raise DeviceUnavailable(
            "Máy này không phải Raspberry Pi nên không có chân GPIO. "
            'Hãy chạy trên Raspberry Pi, hoặc đặt wire = "simulated" để mô phỏng.'
        ) from error
    except errors as error:
        raise DeviceUnavailable(
            "Không mở được /dev/gpiochip0. "
            "Hãy thêm người dùng của chương trình vào nhóm gpio và xem thiết bị /dev/gpiochip0 có tồn tại không."
        ) from error


def _give_lgpio_a_folder() -> None:
    """Where lgpio may make its FIFO: by itself it takes the working directory, which systemd keeps read-only."""
    if "LG_WD" in os.environ:
        return
    folder = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    if not folder:
        folder = tempfile.mkdtemp(prefix="nucuoi-lgpio-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["LG_WD"] = folder


class BoardPin(MockPin):  # type: ignore[misc] # gpiozero has no types
    """A mock pin with a contact to ground: pulling it up does not lift it while the contact is closed."""

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        if self.factory.is_grounded(self.info.name):
            self.drive_low()


class BoardFactory(MockFactory):  # type: ignore[misc] # gpiozero has no types
    """Mock pins that know what is soldered to them."""

    def __init__(self, is_grounded: Callable[[str], bool]) -> None:
        super().__init__(revision=MOCK_REVISION, pin_class=BoardPin)
        self.is_grounded = is_grounded


def open_board(is_grounded: Callable[[str], bool]) -> Chip:
    """Mock pins; never a fallback, only what a site file with `wire = "simulated"` asks for."""
    return Chip(BoardFactory(is_grounded), (GPIOZeroError, OSError))
