"""The site file's typed settings. Units in names, ranges and choices at the declaration.

INTERFACES fixes the keys; `config.loading` turns every problem of a file into words. Device kinds bring their
own settings (subclasses of `DeviceSettings`), injected by the composition root: this package knows no kind.

Types are strict, as TOML's are: `port = "8080"` or `levels = true` is an error and never converted. The one thing
TOML cannot say is a key that is a number: the keys of a `dict[int, ...]` are read from their digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from config.addresses import unsafe_because
from config.rules import EMBEDDED_CITY, SIMULATED_WIRE, Finding, between_tables, nearest
from config.spans import Minutes, overlapping, parse_span
from config.table import Table, refuse

Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
HostName = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
"""As a browser shows it: lower case, without scheme and port."""
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""In the order of `date.weekday()`."""


def _span_text(text: str) -> str:
    parse_span(text)
    return text


SpanText = Annotated[str, AfterValidator(_span_text)]


class OpeningSettings(Table):
    """[[site.opening]]: on these days the centre is open in these spans of local time."""

    days: tuple[Weekday, ...] = Field(min_length=1)
    spans: tuple[SpanText, ...] = Field(min_length=1)

    def minutes(self) -> tuple[Minutes, ...]:
        """The spans in minutes after local midnight."""
        return tuple(parse_span(text) for text in self.spans)


class HolidaySettings(Table):
    """[site.holidays]: the days on which the centre is closed, and what was announced otherwise."""

    country: Literal["VN", ""] = "VN"
    closed: tuple[date, ...] = ()
    open: tuple[date, ...] = ()

    @field_validator("open")
    @classmethod
    def _not_closed_too(cls, dates: tuple[date, ...], info: ValidationInfo) -> tuple[date, ...]:
        both = (index for index, day in enumerate(dates) if day in info.data.get("closed", ()))
        refuse(((index,), f"{dates[index]} is also in closed; take it out of one of the two") for index in both)
        return dates


class SiteSettings(Table):
    """[site]: the centre."""

    id: Id
    name: str = Field(min_length=1, max_length=120)
    mode: Literal["simulation", "production"]
    timezone: str = "Asia/Ho_Chi_Minh"
    opening: tuple[OpeningSettings, ...] = Field(min_length=1)
    holidays: HolidaySettings = HolidaySettings()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, LookupError):
            known = available_timezones()
            text = f'is no known time zone{nearest(name, known)}; an example is "Asia/Ho_Chi_Minh"'
            raise ValueError(text) from None
        return name

    @field_validator("opening")
    @classmethod
    def _no_overlap(cls, opening: tuple[OpeningSettings, ...]) -> tuple[OpeningSettings, ...]:
        refuse(_overlaps(opening))
        return opening


class NodeSettings(Table):
    """[node]: one Raspberry Pi."""

    id: Id = "hub"
    roles: tuple[Literal["hub", "counter", "kiosk", "display", "speaker"], ...] = Field(
        default=("hub", "counter"), min_length=1
    )


