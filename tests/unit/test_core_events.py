"""Events: canonical texts, the chain's links, ids."""

import hashlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_py.core.events import canonical_json, chain_hash, uuid7

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = (1, "id", "rating.given", "panel-1", "2026-11-23T01:00:00.000Z", "boot", 1.5, 1, "e", 0, "normal", "{}")


@given(JSON)
def test_canonical_json_keeps_the_value_and_depends_on_it_alone(value):
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


def test_canonical_json_does_not_depend_on_the_order_in_which_keys_were_given():
    assert canonical_json({"b": 1, "a": "Quầy"}) == canonical_json({"a": "Quầy", "b": 1}) == '{"a":"Quầy","b":1}'


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_an_error_and_no_text(value):
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"x": value})


def test_chain_hash_is_the_sha256_of_the_previous_hash_and_the_fields_in_order():
    """Fixed: journals in the field were written with it."""
    text = (
        f'["{"0" * 64}",1,"id","rating.given","panel-1","2026-11-23T01:00:00.000Z","boot",1.5,1,"e",0,"normal","{{}}"]'
    )
    assert chain_hash("0" * 64, FIELDS) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("changed", range(len(FIELDS)))
def test_chain_hash_changes_with_each_field(changed):
    other = list(FIELDS)
    other[changed] = 7 if isinstance(FIELDS[changed], int | float) else FIELDS[changed] + "x"
    assert chain_hash("a", FIELDS) != chain_hash("a", tuple(other))


def test_chain_hash_changes_with_the_hash_before():
    assert chain_hash("a", FIELDS) != chain_hash("b", FIELDS)


def test_chain_hash_cannot_be_fooled_by_moving_text_between_neighbouring_fields():
    assert chain_hash("a", ("bc", "d")) != chain_hash("a", ("b", "cd"))
    assert chain_hash("ab", ("c",)) != chain_hash("a", ("bc",))


def test_uuid7_has_the_version_the_variant_and_the_time_of_rfc_9562():
    before_ms = time.time_ns() // 1_000_000
    ids = [uuid7() for _ in range(500)]
    after_ms = time.time_ns() // 1_000_000
    for id_ in ids:
        assert [len(part) for part in id_.split("-")] == [8, 4, 4, 4, 12]
        bits = int(id_.replace("-", ""), 16)
        assert bits >> 76 & 0xF == 7
        assert bits >> 62 & 0b11 == 0b10
        assert before_ms <= bits >> 80 <= after_ms
    assert len(set(ids)) == len(ids)


def test_uuid7_random_bits_take_every_value():
    """All 74 of them: an id made of a too short random source would meet another one some day."""
    ones = zeros = 0
    for _ in range(400):
        bits = int(uuid7().replace("-", ""), 16)
        ones |= bits
        zeros |= ~bits
    random_bits = (1 << 62) - 1 | 0xFFF << 64
    assert ones & zeros & random_bits == random_bits
