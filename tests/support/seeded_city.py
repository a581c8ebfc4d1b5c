"""A city of several wards with a month behind them, sent through the real protocol: what the scoreboard's tests look at.

Each ward is one case that a reader must be able to tell from the others. It is always the same city: the dice are seeded.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from support.cities import City, running_city

from sync.receiver.credentials import add_node

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)  # a Tuesday, 10:20 in Vietnam
TODAY = date(2026, 11, 24)
DAYS = 30
#: Local hours that are open, with the seconds of each: 07:30-11:30 and 13:30-17:00.
HOURS = {7: 1800, 8: 3600, 9: 3600, 10: 3600, 11: 1800, 13: 1800, 14: 3600, 15: 3600, 16: 3600}
#: Level 1 to 5, in per cent, of a middling ward.
USUAL = (2, 4, 9, 35, 50)


@dataclass
class SettableClock:
    """The city's clock."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Ward:
    """A ward's habits. `hourly`: ratings an hour at each counter, on average."""

    site: str
    counters: int = 3
    hourly: float = 1.2
    levels: tuple[int, ...] = USUAL
    definition: int = 1
    simulated: bool = False
    lost_at: datetime | None = None  # nothing after it was sent
    offline: range = range(0)  # how many days ago its line was down: sent when it came back
    outage_s_today: int = 0  # of the first panel, until now
    unknown_hour_of: int | None = None  # days ago: an hour without power
    saturdays: bool = False

    @property
    def token(self) -> str:
        return f"token-of-{self.site}"


WARDS = (
    Ward("phuong-tam-hiep", counters=6, hourly=2.2, levels=(1, 3, 8, 34, 54), unknown_hour_of=6),
    Ward("phuong-bien-hung", levels=(1, 3, 8, 35, 53)),
    Ward("phuong-long-binh", lost_at=datetime(2026, 11, 24, 1, 42, 10, tzinfo=UTC), levels=(3, 6, 12, 36, 43)),
    Ward("phuong-tran-bien", outage_s_today=7800, levels=(4, 8, 15, 33, 40)),
    Ward("phuong-trang-dai", offline=range(5, 9), levels=(2, 3, 7, 30, 58)),
    Ward("phuong-ho-nai", counters=2, hourly=0.9, levels=(6, 14, 80), definition=8),
    Ward("xa-dai-phuoc", counters=1, hourly=0.11),
    Ward("xa-phu-ly", counters=1, hourly=0),
    Ward("xa-thanh-son", counters=2, hourly=0.6, saturdays=True, levels=(0, 2, 6, 30, 62)),
    Ward("phuong-mo-phong", simulated=True),
)
NEVER = "xa-bao-quang"


@contextmanager
def seeded_city(place: Path) -> Iterator[City]:
    """The real receiver with a month of all wards, at `NOW`. The wards' own node is always `hub`."""
    clock = SettableClock(NOW)
    with running_city(place, now=clock) as city:
        seed(city, clock)
        yield city


def seed(city: City, clock: SettableClock) -> None:
    """Send the month, day by day as it would have come."""
    with city.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM node")  # the one that every test city has
    add_node(city.engine, NEVER, "hub", f"token-of-{NEVER}")
    for ward in WARDS:
        add_node(city.engine, ward.site, "hub", ward.token)
    dice = random.Random(11)
    kept: dict[str, list[dict[str, Any]]] = {}
    for ago in range(DAYS, -1, -1):
        day = TODAY - timedelta(days=ago)
        evening = datetime(day.year, day.month, day.day, 17, 30, tzinfo=ZONE).astimezone(UTC)
        for ward in WARDS:
            buckets = list(ward_day(ward, day, dice))
            if not buckets:
                continue
            if ago in ward.offline:
                kept.setdefault(ward.site, []).extend(buckets)
                continue
            clock.now = min(evening, ward.lost_at or NOW, NOW)
            for waiting in (kept.pop(ward.site, []), buckets):
                for start in range(0, len(waiting), 500):
                    answer = city.send(*waiting[start : start + 500], token=ward.token, node="hub", site=ward.site)
                    assert answer.status == 200, answer.body
                    assert {item["outcome"] for item in answer.json["results"]} == {"accepted"}
    clock.now = NOW


def ward_day(ward: Ward, day: date, dice: random.Random) -> Iterator[dict[str, Any]]:
    """The buckets of one ward's day."""
    if day.weekday() == 6 or (day.weekday() == 5 and not ward.saturdays):
        return
    until = min(ward.lost_at or NOW, NOW)
    for hour, open_s in HOURS.items():
        start = datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).astimezone(UTC)
        if start >= until or (day.weekday() == 5 and hour > 12):
            continue
        lasted_s = min(open_s, int((until - start).total_seconds()) - (1800 if hour == 7 else 0))
        common = {"hour": start.strftime("%Y-%m-%dT%H:00:00Z"), "final": until >= start + timedelta(hours=1)}
        is_out = ward.unknown_hour_of is not None and day == TODAY - timedelta(days=ward.unknown_hour_of) and hour == 9
        yield _bucket(ward, common, "open_seconds", {"state": "unknown" if is_out else "up"}, {"seconds": lasted_s})
        if is_out:
            continue
        for counter in range(1, ward.counters + 1):
            yield from _counter_hour(ward, common, counter, lasted_s, day, dice)


def _counter_hour(
    ward: Ward, common: dict[str, Any], counter: int, lasted_s: int, day: date, dice: random.Random
) -> Iterator[dict[str, Any]]:
    labels = {"device": f"panel-{counter}", "counter": str(counter)}
    broken_s = _broken_s(ward, common, counter, lasted_s, day)
    for state, seconds in (("available", lasted_s - broken_s), ("unavailable", broken_s)):
        if seconds:
            yield _bucket(ward, common, "device_seconds", {**labels, "state": state}, {"seconds": seconds})
    if broken_s == lasted_s:
        return
    given = dice.choices(range(1, len(ward.levels) + 1), ward.levels, k=round(dice.expovariate(1) * ward.hourly))
    for level in sorted(set(given)):
        where = {"counter": str(counter), "level": str(level)}
        yield _bucket(ward, common, "ratings", where, {"count": given.count(level)}, ward.definition)
    if len(given) > 3:
        yield _bucket(ward, common, "ratings_corrected", {"counter": str(counter), "level": "2"}, {"count": 1}, 2)
    if len(given) > 4:
        why = {"counter": str(counter), "reason": "lockout" if counter % 2 else "repeat"}
        yield _bucket(ward, common, "ratings_excluded", why, {"count": 1})


def _broken_s(ward: Ward, common: dict[str, Any], counter: int, lasted_s: int, day: date) -> int:
    """The first panel's outage of today ends with what was told last; all panels rest a minute on some mornings."""
    if counter == 1 and ward.outage_s_today and day == TODAY:
        hour = datetime.fromisoformat(common["hour"])
        began = NOW - timedelta(seconds=ward.outage_s_today)
        return int(min(max(0.0, (hour + timedelta(hours=1) - began).total_seconds()), lasted_s))
    return 90 if counter == 1 and day.day % 9 == 0 and common["hour"][11:13] == "01" else 0


def _bucket(
    ward: Ward,
    common: dict[str, Any],
    series: str,
    labels: dict[str, str],
    value: dict[str, float],
    definition: int = 1,
) -> dict[str, Any]:
    return {
        "epoch": "5d41402abc4b2a76", "series": series, "labels": labels, "revision": 1, "definition": definition,
        "partial": False, "simulated": ward.simulated, "value": value, **common,
    }  # fmt: skip