class ApiSettings(Table):
    """[api]: where the local API listens. Loopback unless configured otherwise."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8080, ge=0, le=65535)
    names: tuple[HostName, ...] = ()  # what a reverse proxy is called, where one stands in front


class CitySettings(Table):
    """[city]: the scoring server. `embedded` runs the reference receiver as a child, in simulation only."""

    url: str = EMBEDDED_CITY
    send_every_s: float = Field(default=60, ge=0.05, le=3600)
    connect_timeout_s: float = Field(default=5, gt=0, le=120)
    read_timeout_s: float = Field(default=30, gt=0, le=600)
    retry_max_s: float = Field(default=300, ge=0.05, le=86400)
    ca_file: str | None = None  # a certificate authority of the city's own (PEM)

    @field_validator("url")
    @classmethod
    def _safe_address(cls, url: str) -> str:
        because = None if url == EMBEDDED_CITY else unsafe_because(url)
        refuse([((), because)] if because else [])
        return url

    @field_validator("ca_file")
    @classmethod
    def _absolute(cls, path: str | None) -> str | None:
        if path is not None and not path.startswith("/"):
            raise ValueError('must be an absolute path, such as "/etc/nucuoi/city-ca.pem"')
        return path


class RatingsSettings(Table):
    """[ratings]: the scale, and the rules of one press after another. Level 1 is worst, `levels` is best."""

    levels: int = Field(default=5, ge=3, le=5)
    satisfied_from: int = Field(default=4, ge=2, le=5, validate_default=True)
    lockout_s: float = Field(default=3, ge=0, le=600)
    correction_s: float = Field(default=5, ge=0, le=60)
    binding: Literal["off", "preferred", "required"] = "off"
    order: Literal["best_first", "worst_first"] = "best_first"

    @field_validator("satisfied_from")
    @classmethod
    def _on_the_scale(cls, level: int, info: ValidationInfo) -> int:
        levels = info.data.get("levels", level)
        if level > levels:
            raise ValueError(f"must be from 2 to {levels}, the number of levels")
        return level


class ClockSettings(Table):
    """[clock]: whose word makes the civil time believed, in order.

    `host` is the computer's own clock, believed unseen: simulation only.
    """

    trust: tuple[Literal["host", "network", "hardware", "city"], ...] = Field(
        default=("network", "hardware", "city"), min_length=1
    )


class CounterSettings(Table):
    """[[counter]]: a desk where an officer serves."""

    id: Id
    name: str = Field(min_length=1, max_length=80)


class DeviceSettings(Table):
    """[[device]]: what every kind has; a kind adds its own keys in its own subclass."""

    id: Id
    kind: str
    wire: str = Field(min_length=1)
    counter: Id | None = None

    @property
    def simulated(self) -> bool:
        """Whether the bus itself is simulated."""
        return self.wire == SIMULATED_WIRE

    @classmethod
    def problems_together(cls, devices: Sequence[Self]) -> Iterable[tuple[str, str, str]]:
        """What is wrong between the devices of this kind, each valid alone: (device id, field, text).

        A kind overrides it for things that can be used once: an address on a line, a GPIO pin.
        """
        del devices
        return ()

    def problems_with(self, ratings: RatingsSettings) -> Iterable[tuple[str, str]]:
        """What of this device does not fit the site's scale: (field, text). A kind with rating buttons overrides it."""
        del ratings
        return ()


class Settings(Table):
    """A whole site file. What it holds together is checked here too, so that no wrong one can exist."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    site: SiteSettings
    node: NodeSettings = NodeSettings()
    api: ApiSettings = ApiSettings()
    city: CitySettings = CitySettings()
    ratings: RatingsSettings = RatingsSettings()
    clock: ClockSettings = ClockSettings()
    counters: tuple[CounterSettings, ...] = Field(default=(), alias="counter")
    devices: tuple[SerializeAsAny[DeviceSettings], ...] = Field(default=(), alias="device")

    @model_validator(mode="after")
    def _tables_agree(self) -> Self:
        refuse(between_tables(self.model_dump(by_alias=True)))
        return self


def _overlaps(opening: Sequence[OpeningSettings]) -> Iterable[Finding]:
    """One finding for each entry that shares a minute of a weekday with itself or an earlier one."""
    told: set[int] = set()
    for day in WEEKDAYS:
        given = [(index, span) for index, entry in enumerate(opening) if day in entry.days for span in entry.spans]
        pair = overlapping([parse_span(span) for _, span in given])
        if pair is None:
            continue
        (_, first), (index, second) = given[pair[0]], given[pair[1]]
        if index not in told:
            told.add(index)
            yield (
                (index, "spans"),
                f'"{second}" overlaps "{first}" on {day}; a minute can be opened only once',
            )
