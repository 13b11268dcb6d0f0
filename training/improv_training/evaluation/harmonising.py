"""Voices that go with a melody, against the chords that are really there.

Two kinds of music. Of POP909 the melody is played, with the piano or without it, and the chords are
annotated. Of piano music the top note of each chord is struck first, and the other notes of that chord are
what was right.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from improv_core.harmony import Harmoniser
from improv_core.heard import HeardNote
from improv_core.model import Model
from improv_core.notes import CHORD_MS, Part
from improv_core.representation import Notes, Piano, PianoStream, start_steps, to_ms
from improv_core.representation.asking import ALONE, FREE_DENSITY, FREE_LEFT, FREE_STYLE
from improv_core.representation.chord_names import OCTAVE
from improv_training.corpora.fast_midi import read_voices

FloatArray = NDArray[np.float32]
Hands = Literal["melody", "both"]

MEMORY_NOTES: Final = 160
"""Of what was heard, handed to who chooses."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A note of the player's with which voices are to go, and what is known then.

    Attributes:
        heard: The latest notes in the order of their onsets, this one last.
        held: The player's keys that are down, this one among them.
        projected: The model's output after it, (projected,).
        asked: What the heads are told of the next note.
        chord: Pitch classes of the annotated chord; None: there is none.
        sounding: Pitch classes of the rest of the arrangement, or of the chord that was struck.
        key: Pitch classes of the annotated key; None: there is none.
    """

    heard: tuple[HeardNote, ...]
    held: frozenset[int]
    projected: FloatArray
    asked: tuple[int, ...]
    chord: frozenset[int] | None
    sounding: frozenset[int]
    key: frozenset[int] | None

    @property
    def note(self) -> HeardNote:
        """The player's note."""
        return self.heard[-1]


Chooser = Callable[[Moment], Sequence[int]]
"""Gives the pitches that go with a note."""

# --- POP909 ---------------------------------------------------------------------------------------

QUALITIES: Final = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "sus4(b7)": (0, 5, 7, 10),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "minmaj7": (0, 3, 7, 11),
    "maj6": (0, 4, 7, 9),
    "min6": (0, 3, 7, 9),
    "hdim7": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
}
SCALES: Final = {"maj": (0, 2, 4, 5, 7, 9, 11), "min": (0, 2, 3, 5, 7, 8, 10)}

_LETTERS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def classes_of(label: str, shapes: Mapping[str, tuple[int, ...]]) -> frozenset[int]:
    """Pitch classes of a label such as ``Eb:min7/b7``; the bass is one of them. Empty for ``N``."""
    root_name, _, rest = label.partition(":")
    if not rest:
        return frozenset()
    root = _LETTERS[root_name[0]] + root_name.count("#") - root_name.count("b")
    return frozenset((root + one) % OCTAVE for one in shapes[rest.partition("/")[0]])


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time with a chord or in a key; seconds."""

    begin_s: float
    end_s: float
    classes: frozenset[int]


def read_spans(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> list[Span]:
    """Lines of begin, end and label; those without a chord are left out."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    spans = [Span(float(begin), float(end), classes_of(label.strip(), shapes)) for begin, end, label in rows]
    return [span for span in spans if span.classes]


def during(spans: Sequence[Span], at_s: float) -> frozenset[int] | None:
    """What holds at a time."""
    return next((one.classes for one in spans if one.begin_s <= at_s < one.end_s), None)


@dataclass(frozen=True, slots=True)
class Song:
    """A song of POP909; its notes in the order of their onsets.

    Attributes:
        file: Its path in the corpus.
        melody: Of the voice.
        piano: Of the accompaniment.
        other: Neither.
        chords: Annotated.
        key: Pitch classes of the annotated key that lasts longest.
    """

    file: str
    melody: tuple[HeardNote, ...]
    piano: tuple[HeardNote, ...]
    other: tuple[HeardNote, ...]
    chords: tuple[Span, ...]
    key: frozenset[int]


def read_song(folder: Path, file: str) -> Song:
    """A song with its annotations.

    Args:
        folder: The corpus.
        file: Of the song in it.
    """
    path = folder / file
    voices = read_voices(path.read_bytes(), file)
    keys = read_spans(path.with_name("key_audio.txt"), SCALES)
    parts: dict[str, list[HeardNote]] = {"MELODY": [], "PIANO": [], "BRIDGE": []}
    for voice in voices:
        rows = zip(voice.pitch, voice.velocity, voice.onset_s, voice.release_s - voice.onset_s, strict=True)
        heard = [
            HeardNote(Part.PLAYER, int(p), int(v), float(at), float(lasted)) for p, v, at, lasted in rows
        ]
        parts.setdefault(voice.name.strip(), []).extend(heard)
    melody, piano, bridge = (
        tuple(sorted(parts[name], key=lambda note: (note.onset_s, note.pitch)))
        for name in ("MELODY", "PIANO", "BRIDGE")
    )
    chords = tuple(read_spans(path.with_name("chord_midi.txt"), QUALITIES))
    key = max(keys, key=lambda one: one.end_s - one.begin_s).classes
    return Song(file, melody, piano, bridge, chords, key)


