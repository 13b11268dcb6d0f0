"""Notes with which voices are to go: of a melody, or the top notes of chords of piano music."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from improv_core.heard import HeardNote
from improv_core.model import Model
from improv_core.notes import CHORD_MS, Part
from improv_core.representation import Notes, Piano, PianoStream, start_steps, to_ms
from improv_core.representation.asking import ALONE, FREE_DENSITY, FREE_LEFT, FREE_STYLE
from improv_core.representation.chord_names import OCTAVE
from improv_training.evaluation.harmonising.songs import Song, during

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
