"""The frames between the node and a serial rating panel, as bytes: pure, no line and no clock.

`docs/panel-serial-protocol.md` is the specification; it is written for whoever builds a panel. A frame is a line of text
that a technician can read on any terminal:

    :  address  type  payload  CRC-16/XMODEM  CR LF        (all but the colon and the line end in upper-case hex)
"""

from __future__ import annotations

import re
import struct
from binascii import crc_hqx
from dataclasses import dataclass, field
from enum import IntEnum

POLL = 0x01
STATUS = 0x81
LARGEST_PAYLOAD_BYTES = 32
#: An interrupted frame is dropped beyond this length, so that a screaming line costs no memory.
LONGEST_FRAME_BYTES = 1 + 2 * (1 + 1 + LARGEST_PAYLOAD_BYTES + 2) + 2
LARGEST_AGE_MS = 0xFFFF_FFFF

_POLL_PAYLOAD = struct.Struct(">BII")
_STATUS_PAYLOAD = struct.Struct(">IBBIBI")
_SHORTEST_BODY_BYTES = 1 + 1 + 2
_HEX_PAIRS = re.compile(rb"(?:[0-9A-F]{2})+")


class LightCode(IntEnum):
    """What a panel shows, as the node asks for it."""

    OFF = 0
    READY = 1
    THANKS = 2
    UNAVAILABLE = 3


class FrameError(ValueError):
    """Bytes that are no frame, or a frame whose payload says nothing this version understands."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One intact frame: who is spoken to (or speaks), what kind of message, and its payload."""

    address: int
    type: int
    payload: bytes

    def encode(self) -> bytes:
        """The frame's bytes on the line."""
        body = bytes((self.address, self.type)) + self.payload
        return b":" + (body + crc_hqx(body, 0).to_bytes(2, "big")).hex().upper().encode() + b"\r\n"


@dataclass(frozen=True, slots=True)
class Press:
    """A press by its identity (`nonce`, `sequence`), so that it counts once however often it is told."""

    nonce: int
    sequence: int
    level: int
    age_ms: int  # how long ago the finger closed the contact, when the frame was made


@dataclass(frozen=True, slots=True)
class Poll:
    """Node to panel: the light to show, and the newest press that is durable (nonce 0, sequence 0: none yet)."""

    light: LightCode
    acked_nonce: int = 0
    acked_sequence: int = 0

    def frame(self, address: int) -> Frame:
        """As a frame to a panel."""
        return Frame(address, POLL, _POLL_PAYLOAD.pack(self.light, self.acked_nonce, self.acked_sequence))


@dataclass(frozen=True, slots=True)
class PanelStatus:
    """Panel to node: since when it runs (nonce), what is held down, and its oldest unacknowledged press."""

    nonce: int
    held: frozenset[int]  # levels whose buttons are down now
    pending: int  # presses not acknowledged yet, the head included
    head: Press | None

    def frame(self, address: int) -> Frame:
        """As a frame from a panel."""
        mask = sum(1 << (level - 1) for level in self.held)
        sequence, level, age_ms = (self.head.sequence, self.head.level, self.head.age_ms) if self.head else (0, 0, 0)
        payload = _STATUS_PAYLOAD.pack(self.nonce, mask, self.pending, sequence, level, age_ms)
        return Frame(address, STATUS, payload)


def read_poll(frame: Frame) -> Poll:
    """The POLL in a frame.

    Raises:
        FrameError: another type, a wrong length or an unknown light.
    """
    if frame.type != POLL or len(frame.payload) != _POLL_PAYLOAD.size:
        raise FrameError(f"no POLL: type {frame.type:#04x} with {len(frame.payload)} bytes")
    light, nonce, sequence = _POLL_PAYLOAD.unpack(frame.payload)
    try:
        return Poll(LightCode(light), nonce, sequence)
    except ValueError as error:
        raise FrameError(f"unknown light {light}") from error


def read_status(frame: Frame) -> PanelStatus:
    """The STATUS in a frame.

    Raises:
        FrameError: another type, a wrong length, or nonce 0, which would make presses of two boots look alike.
    """
    if frame.type != STATUS or len(frame.payload) != _STATUS_PAYLOAD.size:
        raise FrameError(f"no STATUS: type {frame.type:#04x} with {len(frame.payload)} bytes")
    nonce, mask, pending, sequence, level, age_ms = _STATUS_PAYLOAD.unpack(frame.payload)
    if nonce == 0:
        raise FrameError("boot nonce 0 is reserved")
    head = Press(nonce, sequence, level, age_ms) if sequence else None
    return PanelStatus(nonce, frozenset(bit + 1 for bit in range(8) if mask >> bit & 1), pending, head)


def decode(line: bytes) -> Frame:
    """The frame in `:...CRLF`.

    Raises:
        FrameError: it is not one, with the reason for the technician who reads the log.
    """
    if not (line.startswith(b":") and line.endswith(b"\r\n")):
        raise FrameError("no colon at the start or no CR LF at the end")
    digits = line[1:-2]
    if not _HEX_PAIRS.fullmatch(digits):
        raise FrameError("not pairs of upper-case hexadecimal digits")
    body = bytes.fromhex(digits.decode())
    if not _SHORTEST_BODY_BYTES <= len(body) <= _SHORTEST_BODY_BYTES + LARGEST_PAYLOAD_BYTES:
        raise FrameError(f"{len(body)} bytes are no frame")
    if crc_hqx(body[:-2], 0) != int.from_bytes(body[-2:], "big"):
        raise FrameError("wrong checksum")
    return Frame(body[0], body[1], body[2:-2])


@dataclass(slots=True)
class FrameParser:
    """Frames out of a stream of bytes that may hold anything: garbage, halves, several at once.

    A colon always starts anew (it cannot occur inside a frame), so whatever came before, an unbroken frame is found.
    """

    damaged: int = 0  # what began like a frame and was none
    noise_bytes: int = 0  # what stood between frames
    _line: bytearray | None = field(default=None, repr=False)

    def feed(self, data: bytes) -> list[tuple[Frame, bytes]]:
        """The frames completed by `data`, each with its bytes as they were on the line."""
        found: list[tuple[Frame, bytes]] = []
        for value in data:
            if value == ord(":"):
                self.damaged += self._line is not None
                self._line = bytearray(b":")
            elif self._line is None:
                self.noise_bytes += 1
            else:
                self._line.append(value)
                if value == ord("\n"):
                    self._complete(found)
                elif len(self._line) >= LONGEST_FRAME_BYTES:
                    self.damaged += 1
                    self._line = None
        return found

    def _complete(self, found: list[tuple[Frame, bytes]]) -> None:
        line, self._line = bytes(self._line or b""), None
        try:
            found.append((decode(line), line))
        except FrameError:
            self.damaged += 1
