"""What may be left out of a MIDI file."""

from __future__ import annotations

import struct

import pytest

from improv_core.midi_chunks import count_of_tracks, readable, tracks_alone


def chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack(">L", len(content)) + content


HEADER = chunk(b"MThd", struct.pack(">HHH", 1, 2, 96))
ONE, OTHER = chunk(b"MTrk", b"one"), chunk(b"MTrk", b"other")


def test_a_plain_file_stays_as_it_is() -> None:
    assert tracks_alone(HEADER + ONE + OTHER) == HEADER + ONE + OTHER


def test_chunks_of_other_kinds_go() -> None:
    assert (
        tracks_alone(HEADER + chunk(b"XFKM", b"text") + ONE + chunk(b"abcd", b"") + OTHER)
        == HEADER + ONE + OTHER
    )


@pytest.mark.parametrize(
    "rest", [b"MT", b"MTrk\x00\x00\x00\x09short", b"XFKM\x00\x00\x01\x00", b"\x00\x01\x02\x03" * 3]
)
def test_what_is_no_whole_chunk_stays(rest: bytes) -> None:
    assert tracks_alone(HEADER + ONE + rest) == HEADER + ONE + rest


def test_the_header_tells_how_many_tracks_there_are() -> None:
    assert count_of_tracks(HEADER) == 2
    assert count_of_tracks(b"MThd") == 0


@pytest.mark.parametrize("name", ["Überpad", "Ключ", "plain", ""])
def test_names_may_be_utf_8(name: str) -> None:
    assert readable(name.encode().decode("latin-1")) == name


def test_names_that_are_no_utf_8_stay() -> None:
    assert readable("Überpad") == "Überpad"
