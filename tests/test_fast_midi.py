"""The fast reader and core's are to agree on whatever a file holds, in notes and in sentences."""

from __future__ import annotations

import itertools
import struct

import numpy as np
import pytest
from corpora_of_the_world import CORPUS_NAMES, members_of
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_corpora import midi_bytes

from improv_core.errors import MidiFileError
from improv_core.midi_files import parse_midi
from improv_core.notes import Performance
from improv_core.representation import encode
from improv_training.corpora.encoded import FIELDS
from improv_training.corpora.fast_midi import (
    Voice,
    read_beats,
    read_beats_slowly,
    read_plain,
    read_voices,
    read_voices_slowly,
)
from improv_training.corpora.messages import Unusual
from improv_training.corpora.rows import rows_of

END = b"\x00\xff\x2f\x00"
PEDAL_DOWN, PEDAL_UP = b"\x00\xb0\x40\x7f", b"\x00\xb0\x40\x00"


def told(data: bytes) -> list[tuple[object, ...]] | str:
    """Everything that the fast reader makes of a file."""
    try:
        return [_facts(voice) for voice in read_voices(data, "file.mid")]
    except MidiFileError as error:
        return str(error)


def told_slowly(data: bytes) -> list[tuple[object, ...]] | str:
    """Everything that core makes of it."""
    try:
        return [_facts(voice) for voice in read_voices_slowly(data, "file.mid")]
    except MidiFileError as error:
        return str(error)


def _facts(voice: Voice) -> tuple[object, ...]:
    columns = (voice.pitch, voice.velocity, voice.onset_s, voice.release_s)
    notes = sorted(zip(*(column.tolist() for column in columns), strict=True))
    pedal = list(zip(voice.pedal_s.tolist(), voice.pedal.tolist(), strict=True))
    return voice.name, voice.program, voice.channel, notes, pedal


def is_plain(data: bytes) -> bool:
    try:
        read_plain(data)
    except Unusual:
        return False
    return True


# --- whatever a file may hold ---------------------------------------------------------------------

data_byte = st.integers(0, 127)
channel = st.sampled_from([0, 1, 9])
delta = st.sampled_from([b"\x00", b"\x00", b"\x30", b"\x7f", b"\x81\x00", b"\x83\xff\x7f"])


def number(value: int) -> bytes:
    return bytes([0x80 | value >> 7, value & 0x7F]) if value > 127 else bytes([value])


note = st.builds(
    lambda kind, channel, pitch, velocity: bytes([kind | channel, pitch, velocity]),
    st.sampled_from([0x80, 0x90, 0x90]),
    channel,
    st.integers(60, 62),
    st.sampled_from([0, 1, 64, 127]),
)
pedal = st.builds(lambda channel, value: bytes([0xB0 | channel, 64, value]), channel, data_byte)
short = st.builds(
    lambda kind, channel, value: bytes([kind | channel, value]),
    st.sampled_from([0xC0, 0xD0]),
    channel,
    data_byte,
)
long = st.builds(
    lambda kind, channel, a, b: bytes([kind | channel, a, b]),
    st.sampled_from([0xA0, 0xB0, 0xE0]),
    channel,
    data_byte,
    data_byte,
)
running = st.builds(bytes, st.lists(data_byte, min_size=1, max_size=2))
meta = st.builds(
    lambda kind, data: bytes([0xFF, kind]) + number(len(data)) + data,
    st.sampled_from([0, 1, 3, 3, 8, 0x20, 0x21, 0x2F, 0x51, 0x51, 0x54, 0x58, 0x59, 0x60, 0x7F]),
    st.one_of(st.binary(max_size=6), st.binary(min_size=3, max_size=3), st.just(b"\x60\x00\x01\x02\x03")),
)
system = st.one_of(
    st.builds(lambda data: b"\xf0" + number(len(data)) + data, st.binary(max_size=4)),
    st.sampled_from([b"\xf8", b"\xf2\x01\x02", b"\xf7\x01\x05"]),
)
tame = st.builds(lambda a, b: a + b, delta, st.one_of(note, note, note, pedal, short, long))
wild = st.builds(lambda a, b: a + b, delta, st.one_of(note, note, running, short, meta, system))
tame_track = st.lists(tame, max_size=40).map(lambda events: b"".join(events) + END)
wild_track = st.lists(wild, max_size=12).map(b"".join)
division = st.sampled_from([96, 480, 1, 0, 0xE728, 0xE350, 0xE700, 0x8000])


