"""Notes that go with one of the player's at once: under it, over it, or both.

The model tells which notes are likely as mates of the chord that the player has begun, the inferred chord
which pitch classes fit what is held or implied; what is chosen is the best of both, led smoothly from the
voices before. Nothing is left to chance.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from improv_core.heard import HeardNote
from improv_core.implied_chord import ChordSense, ImpliedChord
from improv_core.model import Heads
from improv_core.representation import ATTRIBUTE_NAMES, KEYS
from improv_core.representation.chord_names import OCTAVE
from improv_core.representation.piano import DT

FloatArray = NDArray[np.floating]
_Value = TypeVar("_Value", bound=np.generic)

REACH: Final = 16
"""Semitones between the player's note and the voices that go with it, at most."""

_PEDAL, _PITCH = ATTRIBUTE_NAMES.index("pedal"), ATTRIBUTE_NAMES.index("pitch")
_TOGETHER: Final = DT.index(0)


@dataclass(frozen=True, slots=True)
class Weighing:
    """What makes one voice better than another, in nats; chosen on validation pieces (bench/harmonise.py).

    Attributes:
        model: Weight of the model's log probability of the pitch.
        model_class: Weight of its log probability of the pitch class, in any octave.
        chord: Weight of the log probability that the pitch class belongs to the chord.
        motion: For each semitone from the nearest of the voices before.
        distance: For each semitone from the player's note beyond a third.
        doubling: For a pitch class that the player's note or another voice has.
        full: The same for the third voice and those after it: by then a triad is complete.
        clash: For a semitone or a minor ninth from a key that is down or another voice.
        second: For a whole tone.
        settles_s: Voices that began longer ago lead to nothing.
    """

    model: float = 0.5
    model_class: float = 1.0
    chord: float = 0.5
    motion: float = 0.15
    distance: float = 0.2
    doubling: float = 6.0
    full: float = 1.5
    clash: float = 3.0
    second: float = 2.5
    settles_s: float = 3.0


