"""The site files that ship with the product load with the kinds of device that ship with it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.loading import DEFAULT_FILE, load, loads
from config.opening import OpeningHours
from config.problems import ConfigError
from config.secrets import Secrets
from config.settings import Settings
from config.show import show
from devices.kinds import settings_by_kind

EXAMPLES = sorted((DEFAULT_FILE.parent / "sites").glob("*.toml"))


def default() -> Settings:
    return load(DEFAULT_FILE, settings_by_kind())


@pytest.mark.parametrize("path", [DEFAULT_FILE, *EXAMPLES], ids=lambda path: path.name)
def test_a_shipped_site_file_loads_and_is_shown_as_the_same(path: Path) -> None:
    settings = load(path, settings_by_kind())
    assert loads(show(settings, Secrets()), "shown", settings_by_kind()) == settings


def test_the_simulated_centre_is_complete() -> None:
    settings = default()
    assert settings.site.mode == "simulation"
    assert len(settings.counters) == 4
    assert [device.counter for device in settings.devices] == [counter.id for counter in settings.counters]
    assert {device.kind for device in settings.devices} == {"rating_panel_gpio", "rating_panel_serial"}
    assert all(device.simulated for device in settings.devices)
    assert settings.city.url == "embedded"
    assert settings.clock.trust == ("host",)
    assert settings.api.host == "127.0.0.1"


def test_the_simulated_centre_never_closes_and_needs_no_holidays() -> None:
    settings = default()
    assert OpeningHours(settings.site).next_change(datetime(2026, 2, 17, tzinfo=UTC)) is None
    assert settings.site.holidays.country == ""


def test_there_is_an_example_of_a_real_site() -> None:
    (example,) = (load(path, settings_by_kind()) for path in EXAMPLES)
    assert example.site.mode == "production"
    assert not any(device.simulated for device in example.devices)
    assert example.city.url.startswith("https://")


def test_a_panel_whose_buttons_are_not_the_scale_is_a_problem_at_its_buttons() -> None:
    text = DEFAULT_FILE.read_text(encoding="utf-8").replace(
        "levels = 5\nsatisfied_from = 4", "levels = 3\nsatisfied_from = 3"
    )
    with pytest.raises(ConfigError) as caught:
        loads(text, "site.toml", settings_by_kind())
    assert [problem.key for problem in caught.value.problems] == [
        "device[0].buttons", "device[1].buttons", "device[2].buttons", "device[3].buttons",
    ]  # fmt: skip
    assert "one for each" in str(caught.value)
