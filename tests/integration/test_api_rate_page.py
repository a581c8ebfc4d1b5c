"""The touch page as it is served: both languages in it, the faces in the site's order, and friendly words for a wrong address."""

from __future__ import annotations

import re

import pytest
from fake_node import FakeNode, settings
from flask.testing import FlaskClient

from config.settings import Settings
from local_api.app import create_app


def client(given: Settings | None = None) -> FlaskClient:
    return create_app(FakeNode(given)).test_client()


def levels(page: str) -> list[str]:
    return re.findall(r'data-level="(\d)"', page)


def test_both_languages_stand_in_the_page_and_the_address_says_which_is_shown() -> None:
    visitor = client()
    for path, language in (("/rate/1", "vi"), ("/rate/1?lang=en", "en")):
        page = visitor.get(path).text
        assert f'<html lang="{language}">' in page
        assert '<span lang="vi">Cảm ơn ông/bà!</span><span lang="en">Thank you!</span>' in page
        assert '<span lang="vi">Rất hài lòng</span><span lang="en">Very happy</span>' in page


@pytest.mark.parametrize(("order", "shown"), [("best_first", "54321"), ("worst_first", "12345")])
def test_the_site_file_says_from_which_end_the_faces_stand(order: str, shown: str) -> None:
    given = settings()
    given = given.model_copy(update={"ratings": given.ratings.model_copy(update={"order": order})})
    assert levels(client(given).get("/rate/1").text) == list(shown)


def test_a_short_scale_has_its_own_faces() -> None:
    given = settings()
    given = given.model_copy(update={"ratings": given.ratings.model_copy(update={"levels": 3, "satisfied_from": 3})})
    page = client(given).get("/rate/1").text
    assert levels(page) == ["3", "2", "1"]
    assert re.findall(r"face mouth-(\d)", page) == ["4", "3", "2"]


def test_a_browser_at_an_unknown_counter_is_told_which_there_are() -> None:
    answer = client().get("/rate/9", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "Không có quầy này" in answer.text
    assert 'href="/rate/1"' in answer.text


@pytest.mark.parametrize("accept", ["application/json", "application/problem+json", "*/*", None])
def test_a_program_at_an_unknown_counter_gets_a_problem(accept: str | None) -> None:
    answer = client().get("/rate/9", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert answer.get_json(force=True)["code"] == "unknown_counter"


def test_what_stands_in_an_address_is_no_html() -> None:
    page = client().get("/rate/<b>9</b>", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "<b>9" not in page.text


def test_the_page_has_neither_a_stream_nor_a_figure() -> None:
    page = client().get("/rate/1").text
    assert "stream" not in page
    assert "n =" not in page
