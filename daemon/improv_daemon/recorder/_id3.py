"""A small ID3v2.4 header: what a music player shows of a recorded session."""

from __future__ import annotations

from datetime import datetime

_UTF8 = b"\x03"


def header(*, title: str, artist: str, recorded_at: datetime | None) -> bytes:
    """The bytes to put before the first MP3 frame."""
    frames = _text("TIT2", title) + _text("TPE1", artist)
    if recorded_at is not None:
        frames += _text("TDRC", recorded_at.replace(tzinfo=None).isoformat(timespec="seconds"))
    return b"ID3\x04\x00\x00" + _synchsafe(len(frames)) + frames


def _text(frame: str, text: str) -> bytes:
    body = _UTF8 + text.encode()
    return frame.encode() + _synchsafe(len(body)) + b"\x00\x00" + body


def _synchsafe(number: int) -> bytes:
    """Four bytes of seven bits each."""
    return bytes((number >> shift) & 0x7F for shift in (21, 14, 7, 0))
