"""The voices of a MIDI file as arrays, exactly as core's reader pairs them and some twenty times as fast.

Every event's place follows from the one before it. What follows each byte, were it the first of an event, is
computed for all bytes at once; then only the chain of events is walked. Whatever is not plain (system
messages, events that reach over a track's end, meta events that are damaged or that mido reads in its own
way) goes to core's reader, so that both always agree, in their notes and in what they say of damage.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import mido
import numpy as np
from numpy.typing import NDArray

from improv_core.midi_chunks import tracks_alone
from improv_core.midi_files import DRUM_CHANNEL, SONGS, parse_midi
from improv_core.notes import SUSTAIN_CONTROLLER
from improv_core.representation.binning import IntArray
from improv_core.tempo_map import TempoMap
from improv_training.corpora.beats import BeatMap, beats_of_ticks
from improv_training.corpora.messages import Events, Unusual, read_events
from improv_training.corpora.pairing import paired

FloatArray = NDArray[np.float64]

_NOTE_OFF, _NOTE_ON, _CONTROL, _PROGRAM = 0x80, 0x90, 0xB0, 0xC0
_HEADER = struct.Struct(">4sLhhh")
_CHUNK = struct.Struct(">4sL")


@dataclass(frozen=True, slots=True)
class Voice:
    """The notes of one channel of one track, in seconds from the start of the file.

    Attributes:
        name: The track's name, may be empty.
        program: General MIDI program 0..127.
        channel: 0..15.
        onset_s: Shape (notes,); in no certain order.
        release_s: Shape (notes,).
        pitch: Shape (notes,).
        velocity: Shape (notes,).
        pedal_s: Shape (changes,): when the sustain pedal's controller changes, in order.
        pedal: Shape (changes,): its values.
    """

    name: str
    program: int
    channel: int
    onset_s: FloatArray
    release_s: FloatArray
    pitch: IntArray
    velocity: IntArray
    pedal_s: FloatArray
    pedal: IntArray

    @property
    def is_drum(self) -> bool:
        """Whether the channel is General MIDI's drum channel."""
        return self.channel == DRUM_CHANNEL


def read_voices(data: bytes, label: str) -> list[Voice]:
    """Every voice that has notes, drums too, in the order of the file.

    Args:
        data: The whole file.
        label: What to call it in errors.

    Raises:
        MidiFileError: As `improv_core.midi_files.read_midi`.
    """
    try:
        return read_plain(data)
    except Unusual:
        return read_voices_slowly(data, label)


def read_voices_slowly(data: bytes, label: str) -> list[Voice]:
    """The same by core's reader."""
    voices = []
    for track in parse_midi(data, label):
        notes, pedal = track.performance.notes, track.performance.pedal
        voices.append(
            Voice(
                track.name,
                track.program,
                track.channel,
                onset_s=np.array([note.onset_s for note in notes]),
                release_s=np.array([note.release_s for note in notes]),
                pitch=np.array([note.pitch for note in notes]),
                velocity=np.array([note.velocity for note in notes]),
                pedal_s=np.array([change.at_s for change in pedal]),
                pedal=np.array([change.value for change in pedal], dtype=np.int64),
            )
        )
    return voices


def read_plain(data: bytes) -> list[Voice]:
    """`read_voices` of a file in which nothing needs a second look.

    Raises:
        Unusual: Something does.
    """
    division, chunks = _chunks(data)
    tracks = [read_events(chunk) for chunk in chunks]
    try:
        tempo_map = TempoMap(division, [change for track in tracks for change in track.tempo_changes])
    except (ValueError, ArithmeticError) as error:
        raise Unusual from error
    return [voice for track in tracks for voice in _voices(track, tempo_map)]


def read_beats(data: bytes) -> BeatMap | None:
    """Where the beats of a file are by its ticks; None for parts of a second and for tracks with their own.

    Args:
        data: The whole file, which `read_voices` could read.
    """
    try:
        division, chunks = _chunks(data)
        changes = [change for chunk in chunks for change in read_events(chunk).tempo_changes]
    except Unusual:
        return read_beats_slowly(data)
    return beats_of_ticks(division, changes)


def read_beats_slowly(data: bytes) -> BeatMap | None:
    """The same by mido."""
    midi = mido.MidiFile(file=io.BytesIO(tracks_alone(data)), clip=True)
    if midi.type == SONGS:
        return None
    tick, changes = 0, []
    for message in mido.merge_tracks(midi.tracks):
        tick += message.time
        if message.type == "set_tempo":
            changes.append((tick, message.tempo))
    return beats_of_ticks(midi.ticks_per_beat, changes)


def _chunks(data: bytes) -> tuple[int, list[bytes]]:
    """The division, and the bytes of each track."""
    if len(data) < _HEADER.size:
        raise Unusual
    kind, size, type_, count, division = _HEADER.unpack_from(data)
    if kind != b"MThd" or size < 6 or type_ == SONGS or count < 0:
        raise Unusual
    at, chunks = _CHUNK.size + size, []
    for _ in range(count):
        if len(data) < at + _CHUNK.size:
            raise Unusual
        kind, size = _CHUNK.unpack_from(data, at)
        at += _CHUNK.size
        if kind != b"MTrk" or len(data) < at + size:
            raise Unusual
        chunks.append(data[at : at + size])
        at += size
    return division, chunks


def _voices(events: Events, tempo_map: TempoMap) -> list[Voice]:
    kind, channel = events.status & 0xF0, events.status & 0x0F
    is_on = (kind == _NOTE_ON) & (events.second > 0)
    (of_notes,) = np.nonzero((kind == _NOTE_OFF) | (kind == _NOTE_ON))
    if not is_on.any():
        return []
    key = channel[of_notes].astype(np.uint16) * 128 + events.first[of_notes]
    pressed, released = paired(key, is_on[of_notes])
    on_event = of_notes[pressed]
    # Never released: where the track ends, after its last event.
    event = np.append(of_notes, len(events.status))[released]
    at_s = tempo_map.seconds_of(np.append(events.tick, events.end_tick))
    onset_s = at_s[on_event]
    release_s = onset_s + (at_s[event] - onset_s)  # rounded as a note of core is: onset plus duration
    (pedal_event,) = np.nonzero((kind == _CONTROL) & (events.first == SUSTAIN_CONTROLLER))
    voices = []
    for number in np.unique(channel[on_event]):
        mine, pedal = channel[on_event] == number, pedal_event[channel[pedal_event] == number]
        voices.append(
            Voice(
                events.name,
                _program(events, channel == number, int(on_event[mine].min())),
                int(number),
                onset_s[mine],
                release_s[mine],
                events.first[on_event[mine]].astype(np.int64),
                events.second[on_event[mine]].astype(np.int64),
                at_s[pedal],
                events.second[pedal].astype(np.int64),
            )
        )
    return voices


def _program(events: Events, mine: NDArray[np.bool_], first_onset: int) -> int:
    """The last one that is set before a first note is struck."""
    (changes,) = np.nonzero((events.status & 0xF0 == _PROGRAM) & mine)
    before = changes[changes < first_onset]
    return int(events.first[before[-1]]) if len(before) else 0
