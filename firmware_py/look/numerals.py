"""How numbers, dates and times are written: the Vietnamese way in Vietnamese, the English way in English."""

from __future__ import annotations

from datetime import date, time


def number(value: int, language: str) -> str:
    """A whole number: thousands with a point in Vietnamese, a comma in English.

    >>> number(1234567, "vi"), number(1234567, "en")
    ('1.234.567', '1,234,567')
    """
    text = f"{value:,}"
    return text.replace(",", ".") if language == "vi" else text


def percent(share_ratio: float, language: str) -> str:
    """A share, 0 to 1, in whole per cent. 99.6 % of something is not all of it, and 0.4 % is not nothing.

    >>> percent(0.874, "vi"), percent(0.996, "vi"), percent(1, "vi"), percent(0.004, "vi")
    ('87 %', '99 %', '100 %', '1 %')
    """
    whole = round(share_ratio * 100)
    if 0 < share_ratio < 1:
        whole = min(99, max(1, whole))
    return f"{number(whole, language)} %"


def day(value: date) -> str:
    """A date, the same in both languages, for both are read in Vietnam. A datetime is a date too.

    >>> day(date(2026, 11, 3))
    '03/11/2026'
    """
    return value.strftime("%d/%m/%Y")


def day_short(value: date) -> str:
    """A date on an axis, where the year is known.

    >>> day_short(date(2026, 11, 3))
    '03/11'
    """
    return value.strftime("%d/%m")


def clock(value: time) -> str:
    """A time of day, as the hall's clocks show it.

    >>> clock(time(8, 42, 5))
    '08:42'
    """
    return value.strftime("%H:%M")
