"""What `nucuoi config show` writes loads again as the same settings, and tells no secret."""

import tomllib
from datetime import date
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, SecretStr

from config.loading import loads
from config.secrets import Secrets
from config.settings import WEEKDAYS, CounterSettings, DeviceSettings, Settings, SiteSettings
from config.show import show
from config.table import Table


class Corner(Table):
    place: str
    height_m: float | None = None


class Thing(DeviceSettings):
    kind: Literal["thing"]
    pins: dict[int, int]
    words: dict[str, str] = Field(default_factory=dict)
    loud: bool = False
    corners: tuple[Corner, ...] = ()
    ratio: float = 1e-7


KINDS: dict[str, type[DeviceSettings]] = {"thing": Thing}
SITE = SiteSettings.model_validate(
    {
        "id": "s",
        "name": 'Phường "Ví Dụ" \\ \n\t\x7f\x00',
        "mode": "simulation",
        "opening": [
            {"days": list(WEEKDAYS), "spans": ["00:00-12:00"]},
            {"days": ["mon"], "spans": ["13:00-24:00"]},
        ],
        "holidays": {"closed": [date(2026, 1, 2)]},
    }
)

THINGS = st.builds(
    Thing,
    id=st.just("t"),
    kind=st.just("thing"),
    wire=st.text(min_size=1, max_size=8),
    pins=st.dictionaries(st.integers(0, 99), st.integers(), max_size=3),
    words=st.dictionaries(st.text('ab ."é]\\', max_size=4), st.text(max_size=4), max_size=3),
    loud=st.booleans(),
    corners=st.lists(st.builds(Corner, place=st.text(max_size=3)), max_size=2).map(tuple),
    ratio=st.floats(allow_nan=False, allow_infinity=False),
)


@given(THINGS, st.text(min_size=1, max_size=20))
def test_what_is_shown_loads_again_as_the_same_settings(thing: Thing, counter_name: str) -> None:
    settings = Settings(site=SITE, counters=(CounterSettings(id="1", name=counter_name),), devices=(thing,))
    assert loads(show(settings, Secrets()), "shown", KINDS) == settings


def test_every_default_is_written_out() -> None:
    shown = tomllib.loads(show(Settings(site=SITE), Secrets()))
    assert set(shown) == {"site", "node", "api", "city", "ratings", "clock", "counter", "device"}
    assert set(shown["ratings"]) == {"levels", "satisfied_from", "lockout_s", "correction_s", "binding", "order"}
    assert shown["city"]["send_every_s"] == 60
    assert "# ca_file is not set" in show(Settings(site=SITE), Secrets()).splitlines()


def test_the_token_is_told_to_be_there_and_never_shown() -> None:
    assert show(Settings(site=SITE), Secrets(city_token=SecretStr("geheim"))).startswith('# city_token = "********"\n')
    assert "geheim" not in show(Settings(site=SITE), Secrets(city_token=SecretStr("geheim")))
    assert show(Settings(site=SITE), Secrets()).startswith("# city_token is not set\n# pull_token is not set\n")
