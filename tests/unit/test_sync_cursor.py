"""A puller's place: whatever text comes, it is a place, the beginning, or refused; nothing else."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_py.core.errors import BadCursor
from sync.cursor import HASH_LENGTH, MAX_LENGTH, MAX_SEQ, Place, place_of, text_of

HERE = Place("a-journal", 3, 5, "0123456789abcdef")
numbers = st.integers(0, MAX_SEQ)


def cursor(**changes):
    content = {"v": 1, "journal": "j", "after": 3, "seq": 5, "hash": "ab", **changes}
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


@given(st.text(max_size=40), numbers, numbers, st.text("0123456789abcdef", max_size=64))
def test_a_place_survives_its_text(journal, a, b, hash_):
    place = Place(journal, min(a, b), max(a, b), hash_)
    text = text_of(place)
    assert text.isascii()
    assert "=" not in text
    if len(text) <= MAX_LENGTH:
        assert place_of(text) == Place(journal, min(a, b), max(a, b), hash_[:HASH_LENGTH])


def test_nothing_is_the_beginning():
    assert place_of("") is None


def test_a_newer_versions_cursor_is_the_beginning_and_no_error():
    """A node that was set back to an older version must not lock its pullers out."""
    assert place_of(cursor(v=2, journal=None, elsewhere=7)) is None


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "!!!!",
        "Đây",
        "MTIz",  # 123
        "bnVsbA",  # null
        "W10",  # []
        "e30",  # {}
        "/" * 8,
        "A" * (MAX_LENGTH + 1),
        cursor(v=True),
        cursor(v="1"),
        cursor(v=0),
        cursor(after=-1),
        cursor(after=6),
        cursor(after=3.0),
        cursor(after=True),
        cursor(seq=None),
        cursor(seq=MAX_SEQ + 1),
        cursor(journal=None),
        cursor(hash=7),
        base64.urlsafe_b64encode(b"[" * 380).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_what_no_node_has_answered_is_refused(text):
    with pytest.raises(BadCursor, match="give back `next`"):
        place_of(text)


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_no_text_breaks_it(text):
    try:
        place = place_of(text)
    except BadCursor:
        return
    assert place is None or place_of(text_of(place)) == place


def test_a_cursor_says_nothing_that_a_puller_need_read():
    """Opaque, but no secret either: a journal's id, two numbers and a part of a hash that the city gets anyway."""
    padded = text_of(HERE) + "=" * (-len(text_of(HERE)) % 4)
    assert json.loads(base64.urlsafe_b64decode(padded)) == {
        "v": 1, "journal": "a-journal", "after": 3, "seq": 5, "hash": "0123456789abcdef",
    }  # fmt: skip
