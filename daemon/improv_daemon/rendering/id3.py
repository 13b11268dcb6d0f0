"""A small ID3v2.4 header: what a music player shows of an MP3."""

from __future__ import annotations

from improv_daemon.rendering.options import Tags

SOFTWARE = "improv"

_UTF8 = b"\x03"
_ANY_LANGUAGE = b"und"


def header(tags: Tags) -> bytes:
    """The bytes to put before the first MP3 frame."""
    frames = b"".join(
        _frame(name, text.encode())
        for name, text in (
            ("TIT2", tags.title),
            ("TPE1", tags.artist),
            ("TDRC", tags.date_text),
            ("TSSE", SOFTWARE),
        )
        if text
    )
    if tags.comment:
        frames += _frame("COMM", _ANY_LANGUAGE + b"\x00" + tags.comment.encode())
    return b"ID3\x04\x00\x00" + _synchsafe(len(frames)) + frames


def _frame(name: str, text: bytes) -> bytes:
    body = _UTF8 + text
    return name.encode() + _synchsafe(len(body)) + b"\x00\x00" + body


def _synchsafe(number: int) -> bytes:
    """Four bytes of seven bits each."""
    return bytes((number >> shift) & 0x7F for shift in (21, 14, 7, 0))
