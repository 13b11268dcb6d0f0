"""The notes of an onset in the order of the file, and how chords are broken and doubled in it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from improv_core.representation import KEYS, Notes
from improv_core.representation.chord_names import OCTAVE
from improv_core.representation.onsets import onset_starts


def groups_of(notes: Notes) -> list[list[int]]:
    """The pitches of each onset, in the order of the file."""
    starts = onset_starts(notes)
    pitches = notes.pitch.tolist()
    ends = [*starts[1:].tolist(), len(pitches)]
    return [pitches[begin:end] for begin, end in zip(starts.tolist(), ends, strict=True)]


@dataclass(frozen=True, slots=True)
class ChordHabits:
    """How the notes of a chord come.

    Attributes:
        rising: Share of the chords of so many notes whose order is always the rising one, (KEYS + 1,); of the
            others every order is alike.
        doubling: How often a further note of a chord has a pitch class that it has already, while others of
            its classes are still missing.
        going_on: How often a chord whose classes are complete has a further note.
    """

    rising: NDArray[np.float64]
    doubling: float
    going_on: float

    @classmethod
    def none(cls) -> ChordHabits:
        """Any order, and doublings half of the time."""
        return cls(np.zeros(KEYS + 1), 0.5, 0.5)

    @classmethod
    def learned(cls, pieces: Iterable[Notes]) -> ChordHabits:
        """Counted over pieces, each share smoothed by two observations."""
        rising, chords = np.zeros((2, KEYS + 1))
        doubling, going_on = [1, 2], [1, 2]
        for notes in pieces:
            for group in groups_of(notes):
                if len(group) < 2 or len(set(group)) < len(group):
                    continue
                chords[len(group)] += 1
                rising[len(group)] += group == sorted(group)
                _count_classes(group, doubling, going_on)
        chance = np.array([1 / math.factorial(size) for size in range(KEYS + 1)])
        share = (rising + 2 * chance) / (chords + 2)
        surely = np.zeros(KEYS + 1)
        surely[2:] = np.clip((share[2:] - chance[2:]) / (1 - chance[2:]), 0, 1)
        return cls(surely, doubling[0] / doubling[1], going_on[0] / going_on[1])


def _count_classes(group: list[int], doubling: list[int], going_on: list[int]) -> None:
    classes = [pitch % OCTAVE for pitch in group]
    everything = len(set(classes))
    for place in range(1, len(classes) + 1):
        heard = set(classes[:place])
        more = place < len(classes)
        if len(heard) < everything:
            doubling[0] += classes[place] in heard
            doubling[1] += 1
        elif place > 1:
            going_on[0] += more
            going_on[1] += 1
