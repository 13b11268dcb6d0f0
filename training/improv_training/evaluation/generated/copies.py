"""Runs of notes that are in the training data note for note, up to transposition.

A run of n notes is n - 1 intervals and, where rhythm counts, n - 2 ratios of successive inter-onset
intervals, so that neither key nor tempo hides a copy. Notes struck within 30 ms are one onset and are taken
from low to high: the order in which a chord's notes come is chance. Runs are compared by 64-bit hashes.

Trills, repeated notes, scales and broken chords are in all music. A run of fewer than six different intervals
is called plain, and the shares are given with and without plain runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.notes import CHORD_MS
from improv_core.representation import Notes
from improv_core.representation.binning import IntArray

RUN_NOTES: Final = 20
PLAIN_BELOW: Final = 6
"""Different intervals in a run that is not plain."""

_RATIOS_PER_OCTAVE = 2
_WIDEST_RATIO = 8
_WITHIN_CHORD = 2 * _WIDEST_RATIO + 1
_FIRST = 2 * _WIDEST_RATIO + 2

_Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Symbols:
    """A piece as what a copy shares with it.

    Attributes:
        intervals: Semitones to each note from the one before, (notes - 1,).
        rhythms: Class of the ratio of the inter-onset interval before each note to the one before that; the
            same for both notes of an interval that lies within a chord; (notes - 1,).
    """

    intervals: IntArray
    rhythms: IntArray


def symbols(notes: Notes) -> Symbols:
    """Intervals and rhythm of two notes or more, chords from low to high."""
    onset = chord_onsets_ms(notes)
    order = np.lexsort((notes.pitch, onset))
    gaps = np.diff(onset)  # zero within a chord
    rhythms = np.full(len(gaps), _WITHIN_CHORD)
    places = np.flatnonzero(gaps)
    ratios = np.log2(gaps[places][1:] / gaps[places][:-1]) * _RATIOS_PER_OCTAVE
    rhythms[places[:1]] = _FIRST
    rhythms[places[1:]] = np.clip(np.rint(ratios), -_WIDEST_RATIO, _WIDEST_RATIO) + _WIDEST_RATIO
    return Symbols(np.diff(notes.pitch[order]), rhythms.astype(np.int64))


def chord_onsets_ms(notes: Notes) -> IntArray:
    """The onset of the first note of the chord that each note is of, ascending, (notes,)."""
    firsts = np.append(True, notes.dt_ms[1:] > CHORD_MS)
    onset_ms = notes.onset_ms
    begins: IntArray = np.maximum.accumulate(np.where(firsts, onset_ms, -1))
    return begins


@dataclass(frozen=True, slots=True)
class Copied:
    """Runs of a set of continuations that are in the training data.

    Attributes:
        share: Of the continuations that have one.
        share_not_plain: Of those that have one that is not plain.
    """

    share: float
    share_not_plain: float


class TrainingRuns:
    """Every run of so many notes in the training data.

    Args:
        pieces: The training data.
        run_notes: Length of a run.
        rhythm: Whether rhythm counts, or pitch alone.
    """

    def __init__(self, pieces: Iterable[Symbols], *, run_notes: int = RUN_NOTES, rhythm: bool = True) -> None:
        self._run_notes, self._rhythm = run_notes, rhythm
        hashes = [self._hashes(piece) for piece in pieces]
        self._known = np.unique(np.concatenate([*hashes, np.zeros(0, dtype=np.uint64)]))

    def __len__(self) -> int:
        return len(self._known)

    def found(self, one: Symbols) -> NDArray[np.bool_]:
        """For each run of a piece, in order, whether it is in the training data."""
        hashes = self._hashes(one)
        if not len(self._known):
            return np.zeros(len(hashes), dtype=np.bool_)
        places = np.minimum(np.searchsorted(self._known, hashes), len(self._known) - 1)
        there: NDArray[np.bool_] = self._known[places] == hashes
        return there

    def copied(self, continuations: Sequence[Symbols]) -> Copied:
        """How many of some continuations hold a copied run."""
        some, not_plain = 0, 0
        for one in continuations:
            found = self.found(one)
            some += bool(found.any())
            not_plain += bool((found & ~plain(one, self._run_notes)).any())
        return Copied(some / len(continuations), not_plain / len(continuations))

    def _hashes(self, one: Symbols) -> _Hashes:
        runs = _windows(one.intervals, self._run_notes - 1)
        if self._rhythm:
            runs = np.concatenate([runs, _inside(_windows(one.rhythms, self._run_notes - 1))], axis=1)
        return _hashed(runs)


def plain(one: Symbols, run_notes: int = RUN_NOTES) -> NDArray[np.bool_]:
    """For each run of a piece, in order, whether it has few different intervals."""
    runs = np.sort(_windows(one.intervals, run_notes - 1), axis=1)
    different: NDArray[np.bool_] = (np.diff(runs, axis=1) != 0).sum(axis=1) + 1 < PLAIN_BELOW
    return different


def _windows(values: IntArray, width: int) -> IntArray:
    if len(values) < width:
        return np.zeros((0, width), dtype=np.int64)
    return np.lib.stride_tricks.sliding_window_view(values, width)


def _inside(rhythms: IntArray) -> IntArray:
    """The rhythm of each run without what the first of its times has to do with the time before the run."""
    firsts = np.argmax(rhythms != _WITHIN_CHORD, axis=1)
    inside = rhythms.copy()
    rows = np.arange(len(inside))
    inside[rows, firsts] = np.where(inside[rows, firsts] == _WITHIN_CHORD, _WITHIN_CHORD, _FIRST)
    return inside


def _hashed(runs: IntArray) -> _Hashes:
    """Of each row."""
    place = np.arange(1, runs.shape[1] + 1, dtype=np.uint64) << np.uint64(32)
    said = (runs + 1024).astype(np.uint64)
    return _mixed(_mixed(said + place).sum(axis=1, dtype=np.uint64))


def _mixed(values: _Hashes) -> _Hashes:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: _Hashes = values ^ (values >> np.uint64(31))
    return mixed


def pieces_of(runs: Iterable[Notes]) -> Iterator[Symbols]:
    """`symbols` of each run of notes that has two at least."""
    for notes in runs:
        if len(notes) > 1:
            yield symbols(notes)
