"""Notes and chords as symbols of a learned vocabulary: what the music21 family of students' models reads."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, Self, get_args

import numpy as np
from numpy.typing import NDArray

from improv_core.representation.binning import Identity, IntArray
from improv_core.representation.chord_names import OCTAVE, Chords, pitches_of, symbol_of
from improv_core.representation.onsets import onset_starts
from improv_core.representation.steps import (
    KEYS,
    Attribute,
    Column,
    Dense,
    Form,
    Lack,
    Notes,
    Rows,
    Steps,
    Wishes,
    nothing_asked,
)
from improv_core.representation.writing import Ink, Written

UNKNOWN: Final = 0
"""The class of every symbol that the vocabulary does not hold; it is never drawn."""


@dataclass(frozen=True, slots=True)
class Symbols:
    """The notes of one onset are a step of one attribute, their symbol.

    Attributes:
        chords: How a chord is named: by its pitches, or by its pitch classes in normal order.
        min_count: Symbols rarer than this in training become unknown.
        form: How a symbol is read.
        table: The vocabulary; class ``i + 1`` is ``table[i]``.
    """

    kind: ClassVar[str] = "symbols"
    asked: ClassVar[tuple[Column, ...]] = ()
    dense: ClassVar[Dense] = Dense()
    lacks: ClassVar[tuple[Lack, ...]] = ("timing", "note lengths", "loudness", "pedal")

    chords: Chords
    min_count: int
    form: Form = "embedding"
    table: tuple[str, ...] = ()
    _index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.chords not in get_args(Chords) or self.min_count < 1:
            raise ValueError(f"chords are named by one of {get_args(Chords)}, counts begin at 1")
        index = {symbol: i + 1 for i, symbol in enumerate(self.table)}
        object.__setattr__(self, "_index", index)

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> Symbols:
        """The inverse of `spec`.

        Raises:
            ValueError: Something in it cannot be.
        """
        table = tuple(spec.get("table", ()))
        for symbol in table:
            pitches_of(symbol, bass=48)
        return cls(spec["chords"], spec["min_count"], spec.get("form", "embedding"), table)

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The symbol alone."""
        return (Attribute("symbol", Identity(len(self.table) + 1), self.form),)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The symbol alone."""
        return (Column("symbol", len(self.table) + 2, self.form),)

    def spec(self) -> dict[str, Any]:
        """Kind, how symbols are made, and the table of them."""
        return {
            "kind": self.kind,
            "chords": self.chords,
            "min_count": self.min_count,
            "form": self.form,
            "table": list(self.table),
        }

    def learned(self, pieces: Iterable[Notes]) -> Self:
        """With a vocabulary of the symbols that come at least ``min_count`` times."""
        counts: Counter[str] = Counter()
        for notes in pieces:
            counts.update(symbol_of(group, self.chords) for group in _groups(notes))
        kept = sorted(symbol for symbol, count in counts.items() if count >= self.min_count)
        return replace(self, table=tuple(kept))

    def start(self) -> Steps:
        """A class of its own."""
        return self.read(len(self.table) + 1)

    def read(self, index: int) -> Steps:
        """What the model reads of one symbol."""
        return Steps(np.array([[index]], dtype=np.int64), np.zeros((1, 0), dtype=np.float32))

    def rows(self, notes: Notes, part: IntArray, wishes: Wishes | None = None) -> Rows:
        """Every onset is a step."""
        groups = _groups(notes)
        indices = [self._index.get(symbol_of(group, self.chords), UNKNOWN) for group in groups]
        index = np.array(indices, dtype=np.int64)[:, None]
        sizes = np.array([len(group) for group in groups], dtype=np.int64)
        unknown = index[:, 0] == UNKNOWN
        charge = np.zeros(len(groups))
        for i in np.flatnonzero(unknown):
            charge[i] = self.unknown_nats(len(set(groups[i])))
        return Rows(
            read=Steps(index, np.zeros((len(groups), 0), dtype=np.float32)),
            targets=index,
            asked=nothing_asked(len(groups)),
            scored=np.ones(len(groups), dtype=np.bool_),
            notes=sizes,
            lost=np.where(unknown, sizes, 0),
            charge=charge,
        )

    def unknown_nats(self, size: int) -> float:
        """What it costs to say which notes an unknown symbol stands for, all being equally likely.

        With chords in normal order: which of the notes and sets of pitch classes. Otherwise how many notes,
        then which.
        """
        if self.chords == "normal-order":
            return math.log(KEYS + 2**OCTAVE - 1)
        return math.log(KEYS) + math.log(math.comb(KEYS, size))

    def writer(self, notes: Notes, ink: Ink) -> SymbolWriter:
        """For what follows ``notes``, whose last bass gives chords without octaves their place."""
        starts = onset_starts(notes)
        bass = int(notes.pitch[starts[-1] :].min()) if len(starts) else _BASS
        return SymbolWriter(self, ink, bass)


_BASS: Final = 48
"""Where chords without octaves begin when nothing has been played."""
_BASSES: Final = (36, 60)
"""Chords without octaves do not wander off beyond these."""


class SymbolWriter:
    """A step is the notes of one onset; times, loudness and pedal are the player's."""

    def __init__(self, representation: Symbols, ink: Ink, bass: int) -> None:
        self._representation = representation
        self._ink = ink
        self._bass = self._in_place(bass)
        self._onset_ms = 0
        self._mask = _playable(representation.table, ink.lowest_pitch, ink.highest_pitch)

    def mask(self, attribute: int, values: Sequence[int]) -> NDArray[np.float64] | None:
        """The unknown symbol has no notes, and others are out of range, if not all are."""
        return self._mask

    def take(self, values: Sequence[int]) -> tuple[list[Written], Steps]:
        """All notes of the symbol at once."""
        (index,) = values
        symbol = self._representation.table[index - 1]
        pitches = pitches_of(symbol, self._bass)
        if symbol[0].isdecimal():
            self._bass = self._in_place(pitches[0])
            pitches = tuple(pitch + self._bass - pitches[0] for pitch in pitches)
        pitches = _within(pitches, self._ink.lowest_pitch, self._ink.highest_pitch)
        habit = self._ink.habits.next_onset()
        self._onset_ms += habit.dt_ms
        notes = [
            Written(self._onset_ms, pitch, habit.velocity, habit.pedal, habit.duration_ms)
            for pitch in pitches
        ]
        return notes, self._representation.read(index)

    def _in_place(self, bass: int) -> int:
        """Octaves up or down, until it is neither too low nor too high."""
        lowest, highest = (min(max(b, self._ink.lowest_pitch), self._ink.highest_pitch) for b in _BASSES)
        return _octaves_into(bass, lowest, max(highest, lowest + OCTAVE - 1))


