"""The pages' texts: every Vietnamese one has its English, the compiled catalog is fresh, and the words are right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from fake_node import FakeNode, event
from flask import Flask

from firmware_py import look
from firmware_py.core.contracts import STREAMED_FIELDS
from firmware_py.core.ports import OutboxFigures
from firmware_py.features.ratings.rules import Reason
from firmware_py.look.faces import MOUTHS
from local_api import words
from local_api.app import create_app
from local_api.faces import faces
from sync.receiver.page import TEXTS, Language

PACKAGE = Path(__file__).parents[2] / "local_api"
ENGLISH = PACKAGE / "translations" / "en" / "LC_MESSAGES"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
METHODS_OF_LOOK = [("**.html", "jinja2")]
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    with (ENGLISH / "messages.po").open("rb") as file:
        return read_po(file, locale="en")


@pytest.fixture
def app() -> Flask:
    return create_app(FakeNode())


def texts_in_the_code() -> set[str]:
    keywords = DEFAULT_KEYWORDS | {"lazy_gettext": None, "mark": None}
    found = [
        message
        for folder in (PACKAGE, look.TEMPLATES)  # the look has no words; one that it got would need its English too
        for message in extract_from_dir(
            str(folder), METHODS_OF_LOOK if folder == look.TEMPLATES else METHODS, keywords=keywords
        )
    ]
    return {message[0] if isinstance(message, tuple) else message for _, _, message, _, _ in found}


def test_every_text_has_its_english(catalog: Catalog) -> None:
    texts = texts_in_the_code()
    assert len(texts) > 60  # the extraction itself works
    for text in texts:
        message = catalog.get(text)
        assert message is not None, f"untranslated: {text}"
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(forms), f"untranslated: {text}"
        assert not message.fuzzy, f"not looked at: {text}"


def test_no_english_is_left_over_from_texts_that_are_gone(catalog: Catalog) -> None:
    kept = {message.id[0] if isinstance(message.id, tuple) else message.id for message in catalog if message.id}
    assert kept <= texts_in_the_code()


def test_the_names_in_a_text_are_the_same_in_english(catalog: Catalog) -> None:
    for message in catalog:
        assert not list(message.check(catalog)), message.id


def texts_of(catalog: Catalog) -> set[tuple[str, ...]]:
    pairs = [(message.id, message.string) for message in catalog if message.id]
    return {tuple(part for side in pair for part in ([side] if isinstance(side, str) else side)) for pair in pairs}


def test_the_compiled_catalog_is_fresh(catalog: Catalog) -> None:
    with (ENGLISH / "messages.mo").open("rb") as file:
        compiled = read_mo(file)
    assert texts_of(compiled) == texts_of(catalog), "run pybabel compile, see local_api/translations/README.md"


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
    app: Flask, reason: str, language: Language
) -> None:
    with app.test_request_context(f"/?lang={language}"):
        told = words.excluded_words(reason, 2)
    assert reason not in told
    assert TEXTS[language][reason] in told


def words_written_in(template: Path) -> set[str]:
    """What stands in a template between its tags, its expressions and its statements."""
    text = re.sub(r"{% block body_class %}.*?{% endblock %}", "", template.read_text(), flags=re.DOTALL)  # attributes
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", " ", text, flags=re.DOTALL)
    return set(re.findall(r"[^\W\d]{2,}", text))


@pytest.mark.parametrize("template", sorted(look.TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_the_look_has_no_words_of_its_own(template: Path) -> None:
    """They would stand in one language only: words belong to the application that includes the template."""
    assert not words_written_in(template)


@pytest.mark.parametrize("page", sorted((PACKAGE / "templates").glob("*.html")), ids=lambda path: path.name)
def test_a_page_has_no_word_that_nobody_translated(page: Path) -> None:
    assert words_written_in(page) <= {"Nụ", "Cười", "Tiếng", "Việt", "English"}
