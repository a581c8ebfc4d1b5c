"""Opening hours: spans, holidays and announced exceptions, in the site's own time."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.opening import CLOSED_AS_ANNOUNCED, CLOSED_EVERY_WEEK, OpeningHours
from config.settings import WEEKDAYS, SiteSettings
from config.spans import overlapping, parse_span

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
OFFICE = [
    {"days": ["mon", "tue", "wed", "thu", "fri"], "spans": ["13:30-17:30", "07:30-11:30"]},
    {"days": ["sat"], "spans": ["07:30-11:30"]},
]
ALWAYS = [{"days": list(WEEKDAYS), "spans": ["00:00-24:00"]}]


def hours(opening: Any = OFFICE, timezone: str = "Asia/Ho_Chi_Minh", **holidays: Any) -> OpeningHours:
    site = {"id": "s", "name": "S", "mode": "simulation", "timezone": timezone}
    return OpeningHours(
        SiteSettings.model_validate({**site, "opening": opening, "holidays": {"country": "", **holidays}})
    )


def local(day: str, clock: str = "00:00", zone: ZoneInfo = VIETNAM) -> datetime:
    return datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("clock", "is_open"),
    [("07:29", False), ("07:30", True), ("11:29", True), ("11:30", False), ("13:30", True), ("17:30", False)],
)
def test_a_span_holds_its_start_and_not_its_end(clock: str, is_open: bool) -> None:
    assert hours().is_open(local("2026-11-23", clock)) is is_open


def test_the_days_are_the_sites_own_and_not_utcs() -> None:
    monday_morning_at_midnight_utc = datetime(2026, 11, 23, 0, 45, tzinfo=UTC)
    assert hours().is_open(monday_morning_at_midnight_utc)
    assert not hours(timezone="Europe/Berlin").is_open(monday_morning_at_midnight_utc)


def test_spans_are_in_order_in_utc_and_clipped() -> None:
    found = hours().spans(local("2026-11-23", "08:00"), local("2026-11-24", "07:45"))
    assert found == [
        (datetime(2026, 11, 23, 1, tzinfo=UTC), datetime(2026, 11, 23, 4, 30, tzinfo=UTC)),
        (datetime(2026, 11, 23, 6, 30, tzinfo=UTC), datetime(2026, 11, 23, 10, 30, tzinfo=UTC)),
        (datetime(2026, 11, 24, 0, 30, tzinfo=UTC), datetime(2026, 11, 24, 0, 45, tzinfo=UTC)),
    ]
    assert all(edge.tzinfo is UTC for span in found for edge in span)


def test_days_that_touch_at_midnight_are_one_span_and_never_change() -> None:
    start = local("2026-11-23", "08:00")
    assert hours(ALWAYS).spans(start, start + timedelta(days=10)) == [(start, start + timedelta(days=10))]
    assert hours(ALWAYS).next_change(start) is None


def test_an_empty_or_backward_time_has_no_spans() -> None:
    start = local("2026-11-23", "08:00")
    assert hours().spans(start, start) == []
    assert hours().spans(start, start - timedelta(days=3)) == []


def test_the_next_change_is_found_beyond_a_weekend_and_beyond_weeks_of_closing() -> None:
    assert hours().next_change(local("2026-11-28", "11:30")) == local("2026-11-30", "07:30")
    weeks = [date(2026, 11, 29) + timedelta(days=n) for n in range(60)]
    assert hours(closed=weeks).next_change(local("2026-11-28", "12:00")) == local("2027-01-28", "07:30")


def test_a_change_after_more_than_400_days_is_none() -> None:
    far = [date(2026, 11, 29) + timedelta(days=n) for n in range(450)]
    assert hours(closed=far).next_change(local("2026-11-28", "12:00")) is None


def test_a_moment_without_a_zone_is_refused() -> None:
    naive = local("2026-11-23").replace(tzinfo=None)
    for ask in (hours().is_open, hours().next_change):
        with pytest.raises(ValueError, match="without a zone"):
            ask(naive)
    with pytest.raises(ValueError, match="without a zone"):
        hours().spans(naive, naive)


# What DOMAIN gives as check values: the first day of the lunar year and Giỗ Tổ.
@pytest.mark.parametrize(
    ("tet", "gio_to"),
    [
        ("2026-02-17", "2026-04-26"),
        ("2027-02-06", "2027-04-16"),
        ("2028-01-26", "2028-04-04"),
        ("2029-02-13", "2029-04-23"),
        ("2030-02-02", "2030-04-12"),
    ],
)
def test_the_lunar_holidays_of_vietnam_are_closed(tet: str, gio_to: str) -> None:
    always = hours(ALWAYS, country="VN")
    assert always.is_closed_day(date.fromisoformat(tet)) == "Tết Nguyên Đán"
    assert "Giỗ Tổ Hùng Vương" in (always.is_closed_day(date.fromisoformat(gio_to)) or "")
    for day in (tet, gio_to):
        assert not always.is_open(local(day, "09:00"))


def test_tet_closes_five_days_in_a_row() -> None:
    always = hours(ALWAYS, country="VN")
    assert always.spans(local("2026-02-15"), local("2026-02-22")) == [
        (local("2026-02-15"), local("2026-02-16")),
        (local("2026-02-21"), local("2026-02-22")),
    ]


@pytest.mark.parametrize("day", ["2026-01-01", "2026-04-30", "2026-05-01", "2026-09-02"])
def test_the_solar_holidays_of_vietnam_are_closed_where_the_country_is_given(day: str) -> None:
    assert hours(ALWAYS, country="VN").is_closed_day(date.fromisoformat(day))
    assert hours(ALWAYS).is_closed_day(date.fromisoformat(day)) is None


def test_an_announced_swap_closes_one_day_and_opens_another() -> None:
    swapped = hours(country="VN", closed=[date(2026, 1, 2)], open=[date(2026, 1, 11)])
    assert swapped.is_closed_day(date(2026, 1, 2)) == CLOSED_AS_ANNOUNCED
    assert swapped.is_closed_day(date(2026, 1, 11)) is None


def test_an_open_date_wins_over_a_holiday_with_its_weekdays_own_spans() -> None:
    worked = hours(country="VN", open=[date(2026, 9, 2)])
    assert worked.is_open(local("2026-09-02", "08:00"))
    assert not worked.is_open(local("2026-09-02", "12:00"))


@pytest.mark.parametrize(
    ("day", "like_opening"),
    [("2026-11-28", 1), ("2026-11-29", 0)],  # Saturday works as Friday, Sunday as Monday
)
def test_an_open_date_without_spans_of_its_own_takes_the_nearest_weekdays(day: str, like_opening: int) -> None:
    opening = [{"days": ["mon"], "spans": ["08:00-09:00"]}, {"days": ["fri"], "spans": ["10:00-11:00"]}]
    (start, _), *_ = hours(opening, open=[date.fromisoformat(day)]).spans(local(day), local(day) + timedelta(days=1))
    assert start == local(day, ("08:00", "10:00")[like_opening])


def test_a_weekday_without_spans_is_closed_every_week() -> None:
    assert hours().is_closed_day(date(2026, 11, 29)) == CLOSED_EVERY_WEEK
    assert hours().is_closed_day(date(2026, 11, 28)) is None


def test_the_wall_clock_rules_on_the_days_that_change_to_summer_time_and_back() -> None:
    berlin = hours([{"days": ["sun"], "spans": ["00:00-24:00"]}], timezone="Europe/Berlin")
    zone = ZoneInfo("Europe/Berlin")
    for day, length_h in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-22", 24)):
        ((start, end),) = berlin.spans(
            local(day, zone=zone) - timedelta(days=1), local(day, zone=zone) + timedelta(days=2)
        )
        assert end - start == timedelta(hours=length_h)


def test_a_span_inside_the_hour_that_summer_time_leaves_out_does_not_happen() -> None:
    berlin = hours([{"days": ["sun"], "spans": ["02:30-03:00"]}], timezone="Europe/Berlin")
    start = local("2026-03-29", zone=ZoneInfo("Europe/Berlin"))
    assert berlin.spans(start, start + timedelta(days=1)) == []


def test_where_summer_time_leaves_out_midnight_is_open_still_agrees_with_spans() -> None:
    toronto = hours([{"days": ["sun"], "spans": ["23:00-24:00"]}], timezone="America/Toronto")
    change = datetime(1919, 3, 31, 4, 30, tzinfo=UTC)  # 23:30 became 00:30
    ((_, end),) = toronto.spans(change - timedelta(days=2), change + timedelta(days=2))
    assert toronto.is_open(end - timedelta(seconds=1))
    assert toronto.next_change(change) == end


MINUTES = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda span: span[0] < span[1])
CLOCK = "{:02}:{:02}".format


def written(span: tuple[int, int]) -> str:
    return "-".join(CLOCK(*divmod(minute, 60)) for minute in span)


@given(MINUTES)
def test_a_span_is_read_as_it_is_written(span: tuple[int, int]) -> None:
    assert parse_span(written(span)) == span


@given(st.lists(MINUTES, max_size=4))
def test_overlap_means_a_minute_held_twice(spans: list[tuple[int, int]]) -> None:
    held = [minute for start, end in spans for minute in range(start, end)]
    assert (overlapping(spans) is not None) == (len(held) != len(set(held)))


@st.composite
def weeks(draw: st.DrawFn) -> list[dict[str, list[str]]]:
    opening: list[dict[str, list[str]]] = []
    for day in draw(st.sets(st.sampled_from(WEEKDAYS), min_size=1)):
        edges = sorted(draw(st.sets(st.integers(0, 48), min_size=2, max_size=6)))
        spans = [(a * 30, b * 30) for a, b in zip(edges[::2], edges[1::2], strict=False)]
        opening.append({"days": [day], "spans": [written(span) for span in spans]})
    return opening


DATES = st.dates(date(2026, 3, 20), date(2026, 4, 10))
MOMENTS = st.datetimes(datetime(2026, 3, 20), datetime(2026, 4, 10), timezones=st.just(UTC))  # noqa: DTZ001
ZONES = st.sampled_from(["Asia/Ho_Chi_Minh", "Europe/Berlin", "America/St_Johns", "America/Santiago"])
HOURS = st.builds(
    lambda opening, zone, closed, extra: hours(opening, zone, closed=list(closed), open=list(extra - closed)),
    weeks(),
    ZONES,
    st.frozensets(DATES, max_size=3),
    st.frozensets(DATES, max_size=3),
)


@given(HOURS, MOMENTS, st.timedeltas(timedelta(hours=-50), timedelta(hours=50)))
def test_is_open_agrees_with_spans(opening: OpeningHours, moment: datetime, before: timedelta) -> None:
    start = moment + min(before, -before)
    found = opening.spans(start, moment + timedelta(hours=30))
    assert opening.is_open(moment) == any(first <= moment < last for first, last in found)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(found))


@given(HOURS, MOMENTS)
def test_the_next_change_flips_and_nothing_flips_before(opening: OpeningHours, moment: datetime) -> None:
    change = opening.next_change(moment)
    if change is None:
        return
    assert change > moment
    assert opening.is_open(change) != opening.is_open(moment)
    just_before = change - timedelta(microseconds=1)
    for at in (moment + (just_before - moment) * part / 7 for part in range(8)):
        assert opening.is_open(at) == opening.is_open(moment)


@given(weeks(), MOMENTS, st.frozensets(DATES, max_size=5))
def test_in_vietnam_opening_is_the_weekdays_spans_on_days_not_closed(
    week: list[dict[str, list[str]]], moment: datetime, closed: frozenset[date]
) -> None:
    there = moment.astimezone(VIETNAM)
    minute = there.hour * 60 + there.minute
    todays = [
        parse_span(text) for entry in week if WEEKDAYS[there.weekday()] in entry["days"] for text in entry["spans"]
    ]
    expected = there.date() not in closed and any(start <= minute < end for start, end in todays)
    assert hours(week, closed=list(closed)).is_open(moment) == expected


def test_a_holiday_that_nobody_could_verify_closes_nothing_until_the_site_says_so() -> None:
    culture_day = date(2026, 11, 24)
    assert hours(country="VN").is_closed_day(culture_day) is None
    assert hours(country="VN", closed=[culture_day]).is_closed_day(culture_day) == CLOSED_AS_ANNOUNCED
