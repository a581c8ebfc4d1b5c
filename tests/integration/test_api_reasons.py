"""Why a device does not work: whatever the sources can say, the English page says in English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_node import FakeNode

from firmware_py.core.journal import writer
from local_api.app import create_app
from local_api.reasons import REASONS, reason_words

ROOT = Path(__file__).parents[2]
SOURCES = [*(ROOT / "devices").glob("*.py"), *(ROOT / "devices" / "wires").glob("*.py"), Path(writer.__file__)]
VIETNAMESE = re.compile(r"[ăâđêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ]", re.IGNORECASE)
#: Texts that are no reason: a self test's, and what ends a command that came too late.
OTHERS = ("bị kẹt", "bị rung liên tục", "nút ", "Tạm ngắt: ", "Hoạt động bình thường", "Nhật ký đã đóng")


def texts(path: Path) -> Iterator[str]:
    """Every Vietnamese text in a source; what is put in at run time is `X`."""
    tree = ast.parse(path.read_text())
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = ""
        if isinstance(node, ast.JoinedStr):
            text = "".join(part.value if isinstance(part, ast.Constant) else "X" for part in node.values)  # type: ignore[misc]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts | docs:
            text = node.value
        if VIETNAMESE.search(text):
            yield text


FOUND = [(path, text) for path in SOURCES for text in texts(path) if not text.startswith(OTHERS)]


def test_the_search_finds_the_sources_words() -> None:
    assert len(FOUND) > 15


@pytest.mark.parametrize(("path", "text"), FOUND, ids=lambda part: part.name if isinstance(part, Path) else part[:24])
def test_every_reason_in_the_sources_is_known(path: Path, text: str) -> None:
    """As a whole, or as the part of one that is put together from several."""
    pieces = [piece for piece in text.split("X") if VIETNAMESE.search(piece)]
    assert any(all(piece.strip() in template for piece in pieces) for template in REASONS), f"{path.name}: {text}"


@pytest.mark.parametrize("template", REASONS)
def test_a_reason_has_its_english_with_what_was_put_in(template: str) -> None:
    told = re.sub(r"\{\w+\}", "7", template)
    app = create_app(FakeNode())
    with app.test_request_context("/"):
        assert reason_words(told) == (told, True)
    with app.test_request_context("/?lang=en"):
        english, translated = reason_words(told)
    assert translated
    assert not VIETNAMESE.search(english)
    assert english.count("7") == told.count("7")


def test_a_reason_that_nobody_knows_stays_as_it_was_told() -> None:
    with create_app(FakeNode()).test_request_context("/?lang=en"):
        assert reason_words("Hỏng theo cách mới.") == ("Hỏng theo cách mới.", False)