@settings(max_examples=300)
@given(st.lists(tame_track, min_size=1, max_size=3), st.sampled_from([96, 480, 0xE728]))
def test_plain_files_are_read_as_core_reads_them_without_its_help(tracks: list[bytes], ticks: int) -> None:
    data = midi_bytes(*tracks, division=ticks)
    assert is_plain(data)
    assert told(data) == told_slowly(data)


@settings(max_examples=300)
@given(st.lists(wild_track, min_size=1, max_size=2), division)
def test_wild_files_are_read_or_refused_as_core_does(tracks: list[bytes], ticks: int) -> None:
    data = midi_bytes(*tracks, division=ticks)
    assert told(data) == told_slowly(data)


@given(st.lists(tame_track, min_size=1, max_size=2), st.data())
def test_a_file_with_a_wrong_byte_or_cut_short_is_read_or_refused_as_core_does(
    tracks: list[bytes], drawn: st.DataObject
) -> None:
    data = bytearray(midi_bytes(*tracks))
    data[drawn.draw(st.integers(0, len(data) - 1))] = drawn.draw(st.integers(0, 255))
    damaged = bytes(data[: drawn.draw(st.integers(0, len(data)))])
    assert told(damaged) == told_slowly(damaged)


tempo = st.builds(lambda a, us: a + b"\xff\x51\x03" + us.to_bytes(3), delta, st.integers(0, 2**24 - 1))
timed_track = st.lists(st.one_of(tempo, tame), max_size=12).map(lambda events: b"".join(events) + END)
timed_wild_track = st.lists(st.one_of(tempo, wild), max_size=12).map(b"".join)


@settings(max_examples=200)
@given(st.lists(st.one_of(timed_track, timed_wild_track), min_size=1, max_size=2), division)
def test_the_beats_of_a_file_are_where_mido_has_them(tracks: list[bytes], ticks: int) -> None:
    data = midi_bytes(*tracks, division=ticks)
    if not isinstance(told_slowly(data), str):
        beats, expected = read_beats(data), read_beats_slowly(data)
        assert (beats is None) == (expected is None) == (ticks not in (96, 480, 1))
        if beats is not None and expected is not None:
            assert beats.beat.tolist() == expected.beat.tolist()
            assert beats.at_s.tolist() == expected.at_s.tolist()


def test_the_beats_of_a_file_follow_every_tempo_change() -> None:
    slower = b"\x60\xff\x51\x03\x0f\x42\x40" + END  # after a beat, a second each
    for track in (slower, b"\x00\xf0\x01\xf7" + slower):  # plain, and with a system message
        beats = read_beats(midi_bytes(track))
        assert beats is not None
        assert (beats.at_s.tolist(), beats.beat.tolist()) == ([0.0, 0.5, 1.5], [0.0, 1.0, 2.0])


# --- what other readers get wrong -----------------------------------------------------------------


def rows(data: bytes) -> list[list[int]]:
    """dt_ms, pedal, pitch, velocity, duration_ms of each note; 96 ticks are half a second."""
    return rows_of(read_plain(data))[:, : len(FIELDS)].tolist()


def test_a_note_of_no_length_keeps_its_place_and_lasts_a_millisecond() -> None:
    track = b"\x00\x90\x3c\x40\x00\x80\x3c\x40\x60\x90\x3e\x40\x60\x80\x3e\x40" + END
    assert rows(midi_bytes(track)) == [[0, 0, 60, 64, 1], [500, 0, 62, 64, 500]]


