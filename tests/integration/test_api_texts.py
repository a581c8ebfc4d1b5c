"""The node's state in words. That every text has its English is in test_texts_translated."""

from __future__ import annotations

from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from fake_node import FakeNode, event
from flask import Flask
from sqlalchemy import create_engine

from firmware_py.core.contracts import STREAMED_FIELDS
from firmware_py.core.ports import OutboxFigures
from firmware_py.features.ratings.rules import Reason
from firmware_py.look.faces import MOUTHS
from local_api import words
from local_api.app import create_app
from local_api.faces import faces
from sync.receiver.app import create_app as create_city
from sync.receiver.words import REASON_WORDS

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.fixture
def app() -> Flask:
    return create_app(FakeNode())


@pytest.mark.parametrize("levels", MOUTHS)
def test_each_level_of_each_scale_has_its_own_mouth_and_word_best_first(app: Flask, levels: int) -> None:
    with app.test_request_context("/"):
        shown = faces(levels)
    assert [face.level for face in shown] == list(range(levels, 0, -1))
    assert len({face.mouth for face in shown}) == len({face.word for face in shown}) == levels
    assert [face.mouth for face in shown] == sorted((face.mouth for face in shown), reverse=True)


@pytest.mark.parametrize("kind", [kind for kind in STREAMED_FIELDS if kind != "node.tick"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_event_that_leaves_the_journal_has_words_of_its_own(app: Flask, kind: str, language: str) -> None:
    data = dict.fromkeys(STREAMED_FIELDS[kind], "x")
    with app.test_request_context(f"/?lang={language}"):
        told = words.event_words(event(1, kind, data), {})
        other = words.event_words(event(1, "no.such"), {})
    assert told
    assert kind not in told  # not the fallback, which names the type
    assert other is not None
    assert "no.such" in other


def test_a_votes_level_is_in_no_words(app: Flask) -> None:
    with app.test_request_context("/"):
        told = {
            words.event_words(event(1, "rating.given", {"counter": "1", "level": level}), {"1": "Quầy 1"})
            for level in range(1, 6)
        }
    assert told == {"Quầy 1: đã ghi nhận một lượt đánh giá"}


@pytest.mark.parametrize("kind", ["button.faulted", "button.recovered"])
def test_a_fault_is_told_without_its_button_which_is_the_level_just_pressed(app: Flask, kind: str) -> None:
    with app.test_request_context("/"):
        told = {
            words.event_words(event(1, kind, {"device": "panel-1", "button": button, "fault": "stuck"}), {})
            for button in range(1, 6)
        }
    assert len(told) == 1
    assert "một nút" in (told.pop() or "")


@pytest.mark.parametrize(
    ("seconds", "vietnamese", "english"),
    [
        (0, "0 giây", "0 seconds"),
        (1.9, "1 giây", "1 second"),
        (59.9, "59 giây", "59 seconds"),
        (60, "1 phút", "1 minute"),
        (7199, "1 giờ", "1 hour"),
        (86400 * 3, "3 ngày", "3 days"),
    ],
)
def test_a_length_of_time_in_its_largest_unit(app: Flask, seconds: float, vietnamese: str, english: str) -> None:
    with app.test_request_context("/"):
        assert words.span(seconds) == vietnamese
    with app.test_request_context("/?lang=en"):
        assert words.span(seconds) == english


def test_the_outbox_in_words_says_that_nothing_is_lost_and_what_was_rejected(app: Flask) -> None:
    with app.test_request_context("/"):
        assert words.outbox_words(OutboxFigures(0, None, None, 0), ZONE) == "Chưa có gì để gửi."
        late = words.outbox_words(OutboxFigures(12, 200, None, 1), ZONE)
        done = words.outbox_words(OutboxFigures(0, None, "2020-11-23T01:42:00.000Z", 0), ZONE)
    assert late == (
        "12 mục số liệu đang chờ gửi, cũ nhất 3 phút. Dữ liệu được giữ lại. 1 mục bị thành phố từ chối, cần người kiểm tra."
    )
    assert done == "Thành phố đã nhận hết, lần cuối lúc 08:42:00 23/11/2020."


@pytest.mark.parametrize("reason", get_args(Reason))
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_reason_of_an_exclusion_has_words_and_the_city_uses_the_same(
    app: Flask, reason: str, language: str
) -> None:
    with app.test_request_context(f"/?lang={language}"):
        told = words.excluded_words(reason, 2)
    city = create_city(create_engine("sqlite://"))
    with city.test_request_context(f"/?lang={language}"):
        at_the_city = str(REASON_WORDS[reason])
    assert reason not in told
    assert at_the_city in told
