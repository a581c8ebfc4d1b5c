"""How numbers are written: the Vietnamese way in Vietnamese, the English way in English."""

from __future__ import annotations


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
