from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from config.loading import load
from devices.kinds import settings_by_kind
from devices.rating_panel_gpio import GpioPanelSettings
from devices.rating_panel_serial import SerialPanelSettings

ROOT = Path(__file__).parents[2]
GPIO: dict[str, Any] = {
    "id": "a",
    "wire": "gpio",
    "counter": "1",
    "buttons": {"1": 17, "2": 27, "3": 22},
    "ready_led": 5,
    "thanks_led": 6,
}
SERIAL: dict[str, Any] = {"id": "a", "wire": "/dev/ttyUSB0", "counter": "1", "address": 7}


@pytest.mark.parametrize("file", ["config/default.toml", "config/sites/example-ward.toml"])
def test_the_sites_that_ship_load_with_the_real_kinds(file):
    assert {one.kind for one in load(ROOT / file, settings_by_kind()).devices} == settings_by_kind().keys()


def test_buttons_are_levels_in_order_on_pins():
    panel = GpioPanelSettings.model_validate(GPIO | {"buttons": {"3": 22, "1": 17, "2": 27}})
    assert list(panel.buttons.items()) == [(1, 17), (2, 27), (3, 22)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"buttons": {"1": 17, "2": 27}}, "3 to 5 buttons"),
        ({"buttons": {"1": 17, "2": 27, "4": 22}}, 'from "1" on'),
        ({"buttons": {"1": 17, "2": 17, "3": 22}}, "both on pin 17"),
        ({"ready_led": 17}, "both on pin 17"),
        ({"detect_pin": 6}, "both on pin 6"),
        ({"thanks_led": 28}, "less than or equal to 27"),
        ({"wire": "/dev/gpio"}, "'simulated' or 'gpio'"),
        ({"counter": None}, "counter"),
        ({"debounce_s": 0}, "greater than or equal to 0.001"),
        ({"blink": True}, "blink"),
    ],
)
def test_a_gpio_panel_that_cannot_be_is_refused_in_words(change, words):
    with pytest.raises(ValidationError, match=words):
        GpioPanelSettings.model_validate(GPIO | change)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"address": 0}, "greater than or equal to 1"),
        ({"address": 248}, "less than or equal to 247"),
        ({"wire": "COM3"}, "/dev/"),
        ({"wire": "gpio"}, "/dev/"),
        ({"baud": 19201}, "baud"),
        ({"buttons": 6}, "buttons"),
        ({"counter": None}, "counter"),
    ],
)
def test_a_serial_panel_that_cannot_be_is_refused_in_words(change, words):
    with pytest.raises(ValidationError, match=words):
        SerialPanelSettings.model_validate(SERIAL | change)


def test_a_pin_of_two_panels_is_a_problem_of_the_second():
    first = GpioPanelSettings.model_validate(GPIO)
    second = GpioPanelSettings.model_validate(
        GPIO | {"id": "b", "buttons": {"1": 16, "2": 20, "3": 22}, "ready_led": 21, "thanks_led": 12}
    )
    simulated = GpioPanelSettings.model_validate(GPIO | {"id": "c", "wire": "simulated"})
    problems = list(GpioPanelSettings.problems_together([first, second, simulated]))
    assert [(device, key) for device, key, _ in problems] == [("b", "buttons")]
    assert "pin 22" in problems[0][2]


def test_panels_of_one_line_need_their_own_address_and_the_same_speed():
    def panel(name: str, **keys: Any) -> SerialPanelSettings:
        return SerialPanelSettings.model_validate(SERIAL | {"id": name} | keys)

    together = [
        panel("a"),
        panel("b"),
        panel("c", address=8, baud=9600),
        panel("d", wire="/dev/ttyUSB1", baud=9600),
        panel("e", address=9, poll_timeout_s=0.2),
    ]
    problems = [(device, key) for device, key, _ in SerialPanelSettings.problems_together(together)]
    assert problems == [("b", "address"), ("c", "baud"), ("e", "poll_timeout_s")]


def test_simulated_lines_are_told_apart_by_their_name_and_from_real_ones():
    def panel(name: str, line: str) -> SerialPanelSettings:
        return SerialPanelSettings.model_validate(SERIAL | {"id": name, "wire": "simulated", "line": line})

    assert list(SerialPanelSettings.problems_together([panel("a", "one"), panel("b", "two")])) == []
    assert len(list(SerialPanelSettings.problems_together([panel("a", "one"), panel("b", "one")]))) == 1
