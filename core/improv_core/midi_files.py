"""Standard MIDI files in and out.

Reading pairs the notes itself on mido's messages: it keeps tempo changes from every track, overlapping
notes of one pitch (first on, first off), and notes that were never released; all three get lost
elsewhere. Writing is mido's too: of all that a channel can be told, nothing is left out.
"""

from __future__ import annotations

import io
import itertools
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import mido

from improv_core.errors import MidiFileError
from improv_core.midi_chunks import LARGEST_FILE, MOST_TRACKS, count_of_tracks, readable, tracks_alone
from improv_core.midi_lines import WRITTEN_TICKS_PER_BEAT as WRITTEN_TICKS_PER_BEAT
from improv_core.midi_lines import conductor_track, delta_track, save, writable
from improv_core.notes import ControlChange, Note, Performance
from improv_core.tempo_map import Conductor, TempoMap

DRUM_CHANNEL = 9
WRITTEN_TEMPO_BPM = 120.0
KEY_PRESSURE, PROGRAM, PRESSURE, BEND = 0xA0, 0xC0, 0xD0, 0xE0
BEND_CENTRE = (0, 64)
"""The two data bytes of a pitch wheel that rests."""

_MAGIC = b"MThd"
SONGS = 2
"""The type of a file whose tracks have nothing to do with one another."""


_DAMAGE = (
    EOFError,
    OSError,
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    struct.error,
    mido.KeySignatureError,
)


@dataclass(frozen=True, slots=True)
class ChannelMessage:
    """What a channel is told beside notes and controllers.

    Attributes:
        data: `KEY_PRESSURE`, `PROGRAM`, `PRESSURE` or `BEND`, and its data bytes.
        at_s: When, in seconds.
    """

    data: tuple[int, ...]
    at_s: float

    def __post_init__(self) -> None:
        length = {KEY_PRESSURE: 3, PROGRAM: 2, PRESSURE: 2, BEND: 3}.get(self.data[0] if self.data else 0)
        if length != len(self.data) or not all(0 <= byte <= 127 for byte in self.data[1:]):
            raise ValueError(f"no bend, pressure or program: {self.data}")


@dataclass(frozen=True, slots=True)
class Track:
    """One voice of a file: the notes of one channel of one track.

    Attributes:
        name: The track's name, may be empty.
        performance: Notes and controllers, in seconds from the start of the file.
        program: General MIDI program 0..127, at the beginning.
        channel: 0..15.
        messages: Bends, pressures and other programs, by time.
    """

    name: str
    performance: Performance
    program: int = 0
    channel: int = 0
    messages: tuple[ChannelMessage, ...] = ()

    @property
    def is_drum(self) -> bool:
        """Whether the channel is General MIDI's drum channel."""
        return self.channel == DRUM_CHANNEL


