"""The notes of a piece as the rows of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from improv_core.chord_symbols import chord_symbol
from improv_core.midi_files import Track
from improv_core.notes import CHORD_MS, Note
from improv_core.representation.chord_names import OCTAVE, normal_order, pitch_name

_CHORD_S: Final = CHORD_MS / 1000


@dataclass(frozen=True, slots=True)
class NoteRow:
    """One note.

    Attributes:
        name: ``C4`` is middle C.
        pitch: MIDI key, 0..127.
        onset_s: In seconds from the beginning of the piece.
        duration_s: Key down to key up, in seconds.
        step_s: Inter-onset interval from the row before, in seconds; 0 of the first.
        velocity: 1..127.
        track: The name of its track, or a number where it has none.
        chord: What is struck with it, of whatever track, as `chord_symbol` names it; empty of a note alone
            and of drums.
        normal_order: The pitch classes of that chord (0 is C) in normal order, as ``0.4.7``; empty alike.
    """

    name: str
    pitch: int
    onset_s: float
    duration_s: float
    step_s: float
    velocity: int
    track: str
    chord: str
    normal_order: str


def note_rows(tracks: Iterable[Track]) -> list[NoteRow]:
    """The notes of all tracks, by onset, then pitch; no row's step is negative.

    Notes whose onsets are closer than `improv_core.notes.CHORD_MS` to the first of them are struck together.
    """
    voices = tuple(tracks)
    named = zip(track_names(voices), voices, strict=True)
    placed = [(note, name, voice.is_drum) for name, voice in named for note in voice.performance.notes]
    placed.sort(key=lambda one: (one[0].onset_s, one[0].pitch))
    chords = _chords([note for note, _, is_drum in placed if not is_drum])
    rows, before_s = list[NoteRow](), placed[0][0].onset_s if placed else 0.0
    for note, track, is_drum in placed:
        chord, order = ("", "") if is_drum else next(chords)
        step_s, before_s = note.onset_s - before_s, note.onset_s
        heard = (note.onset_s, note.duration_s, step_s, note.velocity)
        rows.append(NoteRow(pitch_name(note.pitch), note.pitch, *heard, track, chord, order))
    return rows


def chord_count(rows: Iterable[NoteRow]) -> int:
    """How many chords are struck in the rows of `note_rows`."""
    count, begun_s = 0, float("-inf")
    for row in rows:
        if row.chord and row.onset_s - begun_s >= _CHORD_S:
            count, begun_s = count + 1, row.onset_s
    return count


def track_names(tracks: Sequence[Track]) -> tuple[str, ...]:
    """What to call each track: its name, numbered where several have it, or its number where it has none."""
    count, seen, names = Counter(track.name.strip() for track in tracks), Counter[str](), list[str]()
    for number, name in enumerate((track.name.strip() for track in tracks), 1):
        seen[name] += 1
        numbered = name if count[name] == 1 else f"{name} ({seen[name]})"
        names.append(numbered if name else f"track {number}")
    return tuple(names)


def _chords(notes: Sequence[Note]) -> Iterator[tuple[str, str]]:
    """Of each note, by onset, its chord and that in normal order."""
    begin = 0
    for end in range(1, len(notes) + 1):
        if end < len(notes) and notes[end].onset_s - notes[begin].onset_s < _CHORD_S:
            continue
        pitches = {note.pitch for note in notes[begin:end]}
        order = normal_order(pitch % OCTAVE for pitch in pitches) if len(pitches) > 1 else ()
        yield from [(chord_symbol(pitches), ".".join(map(str, order)))] * (end - begin)
        begin = end
