"""A soundfont of one instrument, a sawtooth, wherever a test wants it."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

_RATE = 22_050
_PERIOD = 50
_KEY = 69
_SAMPLE_ID, _INSTRUMENT, _SAMPLE_MODES = 53, 41, 54


def write_soundfont(path: Path, *, bank: int, program: int) -> Path:
    """Write a soundfont with nothing but a sawtooth as this program of this bank."""
    wave = np.tile(np.linspace(-8000, 8000, _PERIOD), 40).astype("<i2")
    info = (
        _chunk("ifil", struct.pack("<HH", 2, 1))
        + _chunk("isng", b"EMU8000\0")
        + _chunk("INAM", b"small\0\0\0")
    )
    samples = _chunk("smpl", wave.tobytes() + bytes(2 * 46))
    body = (
        b"sfbk"
        + _list("INFO", info)
        + _list("sdta", samples)
        + _list("pdta", _presets(bank, program, len(wave)))
    )
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def _presets(bank: int, program: int, frames: int) -> bytes:
    def preset(name: bytes, number: int, in_bank: int, bag: int) -> bytes:
        return struct.pack("<20sHHHIII", name, number, in_bank, bag, 0, 0, 0)

    def sample(name: bytes, end: int) -> bytes:
        loop = (_PERIOD, end - _PERIOD) if end else (0, 0)
        return struct.pack("<20sIIIIIBbHH", name, 0, end, *loop, _RATE, _KEY, 0, 0, 1 if end else 0)

    bags = struct.pack("<HHHH", 0, 0, 1, 0)
    modulators = bytes(10)
    of_preset = struct.pack("<HHHH", _INSTRUMENT, 0, 0, 0)
    of_instrument = struct.pack("<HHHHHH", _SAMPLE_MODES, 1, _SAMPLE_ID, 0, 0, 0)
    return b"".join(
        (
            _chunk("phdr", preset(b"saw", program, bank, 0) + preset(b"EOP", 0, 0, 1)),
            _chunk("pbag", bags),
            _chunk("pmod", modulators),
            _chunk("pgen", of_preset),
            _chunk("inst", struct.pack("<20sH20sH", b"saw", 0, b"EOI", 1)),
            _chunk("ibag", struct.pack("<HHHH", 0, 0, 2, 0)),
            _chunk("imod", modulators),
            _chunk("igen", of_instrument),
            _chunk("shdr", sample(b"saw", frames) + sample(b"EOS", 0)),
        )
    )


def _chunk(name: str, data: bytes) -> bytes:
    return name.encode() + struct.pack("<I", len(data)) + data


def _list(name: str, data: bytes) -> bytes:
    return _chunk("LIST", name.encode() + data)
