"""Both packages that speak to people: every Vietnamese text has its English, and the compiled catalogue is fresh."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from firmware_py import look

ROOT = Path(__file__).parents[2]
PACKAGES = ("local_api", "sync/receiver")
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]

of_each_package = pytest.mark.parametrize("package", PACKAGES)
TEMPLATES = [page for package in PACKAGES for page in sorted((ROOT / package / "templates").glob("*.html"))]


def english(package: str, kind: str) -> Path:
    return ROOT / package / "translations" / "en" / "LC_MESSAGES" / f"messages.{kind}"


@lru_cache
def catalog_of(package: str) -> Catalog:
    with english(package, "po").open("rb") as file:
        return read_po(file, locale="en")


@lru_cache
def texts_in_the_code(package: str) -> frozenset[str]:
    keywords = DEFAULT_KEYWORDS | {"lazy_gettext": None, "mark": None}
    found = extract_from_dir(str(ROOT / package), METHODS, keywords=keywords)
    return frozenset(message[0] if isinstance(message, tuple) else message for _, _, message, _, _ in found)


@of_each_package
def test_every_text_has_its_english(package: str) -> None:
    texts = texts_in_the_code(package)
    assert len(texts) > 60  # the extraction itself works
    for text in texts:
        message = catalog_of(package).get(text)
        assert message is not None, f"untranslated: {text}"
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(forms), f"untranslated: {text}"
        assert not message.fuzzy, f"not looked at: {text}"


@of_each_package
def test_no_english_is_left_over_from_texts_that_are_gone(package: str) -> None:
    messages = [message for message in catalog_of(package) if message.id]
    kept = {message.id[0] if isinstance(message.id, tuple) else message.id for message in messages}
    assert kept <= texts_in_the_code(package)


@of_each_package
def test_the_names_in_a_text_are_the_same_in_english(package: str) -> None:
    for message in catalog_of(package):
        assert not list(message.check(catalog_of(package))), message.id


def texts_of(catalog: Catalog) -> set[tuple[str, ...]]:
    pairs = [(message.id, message.string) for message in catalog if message.id]
    return {tuple(part for side in pair for part in ([side] if isinstance(side, str) else side)) for pair in pairs}


@of_each_package
def test_the_compiled_catalogue_is_fresh(package: str) -> None:
    with english(package, "mo").open("rb") as file:
        compiled = read_mo(file)
    assert texts_of(compiled) == texts_of(catalog_of(package)), (
        f"run pybabel compile, see {package}/translations/README.md"
    )


def words_written_in(template: Path) -> set[str]:
    """What stands in a template between its tags, its expressions and its statements."""
    text = re.sub(r"{% block body_class %}.*?{% endblock %}", "", template.read_text(), flags=re.DOTALL)  # attributes
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", " ", text, flags=re.DOTALL)
    return set(re.findall(r"[^\W\d]{2,}", text))


@pytest.mark.parametrize("template", sorted(look.TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_the_look_has_no_words_of_its_own(template: Path) -> None:
    """They would stand in one language only: words belong to the application that includes the template."""
    assert not words_written_in(template)
    assert not list(extract_from_dir(str(look.TEMPLATES), [("**.html", "jinja2")]))


@pytest.mark.parametrize("page", TEMPLATES, ids=lambda path: path.name)
def test_a_page_has_no_word_that_nobody_translated(page: Path) -> None:
    assert words_written_in(page) <= {"Nụ", "Cười", "Tiếng", "Việt", "English"}
