"""The scoreboard for people: the city's page, and a page for each site."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from urllib.parse import urlencode

from flask import Blueprint, render_template, request
from sqlalchemy import Engine

from sync.receiver import page, words
from sync.receiver.answers import BoardQuery, PeriodQuery
from sync.receiver.asking import PEOPLES_PERIOD, one_site, parse
from sync.receiver.languages import LANGUAGES
from sync.receiver.periods import PERIODS, Span, day_of, days_of, period_span
from sync.receiver.ranking import LEAST_N, Ranked, ranked
from sync.receiver.readers import only_readers
from sync.receiver.reading import read_scope
from sync.receiver.scoreboard import IsHoliday, read_days, read_needs, read_scores

#: On a site's page, the days of a longer period are its newest.
SHOWN_DAYS = 92
SHOWN_NEEDS = 6


def pages_blueprint(
    engine: Engine, now: Callable[[], datetime], is_holiday: IsHoliday, *, open_on_loopback: bool
) -> Blueprint:
    """The pages over `engine`; who may read is in `readers`."""
    area = Blueprint("pages", __name__)
    only_readers(area, engine, open_on_loopback=open_on_loopback)

    @area.context_processor
    def common() -> dict[str, object]:
        return {
            "place": "Nụ Cười",
            "language": words.language(),
            "languages": LANGUAGES,
            "link": link,
            "face_words": words.FACE_WORDS,
            "faces": page.FACES,
            "moment": words.clock_text(now(), now()),
        }

    @area.get("/")
    def show_city() -> str:
        asked, moment = parse(BoardQuery), now()
        span = asked.span(day_of(moment), PEOPLES_PERIOD)
        with engine.begin() as connection:
            scope = read_scope(connection, asked.site, simulated=asked.is_simulated)
            scores = read_scores(connection, scope, span, moment, is_holiday)
            if asked.is_simulated:  # simulated centres are few, and the others have no part in this page
                scores = [score for score in scores if score.has_figures]
            needs = read_needs(connection, scope, scores, moment)
        first, apart = ranked(scores) if asked.sort == "rate" else ([Ranked(None, score) for score in scores], [])
        ratings, rate = page.city_rate(scores)
        return render_template(
            "city.html",
            **_period(asked, span, moment),
            needs=page.need_rows(needs, moment),
            shown_needs=SHOWN_NEEDS,
            rate=rate,
            levels=page.level_rows(ratings),
            sort=asked.sort,
            rows=[page.site_row(line, moment) for line in first],
            apart=[page.site_row(line, moment) for line in apart],
            least_n=LEAST_N,
        )

    @area.get("/sites/<site>")
    def show_site(site: str) -> str:
        asked, moment = parse(PeriodQuery), now()
        span = asked.span(day_of(moment), PEOPLES_PERIOD)
        days, shortened = _shown_days(span, day_of(moment))
        with engine.begin() as connection:
            scope = one_site(connection, site, simulated=asked.is_simulated)
            [score] = read_scores(connection, scope, span, moment, is_holiday)
            needs = read_needs(connection, scope, [score], moment)
            lines = read_days(connection, scope, days)
        return render_template(
            "site.html",
            **_period(asked, span, moment),
            site=site,
            needs=page.need_rows(needs, moment),
            rate=page.rate_text(score.ratings, score.figures.operation),
            levels=page.level_rows(score.ratings),
            opening=words.opening_words(score.figures),
            days_words=words.days_words(score.days),
            corrected=words.count(score.ratings.corrected),
            excluded=page.excluded_rows(score.ratings),
            counters=page.counter_rows(score.figures),
            nodes=page.node_rows(score, moment),
            devices=page.device_rows(score, needs, moment),
            days=page.day_rows(lines),
            shortened=shortened,
        )

    return area


def link(path: str | None = None, **changes: str | None) -> str:
    """An address with what this page was asked for, but for `changes`; None takes an argument out."""
    kept = {name: value for name, value in request.args.items() if name != "lang"} | changes
    query = urlencode({name: value for name, value in kept.items() if value is not None})
    return (request.path if path is None else path) + (f"?{query}" if query else "")


def _shown_days(span: Span, today: date) -> tuple[list[date], bool]:
    """The days that a site's page tells one by one, and whether they are not all of the period."""
    days = days_of(span, today)
    if days is None:
        ending = Span(period_span("30d", today).start, None)
        return days_of(ending, today) or [], True
    return days[-SHOWN_DAYS:], len(days) > SHOWN_DAYS


def _period(asked: PeriodQuery, span: Span, moment: datetime) -> dict[str, object]:
    first, last = page.date_values(span, day_of(moment))
    return {
        "simulated": asked.is_simulated,
        "period": asked.named(PEOPLES_PERIOD),
        "periods": [(name, str(words.PERIOD_WORDS[name])) for name in PERIODS],
        "span": page.span_words(span, moment),
        "first": first,
        "last": last,
    }
