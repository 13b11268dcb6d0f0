"""What symbols say of pitches, one after the other.

Of a chord a symbol tells the notes but not the order in which they come in the file; how chords are broken is
learned from the training split (`improv_training.evaluation.chords.ChordHabits`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from improv_core.representation import KEYS, Symbols
from improv_core.representation.binning import IntArray
from improv_core.representation.chord_names import OCTAVE, pitches_of
from improv_core.representation.symbols import UNKNOWN
from improv_training.evaluation.chords import ChordHabits

Shares = NDArray[np.float64]

_LOWEST, _HIGHEST = 21, 108
_PIANO: Final = np.arange(_LOWEST, _HIGHEST + 1)
_KEYS_OF_CLASS: Final = np.bincount(_PIANO % OCTAVE, minlength=OCTAVE)


class Spelling(Protocol):
    """What symbols say of pitches; row 0 of everything is the unknown symbol, which may be anything."""

    @property
    def first(self) -> Shares:
        """Of each symbol the probability of every pitch to come first, (symbols, KEYS)."""
        ...

    def following(self, shares: Shares, arrived: Sequence[int]) -> Shares:
        """Probability of every pitch to come next in the same onset, (KEYS,).

        Args:
            shares: Probability of each symbol before the onset began, (symbols,).
            arrived: Its pitches so far.
        """
        ...


class PitchSpelling:
    """Chords are the pitches that they are made of.

    Args:
        table: The vocabulary.
        habits: How chords are broken.
    """

    def __init__(self, table: Sequence[str], habits: ChordHabits) -> None:
        chords = [(), *(pitches_of(symbol, _LOWEST) for symbol in table)]
        self._sizes = np.array([len(chord) for chord in chords])
        self._sorted = np.full((len(chords), self._sizes.max() + 1), -1)
        for i, chord in enumerate(chords):
            self._sorted[i, : len(chord)] = sorted(chord)
        self._holds = np.zeros((len(chords), KEYS))
        for i, chord in enumerate(chords):
            self._holds[i, list(chord)] = 1
        self._rising = habits.rising[self._sizes]

    @property
    def first(self) -> Shares:
        """See `Spelling`."""
        sizes, known = np.maximum(1, self._sizes), np.arange(1, len(self._sizes))
        shares: Shares = self._holds * ((1 - self._rising) / sizes)[:, None]
        shares[known, self._sorted[known, 0]] += self._rising[known]
        shares[UNKNOWN] = 1 / KEYS
        return shares

    def following(self, shares: Shares, arrived: Sequence[int]) -> Shares:
        """See `Spelling`."""
        count = len(arrived)
        possible = np.flatnonzero((self._sizes > count) & self._holds[:, list(arrived)].all(axis=1))
        if len(set(arrived)) < count:
            possible = possible[:0]
        sizes, rising = self._sizes[possible], self._rising[possible]
        orders = np.array([1 / math.perm(size, count + 1) for size in sizes.tolist()])
        any_order = shares[possible] * (1 - rising) * orders
        following = any_order @ self._holds[possible]
        following[list(arrived)] = 0
        so_far = (self._sorted[possible, :count] == np.array(arrived)).all(axis=1)
        in_order = possible[so_far]
        np.add.at(following, self._sorted[in_order, count], shares[in_order] * self._rising[in_order])
        return _with_unknown(following, shares[UNKNOWN], count)


class ClassSpelling:
    """Chords are pitch classes, each spread evenly over its octaves on the piano; single notes are pitches.

    Args:
        table: The vocabulary.
        habits: How chords are broken and doubled.
    """

    def __init__(self, table: Sequence[str], habits: ChordHabits) -> None:
        self._habits = habits
        self._single = np.full(len(table) + 1, -1)
        self._classes = np.zeros((len(table) + 1, OCTAVE))
        for i, symbol in enumerate(table, start=1):
            if symbol[0].isdecimal():
                self._classes[i, [int(one) for one in symbol.split(".")]] = 1
            else:
                (self._single[i],) = pitches_of(symbol, _LOWEST)
        self._sizes = self._classes.sum(axis=1)

    @property
    def first(self) -> Shares:
        """See `Spelling`."""
        shares: Shares = np.zeros((len(self._sizes), KEYS))
        each = self._classes / (np.maximum(1, self._sizes)[:, None] * _KEYS_OF_CLASS)
        shares[:, _PIANO] = each[:, _PIANO % OCTAVE]
        single = np.flatnonzero(self._single >= 0)
        shares[single, self._single[single]] = 1
        shares[UNKNOWN] = 1 / KEYS
        return shares

    def following(self, shares: Shares, arrived: Sequence[int]) -> Shares:
        """See `Spelling`."""
        on_piano = all(_LOWEST <= pitch <= _HIGHEST for pitch in arrived)
        distinct = len(set(arrived)) == len(arrived)
        possible = self._classes[:, [pitch % OCTAVE for pitch in arrived]].all(axis=1) & on_piano & distinct
        chords = np.flatnonzero(possible & (self._sizes > 0))
        weights = shares[chords].copy()
        for place, pitch in enumerate(arrived):
            weights *= self._each(chords, arrived[:place])[:, pitch]
        return _with_unknown(weights @ self._each(chords, arrived), shares[UNKNOWN], len(arrived))

    def _each(self, chords: IntArray, arrived: Sequence[int]) -> Shares:
        """Of each chord the probability that it goes on, and with which pitch; (chords, KEYS)."""
        heard = np.zeros(OCTAVE)
        heard[[pitch % OCTAVE for pitch in arrived]] = 1
        missing = self._classes[chords] * (1 - heard)
        left = missing.sum(axis=1)
        doubled = np.zeros(KEYS)
        doubled[_PIANO] = heard[_PIANO % OCTAVE]
        doubled[list(arrived)] = 0
        goes_on = 1.0 if len(arrived) < 2 else self._habits.going_on
        doubling = np.where(left > 0, self._habits.doubling if arrived else 0.0, goes_on)
        if not doubled.any():
            doubling[:] = 0
        each = np.outer(doubling, doubled / max(1, doubled.sum()))
        new = (np.where(left > 0, 1 - doubling, 0) / np.maximum(1, left))[:, None] * missing / _KEYS_OF_CLASS
        each[:, _PIANO] += new[:, _PIANO % OCTAVE]
        return each


def _with_unknown(following: Shares, unknown: float, count: int) -> Shares:
    """With an unknown symbol that may be any notes; in all, something follows."""
    shares: Shares = following + unknown * float(KEYS) ** -count / KEYS
    shares /= shares.sum()
    return shares


def spelling_of(representation: Symbols, habits: ChordHabits) -> Spelling:
    """What the symbols of a representation say of pitches."""
    kind = ClassSpelling if representation.chords == "normal-order" else PitchSpelling
    return kind(representation.table, habits)
