"""Standard MIDI files in and out.

Reading pairs the notes itself on mido's messages: it keeps tempo changes from every track, overlapping
notes of one pitch (first on, first off), and notes that were never released; all three get lost
elsewhere. Writing is pretty_midi's.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import itertools
import struct
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import mido

from improv_core.errors import MidiFileError, StorageError
from improv_core.notes import ControlChange, Note, Performance
from improv_core.tempo_map import TempoMap

DRUM_CHANNEL = 9
WRITTEN_TEMPO_BPM = 120.0
WRITTEN_TICKS_PER_BEAT = 960
"""At a tempo of 120 beats a minute a tick is 0.52 ms."""

_SHORTEST_TICKS = 1.5
"""A note must last a tick, or its end is written before its beginning."""

_MAGIC = b"MThd"

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
class Track:
    """One voice of a file: the notes of one channel of one track.

    Attributes:
        name: The track's name, may be empty.
        performance: Notes and controllers, in seconds from the start of the file.
        program: General MIDI program 0..127.
        channel: 0..15.
    """

    name: str
    performance: Performance
    program: int = 0
    channel: int = 0

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
    down: dict[int, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))

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
    """Every voice of a file that has notes, in the order of the file.

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
    try:
        midi = mido.MidiFile(file=io.BytesIO(data), clip=True)
        tempo_map = TempoMap(midi.ticks_per_beat, _tempo_changes(midi))
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


def write_midi(path: Path, tracks: Sequence[Track], tempo_bpm: float = WRITTEN_TEMPO_BPM) -> None:
    """A type 1 file, one named track for each of ``tracks``, on their channels in order.

    Args:
        path: Where.
        tracks: What.
        tempo_bpm: Of the beats that the file's ticks count; the music is the same at any.

    Raises:
        StorageError: The file cannot be written.
    """
    pretty_midi = _import_pretty_midi()
    midi = pretty_midi.PrettyMIDI(resolution=WRITTEN_TICKS_PER_BEAT, initial_tempo=tempo_bpm)
    ticks_per_s = tempo_bpm / 60 * WRITTEN_TICKS_PER_BEAT
    shortest_s = _SHORTEST_TICKS / ticks_per_s
    for track in tracks:
        name = track.name.encode("latin-1", "replace").decode("latin-1")  # all that a MIDI file can hold
        instrument = pretty_midi.Instrument(track.program, track.is_drum, name)
        instrument.notes = [
            pretty_midi.Note(n.velocity, n.pitch, n.onset_s, max(n.release_s, n.onset_s + shortest_s))
            for n in track.performance.notes
        ]
        instrument.control_changes = [
            pretty_midi.ControlChange(c.controller, c.value, c.at_s)
            for c in _settled(track.performance.controls, ticks_per_s)
        ]
        midi.instruments.append(instrument)
    part = path.with_name(f".{path.name}.part")  # a full disk leaves what was there before
    try:
        midi.write(str(part))
        part.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror or error}).") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _import_pretty_midi() -> ModuleType:
    # It imports pyfluidsynth, which prints where it found its library when the variable CI is set.
    with contextlib.redirect_stdout(io.StringIO()):
        return importlib.import_module("pretty_midi")


def _settled(controls: Sequence[ControlChange], ticks_per_s: float) -> list[ControlChange]:
    """Without what a later message of the same tick takes back: pretty_midi writes a tick by value."""
    last: dict[tuple[int, int], int] = {}
    kept = []
    for control in reversed(controls):
        key = (control.controller, round(control.at_s * ticks_per_s))
        if control.value <= last.setdefault(key, control.value):
            kept.append(control)
    return kept[::-1]


def load_midi(path: Path) -> bytes:
    """The bytes of a file that begins as MIDI files do.

    Raises:
        MidiFileError: The file is missing, empty, not MIDI, or cannot be read.
    """
    try:
        if path.is_dir():
            raise MidiFileError(f"{path} is a folder; name a MIDI file in it.")
        with path.open("rb") as file:
            begin = file.read(len(_MAGIC))
            _check_begin(begin, path)
            return begin + file.read()
    except FileNotFoundError:
        raise MidiFileError(f"{path} does not exist.") from None
    except OSError as error:
        raise MidiFileError(f"{path} cannot be read ({error.strerror or error}).") from error


def _check_begin(begin: bytes, name: Path | str) -> None:
    if not begin:
        raise MidiFileError(f"{name} is empty.")
    if not begin.startswith(_MAGIC):
        raise MidiFileError(f"{name} is not a MIDI file.")


def _reason(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "it ends too early"
    return str(error) or type(error).__name__


def _tempo_changes(midi: mido.MidiFile) -> list[tuple[int, int]]:
    changes = []
    for track in midi.tracks:
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
        Track(track.name, Performance.of(voice.notes, voice.controls), voice.program, channel)
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
    elif kind == "program_change" and not voices[message.channel].notes:
        voices[message.channel].program = message.program