@dataclass(frozen=True, slots=True)
class _Stroke:
    at_s: float
    late: float
    note: HeardNote
    is_melody: bool


def played(
    model: Model, song: Song, hands: Hands, choose: Chooser | None, seed: int = 1
) -> Iterator[tuple[Moment, Sequence[int]]]:
    """Play a song note by note as it would be live; voices that are chosen are read as improv's own notes.

    Args:
        model: Reads along.
        song: What is played.
        hands: The melody alone, or the piano as well.
        choose: Asked at each note of the melody; None: the model hears nothing but the song.
        seed: Of the order of notes of one onset.

    Yields:
        Each note of the melody while the song's chords last, and what was chosen.
    """
    rng = np.random.default_rng(seed)
    stream, projected, state = PianoStream(), *model.advance(start_steps(), model.initial_state())
    strokes = [_Stroke(n.onset_s, rng.random(), n, True) for n in song.melody]
    if hands == "both":
        strokes += [_Stroke(n.onset_s, rng.random(), n, False) for n in song.piano]
    strokes.sort(key=lambda one: (to_ms(one.at_s), one.late))
    heard: list[HeardNote] = []
    down: dict[int, float] = {}
    lasted_ms: list[int] = []
    for stroke in strokes:
        note, at_ms = stroke.note, to_ms(stroke.at_s)
        for pitch, up_s in [*down.items()]:
            if up_s <= stroke.at_s:
                stream.release(pitch, to_ms(up_s))
                del down[pitch]
        projected, state = model.advance(stream.press(note.pitch, note.velocity, at_ms), state)
        down[note.pitch] = stroke.at_s + (note.duration_s or 0)
        heard.append(HeardNote(Part.PLAYER, note.pitch, note.velocity, stroke.at_s))
        if not stroke.is_melody:
            continue
        asked = (int(Part.IMPROV), FREE_STYLE, FREE_DENSITY, FREE_LEFT, stream.own_pitch(Part.IMPROV))
        moment = Moment(
            heard=tuple(heard[-MEMORY_NOTES:]),
            held=frozenset(down),
            projected=projected,
            asked=asked,
            chord=during(song.chords, stroke.at_s + CHORD_MS / 1000),
            sounding=_sounding((*song.piano, *song.other), stroke.at_s),
            key=song.key,
        )
        pitches = [] if choose is None else choose(moment)
        yield moment, pitches
        duration_ms = int(median(lasted_ms[-8:])) if lasted_ms else 300
        for pitch in pitches:
            velocity = max(1, note.velocity - 10)
            projected, state = model.advance(stream.play(pitch, velocity, 0, at_ms, duration_ms), state)
            heard.append(HeardNote(Part.IMPROV, pitch, velocity, stroke.at_s))
        lasted_ms.append(max(1, to_ms(note.duration_s or 0)))


def _sounding(notes: Sequence[HeardNote], at_s: float) -> frozenset[int]:
    """Pitch classes that sound just after a time."""
    then_s = at_s + CHORD_MS / 1000
    return frozenset(
        note.pitch % OCTAVE
        for note in notes
        if note.onset_s <= then_s < note.onset_s + max(note.duration_s or 0, CHORD_MS / 1000)
    )


# --- chords of piano music ------------------------------------------------------------------------


