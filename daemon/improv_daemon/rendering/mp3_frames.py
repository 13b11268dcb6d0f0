"""The frames of an MP3 stream, and the one that tells players about the others.

An encoder's plain stream tells neither its length nor where in it a time is: of one with a varying bit rate
players would guess both, wrongly. The first frame, of silence to those who do not know better, holds them
(the "Xing" tag), and how much the encoder padded at either end (LAME's extension of it).
"""

from __future__ import annotations

import struct
from array import array
from typing import Final

import numpy as np

_RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_KBPS_1: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBPS_2: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_HEADER: Final = 4
_TAG: Final = 156
_ENTRIES: Final = 100
_HAS_ALL: Final = 0b1111
_ENCODER: Final = b"LAME3.100"
_CONSTANT, _VARYING = 1, 4

SAMPLE_RATES: Final = tuple(sorted(rate for rates in _RATES.values() for rate in rates))
"""All that an MP3 can have."""
ENCODER_DELAY: Final = 576
"""So many samples of silence LAME puts in front."""


class Mp3Stream:
    """Counts the frames of a stream as an encoder gives it, in pieces of any size.

    Args:
        varying: Whether the bit rate varies.
    """

    def __init__(self, *, varying: bool) -> None:
        self._varying = varying
        self._sizes = array("H")
        self._rest = b""
        self._skip = 0
        self._first = b""

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(self._sizes)

    @property
    def has_begun(self) -> bool:
        """Whether the first frame's header is known, without which there is no tag."""
        return bool(self._first)

    @property
    def samples_in_frame(self) -> int:
        """How many samples a frame holds."""
        return 1152 if _is_mpeg_1(self._first) else 576

    def add(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self._rest += data
        at = self._skip
        while at + _HEADER <= len(self._rest):
            header = self._rest[at : at + _HEADER]
            self._first = self._first or header
            size = _frame_size(header)
            self._sizes.append(size)
            at += size
        kept = min(at, len(self._rest))
        self._rest, self._skip = self._rest[kept:], at - kept

    def tag(self, samples: int | None) -> bytes:
        """The frame to put before all others; of the same size at any time.

        Args:
            samples: How many of the stream are sound; None while that is not known.
        """
        header = _tag_header(self._first)
        size = _frame_size(header)
        stream = int(np.frombuffer(self._sizes, np.uint16).sum(dtype=np.int64)) + size
        name = b"Xing" if self._varying else b"Info"
        tag = header + bytes(_side_information(self._first)) + name
        tag += struct.pack(">III", _HAS_ALL, self.frames, stream)
        tag += self._entries(stream, size) + bytes(4)
        tag += _ENCODER + bytes([_VARYING if self._varying else _CONSTANT]) + bytes(11)
        tag += self._padding(samples) + bytes(4) + struct.pack(">IH", stream, 0)
        return (tag + struct.pack(">H", _crc(tag))).ljust(size, b"\x00")

    def _entries(self, stream: int, size: int) -> bytes:
        """Where each hundredth of the time begins, in 256ths of the bytes."""
        begins = np.concatenate([[0], np.cumsum(np.frombuffer(self._sizes, np.uint16), dtype=np.int64)])
        places = np.arange(_ENTRIES) * self.frames // _ENTRIES
        return bytes(np.minimum((begins[places] + size) * 256 // stream, 255).astype(np.uint8))

    def _padding(self, samples: int | None) -> bytes:
        padding = 0
        if samples is not None:
            padding = self.frames * self.samples_in_frame - ENCODER_DELAY - samples
        padding = max(0, min(0xFFF, padding))
        return (ENCODER_DELAY << 12 | padding).to_bytes(3, "big")


def _is_mpeg_1(header: bytes) -> bool:
    return header[1] >> 3 & 3 == 3


def _side_information(header: bytes) -> int:
    """Its size in a frame of two channels."""
    return 32 if _is_mpeg_1(header) else 17


def _frame_size(header: bytes) -> int:
    rate = _RATES[header[1] >> 3 & 3][header[2] >> 2 & 3]
    mpeg_1 = _is_mpeg_1(header)
    kbps = (_KBPS_1 if mpeg_1 else _KBPS_2)[header[2] >> 4]
    return (144_000 if mpeg_1 else 72_000) * kbps // rate + (header[2] >> 1 & 1)


def _tag_header(first: bytes) -> bytes:
    """Like another frame's, of the lowest bit rate at which the tag has room."""
    room = _HEADER + _side_information(first) + _TAG
    for place in range(1, len(_KBPS_1)):
        header = bytes([0xFF, first[1] | 1, place << 4 | first[2] & 0b1100, first[3]])
        if _frame_size(header) >= room:
            return header
    raise AssertionError("every sample rate has a bit rate with room")


def _crc(data: bytes) -> int:
    """CRC-16 with the polynomial 0x8005, lowest bit first, as the tag's end wants it."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc
