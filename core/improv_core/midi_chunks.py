"""The outer shape of a MIDI file: what a reader may leave out of it."""

from __future__ import annotations

from typing import Final

LARGEST_FILE: Final = 32 << 20
"""Bytes. Ten hours of dense playing are some three million."""

MOST_TRACKS: Final = 32_767

_HEADER, _TRACK = b"MThd", b"MTrk"
_OUTSIDE: Final = 8


def tracks_alone(data: bytes) -> bytes:
    """A file without chunks of other kinds: readers are to skip what they do not know.

    What is no whole chunk stays as it is, for a reader to complain of.
    """
    kept, at = list[bytes](), 0
    while at < len(data):
        kind, end = data[at : at + 4], at + _OUTSIDE + int.from_bytes(data[at + 4 : at + _OUTSIDE], "big")
        if end > len(data) or not kind.isalnum():
            return b"".join([*kept, data[at:]])
        if kind in (_HEADER, _TRACK):
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def count_of_tracks(data: bytes) -> int:
    """As many as the header tells."""
    return int.from_bytes(data[10:12], "big")


def readable(name: str) -> str:
    """A name that was read as Latin-1 and may have been written as UTF-8."""
    try:
        return name.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return name
