"""The scoreboard for programs and spreadsheets: JSON and CSV."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from sqlalchemy import Engine

from sync.receiver import csv_files
from sync.receiver.answers import BoardAnswer, BoardQuery, DaysAnswer, PeriodQuery, day_answer, site_answer
from sync.receiver.asking import MACHINES_PERIOD, PEOPLES_PERIOD, one_site
from sync.receiver.openapi import READER, answer, problems
from sync.receiver.periods import Span, day_of, days_of, span_json
from sync.receiver.problems import ProblemError
from sync.receiver.readers import only_readers
from sync.receiver.reading import read_scope
from sync.receiver.scoreboard import DayLine, IsHoliday, SiteScore, read_days, read_scores

CSV: dict[str, Any] = {
    "description": "UTF-8 with a byte order mark, RFC 4180; the first row has the fields' names.",
    "content": {"text/csv": {"schema": {"type": "string"}}},
}


class SitePath(BaseModel):
    """The site."""

    site: str = Field(description="A registered site's name.")


def scoreboard_blueprint(
    engine: Engine, now: Callable[[], datetime], is_holiday: IsHoliday, *, open_on_loopback: bool
) -> APIBlueprint:
    """The routes over `engine`; who may read is in `readers`."""
    area = APIBlueprint("scoreboard", __name__, abp_tags=[Tag(name="scoreboard")], abp_security=READER)
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
        with engine.begin() as connection:
            scope = one_site(connection, site, simulated=asked.is_simulated)
            if wanted is None:
                raise ProblemError(400, "argument", "Day by day, a period has a beginning and at most 366 days.")
            return read_days(connection, scope, wanted)

    @area.get("/v1/scoreboard", responses={200: BoardAnswer, **problems(400, 401)})
    def read_scoreboard(query: BoardQuery) -> Response:
        """Every site's figures of a period; without one, of all time. Real and simulated figures are never added together."""
        span, lines = scores(query)
        sites = [site_answer(line, now()) for line in lines]
        return answer(BoardAnswer(simulated=query.is_simulated, hours=span_json(span), sites=sites))

    @area.get("/v1/scoreboard.csv", responses={200: CSV, **problems(400, 401)})
    def read_scoreboard_csv(query: BoardQuery) -> Response:
        """The same as a table, a row a site."""
        span, lines = scores(query)
        return _csv(csv_files.sites_csv(lines, span, simulated=query.is_simulated), "scoreboard")

    @area.get("/v1/sites/<site>/days", responses={200: DaysAnswer, **problems(400, 401, 404)})
    def read_site_days(path: SitePath, query: PeriodQuery) -> Response:
        """One site day by day; without a period, of 30 days."""
        lines = [day_answer(line) for line in days(query, path.site)]
        return answer(DaysAnswer(simulated=query.is_simulated, site=path.site, days=lines))

    @area.get("/v1/sites/<site>/days.csv", responses={200: CSV, **problems(400, 401, 404)})
    def read_site_days_csv(path: SitePath, query: PeriodQuery) -> Response:
        """The same as a table, a row a day."""
        return _csv(
            csv_files.days_csv(path.site, days(query, path.site), simulated=query.is_simulated), f"{path.site}-days"
        )

    return area


def _csv(text: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(text, content_type=csv_files.CONTENT_TYPE, headers=headers)
