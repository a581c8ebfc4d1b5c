from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.panel_frames import (
    LARGEST_PAYLOAD_BYTES,
    LONGEST_FRAME_BYTES,
    Frame,
    FrameError,
    FrameParser,
    LightCode,
    PanelStatus,
    Poll,
    Press,
    decode,
    read_poll,
    read_status,
)

words = st.integers(0, 2**32 - 1)
frames = st.builds(Frame, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=LARGEST_PAYLOAD_BYTES))
# Garbage never holds a whole frame by itself: it has no line feed. It may hold colons, hex digits and carriage returns.
garbage = st.binary(max_size=200).map(lambda data: data.replace(b"\n", b"\r"))


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@settings(deadline=None)
@given(st.lists(st.tuples(garbage, frames), max_size=6), garbage, st.lists(st.integers(0, 5000), max_size=20))
def test_every_unbroken_frame_is_found_in_order_whatever_stands_between_and_however_it_is_split(pairs, tail, cuts):
    """Unbroken: its bytes follow each other. What comes before may even be the start of another frame."""
    stream = b"".join(noise + frame.encode() for noise, frame in pairs) + tail
    parser = FrameParser()
    found = [frame for part in split(stream, cuts) for frame, _ in parser.feed(part)]
    assert found == [frame for _, frame in pairs]


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_anything_at_all_is_parsed_without_error_and_with_little_memory(data):
    parser = FrameParser()
    parser.feed(data)
    assert len(parser._line or b"") < LONGEST_FRAME_BYTES


@settings(deadline=None)
@given(frames, st.data())
def test_a_frame_with_one_changed_byte_is_never_taken_for_another(frame, data):
    line = bytearray(frame.encode())
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] = data.draw(st.integers(0, 255).filter(lambda value: value != line[at]))
    assert [found for found, _ in FrameParser().feed(bytes(line))] == []


def test_what_was_damaged_or_noise_is_counted():
    good = Poll(LightCode.READY).frame(3).encode()
    wrong_checksum = good[:-3] + (b"0" if good[-3:-2] != b"0" else b"1") + b"\r\n"
    parser = FrameParser()
    found = parser.feed(b"noise" + wrong_checksum + good[:7] + good + b":" + b"A" * 200 + good.lower() + good)
    assert [frame for frame, _ in found] == [Poll(LightCode.READY).frame(3)] * 2
    # The wrong checksum, the interrupted frame, the endless one, and the lower-case one.
    assert parser.damaged == 4
    assert parser.noise_bytes == len("noise") + 200 - (LONGEST_FRAME_BYTES - 1)


@settings(deadline=None)
@given(st.sampled_from(LightCode), words, words, st.integers(1, 247))
def test_a_poll_reads_back(light, nonce, sequence, address):
    poll = Poll(light, nonce, sequence)
    assert read_poll(decode(poll.frame(address).encode())) == poll


@settings(deadline=None)
@given(
    st.integers(1, 2**32 - 1),
    st.frozensets(st.integers(1, 8)),
    st.integers(0, 8),
    st.none() | st.tuples(st.integers(1, 2**32 - 1), st.integers(0, 255), words),
)
def test_a_status_reads_back(nonce, held, pending, head):
    status = PanelStatus(nonce, held, pending, Press(nonce, *head) if head else None)
    assert read_status(decode(status.frame(9).encode())) == status


def test_the_examples_of_the_specification_are_what_the_codec_makes():
    """With another implementation of CRC-16/XMODEM, checked against its published value."""
    assert crc_xmodem(b"123456789") == 0x31C3
    specification = Path(__file__).parents[2] / "docs/panel-serial-protocol.md"
    examples = [line.strip() for line in specification.read_text(encoding="utf-8").splitlines() if line[:5] == "    :"]
    poll = Poll(LightCode.READY, 0xE8202DDD, 1).frame(1)
    status = PanelStatus(0xE8202DDD, frozenset({4}), 1, Press(0xE8202DDD, 1, 4, 38)).frame(1)
    for frame, text in ((poll, "010101E8202DDD00000001"), (status, "0181E8202DDD0801000000010400000026")):
        line = f":{text}{crc_xmodem(bytes.fromhex(text)):04X}"
        assert frame.encode() == f"{line}\r\n".encode()
        assert line in examples


def crc_xmodem(data: bytes) -> int:
    crc = 0
    for value in data:
        crc ^= value << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


@pytest.mark.parametrize(
    "frame",
    [
        Frame(1, 0x81, bytes(14)),
        Frame(1, 0x81, bytes(16)),
        Frame(1, 0x81, bytes(15)),  # nonce 0
        Frame(1, 0x01, b"\x01" * 15),
    ],
)
def test_an_intact_frame_that_is_no_status_says_so(frame):
    with pytest.raises(FrameError):
        read_status(frame)


@pytest.mark.parametrize("frame", [Frame(1, 0x01, b"\x09" + bytes(8)), Frame(1, 0x01, b""), Frame(1, 0x81, bytes(9))])
def test_an_intact_frame_that_is_no_poll_says_so(frame):
    with pytest.raises(FrameError):
        read_poll(frame)