@dataclass(slots=True)
class _Voice:
    """What one channel of one track has said so far."""

    program: int = 0
    notes: list[Note] = field(default_factory=list)
    controls: list[ControlChange] = field(default_factory=list)
    messages: list[ChannelMessage] = field(default_factory=list)
    down: dict[int, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def begun(self) -> bool:
        return bool(self.notes) or any(self.down.values())

    def press(self, pitch: int, velocity: int, at_s: float) -> None:
        self.down[pitch].append((at_s, velocity))

    def release(self, pitch: int, at_s: float) -> None:
        if self.down[pitch]:
            onset_s, velocity = self.down[pitch].pop(0)
            self.notes.append(Note(pitch, velocity, onset_s, at_s - onset_s))

    def release_all(self, at_s: float) -> None:
        for pitch, presses in self.down.items():
            for _ in list(presses):
                self.release(pitch, at_s)


def read_midi(path: Path) -> tuple[Track, ...]:
    """Every voice of a file that has notes, in the order of the file; of type 2, one song after the other.

    Raises:
        MidiFileError: The file is missing, empty, not MIDI, or damaged.
    """
    return parse_midi(load_midi(path), path)


def parse_midi(data: bytes, name: Path | str) -> tuple[Track, ...]:
    """`read_midi` of a file's bytes.

    Args:
        data: The whole file.
        name: What to call it in errors.

    Raises:
        MidiFileError: It is empty, not MIDI, or damaged.
    """
    _check_begin(data, name)
    if count_of_tracks(data) > MOST_TRACKS:
        raise MidiFileError(f"{name} has more tracks than improv reads, which is {MOST_TRACKS}.")
    try:
        midi = mido.MidiFile(file=io.BytesIO(tracks_alone(data)), clip=True)
        if midi.type == SONGS:
            return tuple(_read_songs(midi))
        tempo_map = TempoMap(midi.ticks_per_beat, _tempo_changes(midi.tracks))
        return tuple(itertools.chain.from_iterable(_read_track(track, tempo_map) for track in midi.tracks))
    except _DAMAGE as error:
        raise MidiFileError(f"{name} is damaged and cannot be read as MIDI ({_reason(error)}).") from error


def read_performance(path: Path) -> Performance:
    """All voices but the drums, as one performance.

    Raises:
        MidiFileError: As `read_midi`; also when there is no note at all.
    """
    voices = [track.performance for track in read_midi(path) if not track.is_drum]
    performance = Performance.of(
        itertools.chain.from_iterable(voice.notes for voice in voices),
        itertools.chain.from_iterable(voice.controls for voice in voices),
    )
    if not performance.notes:
        raise MidiFileError(f"{path} holds no notes.")
    return performance


def write_midi(
    path: Path,
    tracks: Sequence[Track],
    tempo_bpm: float = WRITTEN_TEMPO_BPM,
    conductor: Conductor | None = None,
    texts: Sequence[str] = (),
) -> None:
    """A type 1 file: tempo and bars first, then one named track for each of ``tracks``, on their channels.

    Args:
        path: Where.
        tracks: What.
        tempo_bpm: Of the beats that the file's ticks count; the music is the same at any.
        conductor: Where the beats are, if they are known; ``tempo_bpm`` says nothing then.
        texts: About the file.

    Raises:
        StorageError: The file cannot be written.
    """
    time = Conductor.steady(tempo_bpm) if conductor is None else conductor
    tempo_map = TempoMap(WRITTEN_TICKS_PER_BEAT, time.tempos)
    midi = mido.MidiFile(type=1, ticks_per_beat=WRITTEN_TICKS_PER_BEAT)
    midi.tracks.append(conductor_track(time, texts))
    for voice in tracks:
        name = mido.MetaMessage("track_name", name=writable(voice.name))
        midi.tracks.append(mido.MidiTrack([name, *_in_order(_messages(voice, tempo_map))]))
    save(midi, path)


_Timed = tuple[int, int, mido.Message]
"""(tick, place among others of the tick, message)."""
_OFF, _TOLD, _ON = 0, 1, 2


def _in_order(messages: Iterator[_Timed]) -> mido.MidiTrack:
    return delta_track((tick, message) for tick, _, message in sorted(messages, key=lambda timed: timed[:2]))


def _messages(voice: Track, tempo_map: TempoMap) -> Iterator[_Timed]:
    channel = voice.channel
    yield 0, _OFF, mido.Message("program_change", channel=channel, program=voice.program)
    for note in voice.performance.notes:
        on, key = tempo_map.tick(note.onset_s), {"channel": channel, "note": note.pitch}
        # A note must last a tick, or its end comes before its beginning.
        off = max(on + 1, tempo_map.tick(note.release_s))
        yield off, _OFF, mido.Message("note_off", **key, velocity=0)
        yield on, _ON, mido.Message("note_on", **key, velocity=note.velocity)
    # A bank is chosen before the program in it.
    for control in voice.performance.controls:
        data = (0xB0 | channel, control.controller, control.value)
        yield tempo_map.tick(control.at_s), _TOLD, mido.Message.from_bytes(data)
    for told in voice.messages:
        status, *rest = told.data
        yield tempo_map.tick(told.at_s), _TOLD, mido.Message.from_bytes((status | channel, *rest))


def load_midi(path: Path) -> bytes:
    """The bytes of a file that begins as MIDI files do.

    Raises:
        MidiFileError: The file is missing, empty, not MIDI, too large, or cannot be read.
    """
    try:
        if path.is_dir():
            raise MidiFileError(f"{path} is a folder; name a MIDI file in it.")
        with path.open("rb") as file:
            begin = file.read(len(_MAGIC))
            _check_begin(begin, path)
            data = begin + file.read(LARGEST_FILE)
    except FileNotFoundError:
        raise MidiFileError(f"{path} does not exist.") from None
    except OSError as error:
        raise MidiFileError(f"{path} cannot be read ({error.strerror or error}).") from error
    if len(data) > LARGEST_FILE:
        raise MidiFileError(
            f"{path} is too large to be read as MIDI: improv reads up to {LARGEST_FILE >> 20} MB."
        )
    return data


def _check_begin(begin: bytes, name: Path | str) -> None:
    if not begin:
        raise MidiFileError(f"{name} is empty.")
    if not begin.startswith(_MAGIC):
        raise MidiFileError(f"{name} is not a MIDI file.")


def _reason(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "it ends too early"
    return str(error) or type(error).__name__


def _read_songs(midi: mido.MidiFile) -> Iterator[Track]:
    """Each track is a song with tempos of its own; they are laid one behind the other."""
    start_s = 0.0
    for track in midi.tracks:
        tempo_map = TempoMap(midi.ticks_per_beat, _tempo_changes([track]), start_s)
        yield from _read_track(track, tempo_map)
        start_s = tempo_map.seconds(sum(message.time for message in track))


def _tempo_changes(tracks: Iterable[mido.MidiTrack]) -> list[tuple[int, int]]:
    changes = []
    for track in tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "set_tempo":
                changes.append((tick, message.tempo))
    return changes


def _read_track(track: mido.MidiTrack, tempo_map: TempoMap) -> list[Track]:
    voices: dict[int, _Voice] = defaultdict(_Voice)
    tick = 0
    for message in track:
        tick += message.time
        if not message.is_meta:
            _take(voices, message, tempo_map.seconds(tick))
    for voice in voices.values():
        voice.release_all(tempo_map.seconds(tick))
    return [
        Track(
            readable(track.name),
            Performance.of(voice.notes, voice.controls),
            voice.program,
            channel,
            tuple(voice.messages),
        )
        for channel, voice in sorted(voices.items())
        if voice.notes
    ]


def _take(voices: dict[int, _Voice], message: mido.Message, at_s: float) -> None:
    kind = message.type
    if kind == "note_on" and message.velocity > 0:
        voices[message.channel].press(message.note, message.velocity, at_s)
    elif kind in ("note_on", "note_off"):
        voices[message.channel].release(message.note, at_s)
    elif kind == "control_change":
        voices[message.channel].controls.append(ControlChange(message.control, message.value, at_s))
    elif kind == "program_change" and not voices[message.channel].begun:
        voices[message.channel].program = message.program
    elif kind in ("program_change", "pitchwheel", "aftertouch", "polytouch"):
        status, *data = message.bytes()
        voices[message.channel].messages.append(ChannelMessage((status & 0xF0, *data), at_s))