def chord_tops(model: Model, notes: Notes, most_notes: int, seed: int = 1) -> Iterator[Moment]:
    """The top note of each chord, as if it had been struck first.

    Only chords of which no key above is down, and which have another pitch class than their top note's.

    Args:
        model: Reads along; the player plays everything.
        notes: A piece.
        most_notes: Of the piece, from its beginning.
        seed: Of the order of the other notes of a chord.
    """
    ordered, groups = _tops_first(notes, most_notes, seed)
    rows = Piano().rows(ordered, np.full(len(ordered), int(Part.PLAYER))).read
    start = start_steps()
    _, state = model.advance(start, model.initial_state())
    columns, dense = rows.columns[:, None, :], rows.dense[:, None, :].astype(np.float32)
    outputs, _ = model.run(columns, dense, state)
    onset_s = np.cumsum(ordered.dt_ms) / 1000
    heard = [
        HeardNote(Part.PLAYER, int(p), int(v), float(at), float(d) / 1000)
        for p, v, at, d in zip(ordered.pitch, ordered.velocity, onset_s, ordered.duration_ms, strict=True)
    ]
    asked = (int(Part.IMPROV), FREE_STYLE, FREE_DENSITY, FREE_LEFT, ALONE)
    for begin, end in groups:
        top = heard[begin]
        before = heard[max(0, begin - MEMORY_NOTES) : begin]
        held = frozenset(n.pitch for n in before if n.onset_s + (n.duration_s or 0) > top.onset_s)
        others = frozenset(n.pitch % OCTAVE for n in heard[begin + 1 : end]) - {top.pitch % OCTAVE}
        if others and max(held, default=0) < top.pitch:
            yield Moment((*before, top), held | {top.pitch}, outputs[begin, 0], asked, None, others, None)


def _tops_first(notes: Notes, most_notes: int, seed: int) -> tuple[Notes, list[tuple[int, int]]]:
    """Notes of a chord at its first onset, the top one first; and where chords of two or more are."""
    rng = np.random.default_rng(seed)
    onset_ms = np.cumsum(notes.dt_ms)[:most_notes]
    pitch = notes.pitch[:most_notes]
    first_ms, order, groups, begin = onset_ms.copy(), np.arange(len(pitch)), [], 0
    while begin < len(pitch):
        end = int(np.searchsorted(onset_ms, onset_ms[begin] + CHORD_MS, side="left"))
        first_ms[begin:end] = onset_ms[begin]
        inside = begin + rng.permutation(end - begin)
        top = begin + int(np.argmax(pitch[begin:end]))
        order[begin:end] = [top, *(one for one in inside if one != top)]
        if end - begin > 1:
            groups.append((begin, end))
        begin = end
    return (
        Notes(
            dt_ms=np.diff(first_ms, prepend=first_ms[:1]),
            pedal=notes.pedal[order],
            pitch=notes.pitch[order],
            velocity=notes.velocity[order],
            duration_ms=notes.duration_ms[order],
        ),
        groups,
    )


# --- who chooses ----------------------------------------------------------------------------------


def by(harmoniser: Harmoniser, model: Model | None, voices: int) -> Chooser:
    """What improv would play below the note; without a model it goes by the chord alone."""

    def choose(moment: Moment) -> Sequence[int]:
        note = moment.note
        chosen = harmoniser.choose(
            note.pitch,
            note.velocity,
            note.onset_s,
            heads=None if model is None else model.heads,
            projected=moment.projected,
            asked=moment.asked,
            held=moment.held,
            heard=moment.heard,
            voices=voices,
        )
        return [pitch for pitch, _ in chosen]

    return choose


def fixed(*semitones: int) -> Chooser:
    """So many semitones below, whatever is played."""
    return lambda moment: [moment.note.pitch - one for one in semitones]


def diatonic(scale_of: Callable[[Moment], Collection[int]], *steps: int) -> Chooser:
    """So many steps of a scale below; a third is two."""

    def choose(moment: Moment) -> Sequence[int]:
        scale = scale_of(moment)
        under = [p for p in range(moment.note.pitch - 1, moment.note.pitch - 14, -1) if p % OCTAVE in scale]
        return [under[one - 1] for one in steps]

    return choose


_MAJOR: Final = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR: Final = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def estimated_key(moment: Moment) -> Collection[int]:
    """Of all that is remembered, by the profiles of Krumhansl and Kessler (1982)."""
    pitches = [note.pitch % OCTAVE for note in moment.heard if note.part == Part.PLAYER]
    counts = np.bincount(pitches, minlength=OCTAVE) + 1e-6 * np.arange(OCTAVE)
    fits = [
        (float(np.corrcoef(counts, np.roll(profile, tonic))[0, 1]), tonic, mode)
        for profile, mode in ((_MAJOR, "maj"), (_MINOR, "min"))
        for tonic in range(OCTAVE)
    ]
    _, tonic, mode = max(fits)
    return frozenset((tonic + one) % OCTAVE for one in SCALES[mode])


def annotated_key(moment: Moment) -> Collection[int]:
    """Of the song.

    Raises:
        ValueError: It has none.
    """
    if moment.key is None:
        raise ValueError("no key is annotated")
    return moment.key


def agreement(pitches: Sequence[int], classes: Collection[int]) -> float:
    """Share of the pitches whose class is among those."""
    return sum(pitch % OCTAVE in classes for pitch in pitches) / len(pitches)
