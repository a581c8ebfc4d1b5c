"""What the staff's page shows, as one model: words of one language, and figures for machines."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from local_api.attention import Notice


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class FaceCount(_Shown):
    """One face of a bar: which mouth, its word, how many pressed it, and where on a bar of 100 it stands."""

    mouth: int
    word: str
    n: int
    n_text: str
    start: float
    width: float


class CounterCard(_Shown):
    """A counter's day, or the whole centre's. `rate` stands with `rate_n`; both are empty until answers may be shown."""

    counter: str | None
    name: str
    n: int
    n_text: str
    rate_ratio: float | None
    rate_n: int
    rate: str
    rate_note: str
    faces: list[FaceCount]
    notes: str


class DeviceRow(_Shown):
    """A device, how it is, since when, and what to do."""

    id: str
    name: str
    available: bool
    needs: bool
    state: str
    since: str
    todo: str
    vietnamese: bool


class CityPath(_Shown):
    """What the city lacks, and when it last took something."""

    text: str
    pending: int
    pending_text: str
    oldest: str
    accepted: str


class Bar(_Shown):
    """One row of a chart's table. `rate_ratio` is None where no answers may be shown."""

    title: str
    label: str
    n: int
    n_text: str
    rate_ratio: float | None = None
    rate_percent: str = ""
    rate_text: str = ""


class TodayAnswer(_Shown):
    """Everything on the page. `shape` changes when there are other counters, devices or levels: then the page loads anew."""

    shape: str
    day: str
    time: str
    opening: str
    fine: bool
    group: int
    notices: list[Notice]
    counters: list[CounterCard]
    centre: CounterCard
    devices: list[DeviceRow]
    city: CityPath
    hours: list[Bar]
    days: list[Bar]
