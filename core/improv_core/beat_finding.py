"""Where the beats of a performance were, from the whole of it afterwards; pure.

While it plays, `improv_core.pulse.PulseTracker` knows the past alone. Afterwards the lengths of the beat are
judged by what came before and after, and the beats are the best path through all onsets.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from improv_core.beat_lengths import Onsets, beat_lengths
from improv_core.beat_path import NEAR_S, beat_path, grid
from improv_core.notes import Note
from improv_core.pulse import FORGET_AFTER_S, LOUDNESS
from improv_core.tempogram import BEATS_S, FloatArray

CLEAR_FROM: Final = 0.5
"""Where `Lengths.confidence` is so high there are beats."""

FEWEST_BEATS: Final = 8
"""Fewer are no stretch."""

_BRIDGED_S: Final = 6.0
_LOW: Final = 60
_OCTAVE: Final = 12
_LONG_S: Final = 1.5

# Tried on the validation splits of POP909 and piano-midi.de.
_BY_DEPTH, _BY_LENGTH = 2.0, 2.0
_SHORT_BAR = 8.0
_FAST_S, _DIVIDED = 0.5, 0.8
_BAR_BY_CHANGE, _BAR_BY_DEPTH, _BAR_BY_LENGTH = 1.0, 0.3, 0.3


@dataclass(frozen=True, slots=True)
class Stretch:
    """Beats that go on.

    Attributes:
        beats_s: Their times, ascending, (beats,).
        downbeats: Which of them begin bars, ascending; one of the first at least.
    """

    beats_s: FloatArray
    downbeats: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Heard:
    """Notes by onset as arrays, each (notes,)."""

    at_s: FloatArray
    weight: FloatArray
    depth: FloatArray
    length_s: FloatArray
    pitch_class: FloatArray

    @classmethod
    def of(cls, notes: Sequence[Note]) -> _Heard:
        columns = [(n.onset_s, n.velocity / LOUDNESS, n.pitch, n.duration_s) for n in notes]
        at_s, weight, pitch, length_s = np.array(columns).T
        depth = np.clip((_LOW - pitch) / _OCTAVE, 0.0, 2.0)
        return cls(at_s, weight, depth, np.minimum(length_s, _LONG_S), pitch % _OCTAVE)

    @property
    def accented(self) -> Onsets:
        """Basses and long notes weigh more: they are on beats more often."""
        return Onsets(self.at_s, self.weight * (1.0 + _BY_DEPTH * self.depth + _BY_LENGTH * self.length_s))


def found_beats(notes: Sequence[Note], beats_per_bar: int) -> tuple[Stretch, ...]:
    """The beats of each stretch where they are clear, in order; bars begin where harmony changes most.

    Args:
        notes: By onset.
        beats_per_bar: Bars have so many.
    """
    made = []
    for heard in (_Heard.of(part) for part in _parts(notes)):
        for beats_s in _stretches(heard):
            if len(beats_s) >= FEWEST_BEATS:
                made.append(Stretch(beats_s, _bars(_signs(heard, beats_s), beats_per_bar)))
    return tuple(made)


def _parts(notes: Sequence[Note]) -> Iterator[Sequence[Note]]:
    """What has no long silence within."""
    begin = 0
    for i, (one, other) in enumerate(itertools.pairwise(notes), start=1):
        if other.onset_s - one.onset_s > FORGET_AFTER_S:
            yield notes[begin:i]
            begin = i
    if notes:
        yield notes[begin:]


def _stretches(heard: _Heard) -> Iterator[FloatArray]:
    if heard.at_s[-1] - heard.at_s[0] < FEWEST_BEATS * BEATS_S[0]:
        return
    lengths = beat_lengths(Onsets(heard.at_s, heard.weight))
    clear_s = lengths.frames_s[lengths.confidence >= CLEAR_FROM]
    if not len(clear_s):
        return
    breaks = np.flatnonzero(np.diff(clear_s) > _BRIDGED_S)
    for begin, end in zip(np.append(0, breaks + 1), np.append(breaks, len(clear_s) - 1), strict=True):
        from_s, until_s = float(clear_s[begin]), float(clear_s[end])
        grid_s = grid(from_s, until_s)
        beat_s = np.interp(grid_s, lengths.frames_s, lengths.beat_s)
        beats_s = beat_path(heard.accented, beat_s, grid_s)
        yield _slower(heard, beats_s[(beats_s >= from_s - NEAR_S) & (beats_s <= until_s + NEAR_S)])


def _slower(heard: _Heard, beats_s: FloatArray) -> FloatArray:
    """Every other of fast beats that are hardly ever divided: those are halves of beats."""
    if len(beats_s) < 2 * FEWEST_BEATS or float(np.median(np.diff(beats_s))) >= _FAST_S:
        return beats_s
    between_s = (beats_s[1:] + beats_s[:-1]) / 2
    first, last = (np.searchsorted(heard.at_s, between_s + aside_s) for aside_s in (-NEAR_S, NEAR_S))
    if np.mean(last > first) >= _DIVIDED:
        return beats_s
    signs = _signs(heard, beats_s)
    return beats_s[int(signs[1::2].mean() > signs[::2].mean()) :: 2]


def _signs(heard: _Heard, beats_s: FloatArray) -> FloatArray:
    """How much each beat seems to begin a bar, (beats,)."""
    count = len(beats_s)
    edges_s = np.append(beats_s, 2 * beats_s[-1] - beats_s[-2]) - NEAR_S
    beat = np.searchsorted(edges_s, heard.at_s, side="right") - 1
    within = (beat >= 0) & (beat < count)
    on_it = within & (heard.at_s < edges_s[np.clip(beat, 0, count - 1)] + 2 * NEAR_S)
    classes, depth, length_s = np.zeros((count, _OCTAVE)), np.zeros(count), np.zeros(count)
    place = (beat[within], heard.pitch_class[within].astype(np.int64))
    np.add.at(classes, place, heard.length_s[within] * (1.0 + heard.depth[within]))
    np.maximum.at(depth, beat[on_it], heard.depth[on_it])
    np.maximum.at(length_s, beat[on_it], heard.length_s[on_it])
    unit = classes / np.maximum(np.linalg.norm(classes, axis=1, keepdims=True), 1e-9)
    change = np.append(0.0, 1.0 - (unit[1:] * unit[:-1]).sum(axis=1))
    signs: FloatArray = _BAR_BY_CHANGE * change + _BAR_BY_DEPTH * depth + _BAR_BY_LENGTH * length_s
    return signs


def _bars(signs: FloatArray, beats_per_bar: int) -> tuple[int, ...]:
    """Which beats begin bars: the best path (Viterbi) through places in the bar, a short bar being dear."""
    worth, came = np.zeros(beats_per_bar), np.zeros((len(signs), beats_per_bar), dtype=np.int64)
    standard = (signs - signs.mean()) / max(float(signs.std()), 1e-9)
    for i, sign in enumerate(standard.tolist()):
        came[i] = np.arange(-1, beats_per_bar - 1) % beats_per_bar
        best = int(worth.argmax())
        short, worth = worth[best] - _SHORT_BAR, worth[came[i]]
        if short > worth[0]:
            came[i, 0], worth[0] = best, short
        worth[0] += sign
    place, begins = int(worth.argmax()), list[int]()
    for i in range(len(signs) - 1, -1, -1):
        if place == 0:
            begins.append(i)
        place = int(came[i, place])
    return tuple(reversed(begins))