def _within(pitches: Sequence[int], lowest: int, highest: int) -> tuple[int, ...]:
    """Those in range; if none is, what is nearest to them, by octaves where that is possible."""
    inside = tuple(pitch for pitch in pitches if lowest <= pitch <= highest)
    if inside:
        return inside
    return tuple(sorted({min(_octaves_into(pitch, lowest, highest), highest) for pitch in pitches}))


def _octaves_into(pitch: int, lowest: int, highest: int) -> int:
    if pitch > highest:
        pitch -= OCTAVE * -(-(pitch - highest) // OCTAVE)
    return pitch + OCTAVE * max(0, -(-(lowest - pitch) // OCTAVE))


@functools.lru_cache(maxsize=4)  # a turn begins with it, and large vocabularies take a tenth of a second
def _playable(table: tuple[str, ...], lowest: int, highest: int) -> NDArray[np.float64]:
    mask = np.full(len(table) + 1, -np.inf)
    for i, symbol in enumerate(table):
        octaveless = symbol[0].isdecimal()
        if octaveless or any(lowest <= pitch <= highest for pitch in pitches_of(symbol, _BASS)):
            mask[i + 1] = 0
    if np.isneginf(mask).all():
        mask[1:] = 0
    mask.setflags(write=False)
    return mask


def _groups(notes: Notes) -> list[list[int]]:
    """The pitches of each onset."""
    pitches = notes.pitch.tolist()
    bounds = [*onset_starts(notes).tolist(), len(pitches)]
    return [pitches[a:b] for a, b in itertools.pairwise(bounds)]
