"""The scoreboard for programs and spreadsheets: JSON and CSV."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response
from pydantic import BaseModel
from sqlalchemy import Engine

from sync.receiver import csv_files
from sync.receiver.answers import BoardAnswer, BoardQuery, DaysAnswer, PeriodQuery, day_answer, site_answer
from sync.receiver.asking import MACHINES_PERIOD, PEOPLES_PERIOD, one_site, parse
from sync.receiver.periods import Span, day_of, days_of, span_json
from sync.receiver.problems import Problem
from sync.receiver.readers import only_readers
from sync.receiver.reading import read_scope
from sync.receiver.scoreboard import DayLine, IsHoliday, SiteScore, read_days, read_scores


def scoreboard_blueprint(
    engine: Engine, now: Callable[[], datetime], is_holiday: IsHoliday, *, open_on_loopback: bool
) -> Blueprint:
    """The routes over `engine`; who may read is in `readers`."""
    area = Blueprint("scoreboard", __name__)
    only_readers(area, engine, open_on_loopback=open_on_loopback)

    def scores(asked: BoardQuery) -> tuple[Span, list[SiteScore]]:
        moment = now()
        span = asked.span(day_of(moment), MACHINES_PERIOD)
        with engine.begin() as connection:
            scope = read_scope(connection, asked.site, simulated=asked.is_simulated)
            return span, read_scores(connection, scope, span, moment, is_holiday)

    def days(asked: PeriodQuery, site: str) -> list[DayLine]:
        today = day_of(now())
        wanted = days_of(asked.span(today, PEOPLES_PERIOD), today)
        if wanted is None:
            raise Problem(400, "argument", "Day by day, a period has a beginning and at most 366 days.")
        with engine.begin() as connection:
            return read_days(connection, one_site(connection, site, simulated=asked.is_simulated), wanted)

    @area.get("/v1/scoreboard")
    def read_scoreboard() -> Response:
        asked = parse(BoardQuery)
        span, lines = scores(asked)
        sites = [site_answer(line, now()) for line in lines]
        return _json(BoardAnswer(simulated=asked.is_simulated, hours=span_json(span), sites=sites))

    @area.get("/v1/scoreboard.csv")
    def read_scoreboard_csv() -> Response:
        asked = parse(BoardQuery)
        span, lines = scores(asked)
        return _csv(csv_files.sites_csv(lines, span, simulated=asked.is_simulated), "scoreboard")

    @area.get("/v1/sites/<site>/days")
    def read_site_days(site: str) -> Response:
        asked = parse(PeriodQuery)
        lines = [day_answer(line) for line in days(asked, site)]
        return _json(DaysAnswer(simulated=asked.is_simulated, site=site, days=lines))

    @area.get("/v1/sites/<site>/days.csv")
    def read_site_days_csv(site: str) -> Response:
        asked = parse(PeriodQuery)
        return _csv(csv_files.days_csv(site, days(asked, site), simulated=asked.is_simulated), f"{site}-days")

    return area


def _json(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), content_type="application/json")


def _csv(text: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(text, content_type=csv_files.CONTENT_TYPE, headers=headers)