def test_a_note_that_is_never_released_lasts_to_the_end_of_its_track() -> None:
    assert rows(midi_bytes(b"\x00\x90\x3c\x40\x60\xff\x2f\x00")) == [[0, 0, 60, 64, 500]]


def test_overlapping_notes_of_one_pitch_end_in_the_order_in_which_they_begin() -> None:
    track = b"\x00\x90\x3c\x40\x60\x90\x3c\x50\x60\x80\x3c\x40\x60\x80\x3c\x40" + END
    (voice,) = read_plain(midi_bytes(track))
    assert sorted(zip(voice.onset_s, voice.release_s, strict=True)) == [(0.0, 1.0), (0.5, 1.5)]


def test_messages_without_a_status_repeat_the_last_one_with_one_data_byte_or_two() -> None:
    track = b"\x00\xc0\x05\x00\x06\x00\x90\x3c\x40\x60\x3c\x00" + END
    (voice,) = read_plain(midi_bytes(track))
    assert (voice.program, voice.release_s.tolist()) == (6, [0.5])


def test_the_pedal_counts_from_the_moment_of_an_onset() -> None:
    notes = b"\x00\x90\x3c\x40\x60\x80\x3c\x40"
    assert [row[1] for row in rows(midi_bytes(PEDAL_DOWN + notes + PEDAL_UP + notes + END))] == [1, 0]


def test_a_tempo_change_on_the_last_track_counts_for_all() -> None:
    notes, tempo = b"\x60\x90\x3c\x40\x60\x80\x3c\x40" + END, b"\x60\xff\x51\x03\x0f\x42\x40" + END
    (voice,) = read_plain(midi_bytes(notes, tempo))
    assert (voice.onset_s.tolist(), voice.release_s.tolist()) == ([0.5], [1.5])


def test_ticks_of_film_frames_are_seconds_whatever_the_tempo() -> None:
    track = b"\x00\xff\x51\x03\x0f\x42\x40\x00\x90\x3c\x40\x87\x68\x80\x3c\x40" + END  # 1000 ticks
    (voice,) = read_plain(midi_bytes(track, division=0xE728))  # 25 frames of 40 ticks
    assert voice.release_s.tolist() == [1.0]


def test_what_holds_no_track_holds_no_voice() -> None:
    assert read_voices(midi_bytes(), "file.mid") == []


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "file.mid is empty."),
        (b"noise", "file.mid is not a MIDI file."),
        (
            b"MThd\x00\x00\x00\x06\x00\x01",
            "file.mid is damaged and cannot be read as MIDI (it ends too early).",
        ),
        (
            b"MThd" + struct.pack(">LHHH", 6, 1, 1, 96) + b"nope\x00\x00\x00\x00",
            "file.mid is damaged and cannot be read as MIDI (it ends too early).",
        ),
    ],
)
def test_damage_is_told_as_core_tells_it(data: bytes, sentence: str) -> None:
    with pytest.raises(MidiFileError) as error:
        read_voices(data, "file.mid")
    assert str(error.value) == sentence


# --- the corpora ----------------------------------------------------------------------------------


def slow_rows(data: bytes, label: str) -> np.ndarray:
    """Rows by nothing but core."""
    voices = [track.performance for track in parse_midi(data, label) if not track.is_drum]
    notes = encode(
        Performance.of(
            itertools.chain.from_iterable(voice.notes for voice in voices),
            itertools.chain.from_iterable(voice.controls for voice in voices),
        )
    )
    return np.stack([getattr(notes, field) for field in FIELDS], axis=1)


@pytest.mark.parametrize("name", CORPUS_NAMES)
def test_a_sample_of_each_corpus_has_the_notes_that_core_reads(name: str) -> None:
    compared = 0
    for label, data in members_of(name, at_most=6):
        voices = [voice for voice in read_plain(data) if not voice.is_drum]
        if voices:
            np.testing.assert_array_equal(rows_of(voices)[:, : len(FIELDS)], slow_rows(data, label))
            compared += 1
    assert compared >= 5