class Harmoniser:
    """Chooses the voices that go with each of the player's notes.

    Args:
        weighing: What is better.
        sense: How the chord is inferred.
    """

    def __init__(self, weighing: Weighing | None = None, sense: ChordSense | None = None) -> None:
        self._weighing = weighing or Weighing()
        self._chord = ImpliedChord(sense)
        self._previous: tuple[int, ...] = ()
        self._since_s = -np.inf
        self._clashes = _clashes(self._weighing)

    def choose(
        self,
        pitch: int,
        velocity: int,
        at_s: float,
        *,
        heads: Heads | None,
        projected: NDArray[np.float32],
        asked: Sequence[int],
        held: Collection[int],
        heard: Sequence[HeardNote],
        voices: int = 1,
        side: str = "below",
        lowest: int = 21,
        highest: int = 108,
        scale_bias: FloatArray | None = None,
    ) -> tuple[tuple[int, int], ...]:
        """The voices that go with a note of the player's, as (pitch, velocity), the best first.

        Args:
            pitch: Of the player's note.
            velocity: Of the player's note.
            at_s: Its onset, on the clock of ``heard``.
            heads: Of a model of the representation piano; None: only the chord speaks.
            projected: The model's output after it has read the player's note, (projected,).
            asked: What the heads are told, with improv as the one who is to play.
            held: The player's keys that are down, this note's among them or not; they are not doubled.
            heard: Notes in the order of their onsets, the player's note last.
            voices: How many, at most.
            side: ``below``, ``above`` or ``both``, which begins under the note and goes on over it in turn.
            lowest: Of the range.
            highest: Of the range.
            scale_bias: Added to the worth of each pitch, (KEYS,); minus infinity forbids it.

        Returns:
            Fewer than ``voices`` where range, scale and the keys that are down leave no room.
        """
        worth = self._worth(pitch, at_s, heads, projected, asked, held, heard)
        if scale_bias is not None:
            worth = worth + scale_bias
        worth[: max(0, lowest)] = worth[highest + 1 :] = -np.inf
        worth[[pitch, *held]] = -np.inf
        unders = [side == "below" or (side == "both" and place % 2 == 0) for place in range(voices)]
        chosen = self._led(worth, pitch, {pitch, *held}, unders)
        if chosen:
            self._previous, self._since_s = tuple(chosen), at_s
        return tuple((one, under_velocity(velocity)) for one in chosen)

    def _worth(
        self,
        pitch: int,
        at_s: float,
        heads: Heads | None,
        projected: NDArray[np.float32],
        asked: Sequence[int],
        held: Collection[int],
        heard: Sequence[HeardNote],
    ) -> NDArray[np.float64]:
        weighing = self._weighing
        belongs = self._chord.classes(heard, {*held, pitch}, at_s)
        worth: NDArray[np.float64] = weighing.chord * np.log(belongs + _UNHEARD_OF)[_CLASS]
        if heads is not None:
            likely = mates(heads, projected, asked)
            classes = np.bincount(_CLASS, likely, minlength=OCTAVE)
            worth += weighing.model * np.log(likely + _UNHEARD_OF)
            worth += weighing.model_class * np.log(classes + _UNHEARD_OF)[_CLASS]
        worth -= weighing.distance * np.maximum(np.abs(_KEYS - pitch) - 4, 0)
        for key in {pitch, *held}:
            worth -= _from(self._clashes, key)
        if self._previous and at_s - self._since_s < weighing.settles_s:
            moves = np.abs(_KEYS[:, None] - np.array(self._previous)).min(axis=1)
            worth -= weighing.motion * moves
        return worth

    def _led(
        self, worth: NDArray[np.float64], pitch: int, sounding: Collection[int], unders: Sequence[bool]
    ) -> list[int]:
        """One voice after the other, each the best that is left beside those before."""
        chosen: list[int] = []
        doubled = np.equal(_CLASS, pitch % OCTAVE)
        harsh = np.logical_or.reduce([_from(_HARSH, key) for key in sounding])
        for under in unders:
            cost = self._weighing.doubling if len(chosen) < _IN_TRIAD else self._weighing.full
            open_worth = worth - cost * doubled
            if chosen:  # better no second voice than a harsh one
                open_worth[harsh] = -np.inf
            begin, end = (max(0, pitch - REACH), pitch) if under else (pitch + 1, pitch + REACH + 1)
            best = begin + int(np.argmax(open_worth[begin:end])) if begin < min(end, KEYS) else pitch
            if np.isneginf(open_worth[best]):
                continue
            chosen.append(best)
            worth = worth - _from(self._clashes, best)
            worth[best] = -np.inf
            doubled |= np.equal(_CLASS, best % OCTAVE)
            harsh |= _from(_HARSH, best)
        return chosen


_IN_TRIAD: Final = 2
_UNHEARD_OF: Final = 1e-3
_KEYS: Final = np.arange(KEYS)
_CLASS: Final = _KEYS % OCTAVE


_HARSH: Final = np.isin(np.abs(np.arange(-KEYS, KEYS + 1)), (1, OCTAVE + 1))
"""By distance from -KEYS to KEYS whether it is a semitone or a minor ninth."""


def _from(by_distance: NDArray[_Value], pitch: int) -> NDArray[_Value]:
    """What is known by distance, for each pitch from this one; (KEYS,)."""
    return by_distance[KEYS - pitch : 2 * KEYS - pitch]


def _clashes(weighing: Weighing) -> NDArray[np.float64]:
    """Cost by distance from -KEYS to KEYS."""
    cost = np.where(_HARSH, weighing.clash, 0.0)
    cost[[KEYS - 2, KEYS + 2]] = weighing.second
    return cost


def mates(heads: Heads, projected: NDArray[np.float32], asked: Sequence[int]) -> NDArray[np.float64]:
    """How likely each pitch is if the next note sounds together with the latest, (KEYS,).

    Args:
        heads: Of a model of the representation piano.
        projected: The model's output after the latest note, (projected,).
        asked: What the heads are told of the next note.
    """
    z = heads.begin(projected, asked)
    pedal = int(np.argmax(heads.outputs(_PEDAL, z, (_TOGETHER,))))
    logits = heads.outputs(_PITCH, z, (_TOGETHER, pedal)).astype(np.float64)
    likely = np.exp(logits - logits.max())
    shares: NDArray[np.float64] = likely / likely.sum()
    return shares


def under_velocity(velocity: int) -> int:
    """A little softer than the player's note, so that it stays the melody."""
    return max(1, round(_SOFTER * velocity))


_SOFTER: Final = 0.85
