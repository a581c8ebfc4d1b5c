"""The scoreboard as a plain page: Vietnamese first, `?lang=en` for English. No rate without its n."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from flask import render_template

from firmware_py.core.clock import parse_iso
from firmware_py.look.faces import MOUTHS
from firmware_py.look.numerals import number, percent
from sync.receiver.scoreboard import ZONE, Ratings, SiteScore, age_s

Language = Literal["vi", "en"]
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400

TEXTS: Mapping[Language, Mapping[str, str]] = {
    "vi": {
        "title": "Bảng điểm hài lòng của thành phố",
        "lead": "Tổng hợp lượt đánh giá từ các trung tâm. Tỷ lệ hài lòng luôn đi cùng số lượt (n).",
        "simulated": "Dữ liệu mô phỏng, không phải ý kiến của người dân.",
        "to_simulated": "Xem dữ liệu mô phỏng",
        "to_real": "Xem dữ liệu thật",
        "reload": "Tải lại",
        "other_language": "English",
        "no_sites": "Chưa có trung tâm nào được đăng ký.",
        "no_data": "Chưa có dữ liệu",
        "incomplete": "Dữ liệu đang về, chưa đủ để tính tỷ lệ",
        "satisfied": "hài lòng",
        "count": "Số lượt",
        "level": "Mức",
        "corrected": "Đã sửa lại",
        "excluded": "Không tính",
        "last_seen": "Nhận lần cuối",
        "never": "Chưa nhận lần nào",
        "ago": "trước",
        "minutes": "phút",
        "hours": "giờ",
        "days": "ngày",
        "just_now": "vừa xong",
        "repeat": "bấm lại cùng một mức",
        "lockout": "bấm quá sớm sau lượt trước",
        "superseded": "đã có lượt bấm mới hơn",
        "outside_opening_hours": "ngoài giờ làm việc",
    },
    "en": {
        "title": "The city's satisfaction scoreboard",
        "lead": "Ratings added up from the centres. A satisfaction rate always stands with its number of ratings (n).",
        "simulated": "Simulated data, not the opinion of citizens.",
        "to_simulated": "Show simulated data",
        "to_real": "Show real data",
        "reload": "Reload",
        "other_language": "Tiếng Việt",
        "no_sites": "No centre is registered yet.",
        "no_data": "No data yet",
        "incomplete": "Data is still arriving, not enough for a rate",
        "satisfied": "satisfied",
        "count": "Ratings",
        "level": "Level",
        "corrected": "Corrected",
        "excluded": "Not counted",
        "last_seen": "Last received",
        "never": "Nothing received yet",
        "ago": "ago",
        "minutes": "min",
        "hours": "h",
        "days": "days",
        "just_now": "just now",
        "repeat": "pressed the same answer again",
        "lockout": "pressed too soon after the one before",
        "superseded": "a newer press came first",
        "outside_opening_hours": "outside opening hours",
    },
}
FIVE: Mapping[Language, tuple[str, ...]] = {
    "vi": ("Rất không hài lòng", "Không hài lòng", "Bình thường", "Hài lòng", "Rất hài lòng"),
    "en": ("Very dissatisfied", "Dissatisfied", "Neutral", "Satisfied", "Very satisfied"),
}


@dataclass(frozen=True, slots=True)
class LevelRow:
    """One level of one site: always its face, its word and its number together."""

    face: int  # 1 the worst, 5 the best
    word: str
    count: str
    share_percent: int | None


@dataclass(frozen=True, slots=True)
class SiteCard:
    """One site as the page shows it; every number is text already."""

    site: str
    rate: str | None
    n: str
    why_no_rate: str
    has_ratings: bool
    levels: tuple[LevelRow, ...]
    corrected: str
    excluded: tuple[tuple[str, str], ...]
    seen: str


def render(lines: Sequence[SiteScore], now: datetime, *, language: Language, simulated: bool) -> str:
    """The page."""
    return render_template(
        "scoreboard.html",
        language=language,
        place="Nụ Cười",
        texts=TEXTS[language],
        simulated=simulated,
        cards=[card(line, now, language) for line in lines],
    )


def card(line: SiteScore, now: datetime, language: Language) -> SiteCard:
    """A site's line in words."""
    texts, ratings = TEXTS[language], line.ratings
    rate = ratings.rate_ratio
    has_ratings = any(ratings.by_level.values())
    return SiteCard(
        site=line.site,
        rate=None if rate is None else percent(rate, language),
        n=number(ratings.n, language),
        why_no_rate=texts["incomplete"] if has_ratings else texts["no_data"],
        has_ratings=has_ratings,
        levels=_level_rows(ratings, language),
        corrected=number(ratings.corrected, language),
        excluded=tuple(
            (texts.get(reason, reason), number(count, language)) for reason, count in sorted(ratings.excluded.items())
        ),
        seen=_seen(line.last_seen, now, texts),
    )


def _level_rows(ratings: Ratings, language: Language) -> tuple[LevelRow, ...]:
    mouths = MOUTHS.get(len(ratings.by_level), MOUTHS[5])
    return tuple(
        LevelRow(
            face=mouths[level - 1],
            word=FIVE[language][mouths[level - 1] - 1],
            count=number(count, language),
            share_percent=None if ratings.rate_ratio is None else round(100 * count / ratings.n),
        )
        for level, count in sorted(ratings.by_level.items(), reverse=True)
    )


def _seen(last_seen: str | None, now: datetime, texts: Mapping[str, str]) -> str:
    age = age_s(last_seen, now)
    if last_seen is None or age is None:
        return texts["never"]
    clock = parse_iso(last_seen).astimezone(ZONE).strftime("%H:%M %d/%m/%Y")
    for limit, unit in ((DAY_S, "days"), (HOUR_S, "hours"), (MINUTE_S, "minutes")):
        if age >= limit:
            return f"{texts['last_seen']}: {clock} ({int(age // limit)} {texts[unit]} {texts['ago']})"
    return f"{texts['last_seen']}: {clock} ({texts['just_now']})"
