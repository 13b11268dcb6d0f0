"""What phrases have in common, whatever their key and tempo: runs of intervals, with rhythm or without.

Notes struck together are taken from low to high, since the order in which the notes of a chord come is
chance. Rhythm is told coarsely: nobody plays the same inter-onset interval twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from improv_core.heard import HeardNote
from improv_core.improvising import PlannedNote
from improv_core.notes import CHORD_MS

MOTIF_NOTES: Final = 4
"""Notes of a motif: three intervals, each with its rhythm."""

SHINGLE_NOTES: Final = 8
"""Notes of the runs by which repetition between phrases is told: seven intervals, no rhythm."""

_SAME_WITHIN: Final = 2**0.5
"""Two inter-onset intervals are alike when neither is this many times the other."""

_CHORD, _SHORTER, _SAME, _LONGER = range(4)

Gram = tuple[int, ...]


@dataclass(frozen=True)
class Phrase:
    """A run of notes by onset, those struck together from low to high. Made by `heard`, `planned` or `of`.

    Attributes:
        onset_s: Of the first note of the chord that each note is of, (notes,).
        pitch: 0..127, (notes,).
        velocity: 1..127, (notes,).
        duration_s: Key down to key up, (notes,).
    """

    onset_s: NDArray[np.float64]
    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]
    duration_s: NDArray[np.float64]

    @classmethod
    def of(cls, notes: Iterable[tuple[float, int, int, float]]) -> Self:
        """From (onset_s, pitch, velocity, duration_s) in any order."""
        rows: list[list[float]] = []
        latest_s = begin_s = float("-inf")
        for onset_s, *rest in sorted(notes):
            if onset_s - latest_s > CHORD_MS / 1000:
                begin_s = onset_s
            latest_s = onset_s
            rows.append([begin_s, *rest])
        rows.sort(key=lambda row: (row[0], row[1]))
        columns = np.array(rows, dtype=np.float64).reshape(-1, 4).T
        return cls(columns[0], columns[1].astype(np.int64), columns[2].astype(np.int64), columns[3])

    @classmethod
    def heard(cls, notes: Sequence[HeardNote]) -> Self:
        """Notes that were heard; a key that is still held counts as held to the end of the phrase."""
        ends_s = [note.onset_s + (note.duration_s or 0.0) for note in notes]
        end_s = max(ends_s, default=0.0)
        return cls.of(
            (
                note.onset_s,
                note.pitch,
                note.velocity,
                end_s - note.onset_s if note.duration_s is None else note.duration_s,
            )
            for note in notes
        )

    @classmethod
    def planned(cls, notes: Sequence[PlannedNote]) -> Self:
        """Notes that were drawn."""
        return cls.of((one.onset_s, one.pitch, one.velocity, one.release_s - one.onset_s) for one in notes)

    def __len__(self) -> int:
        return len(self.pitch)

    @cached_property
    def onsets_s(self) -> NDArray[np.float64]:
        """Each onset once, a chord being one; (onsets,)."""
        return self.onset_s[np.append(True, np.diff(self.onset_s) > 0)] if len(self) else self.onset_s

    @cached_property
    def intervals(self) -> tuple[int, ...]:
        """Semitones to each note from the one before, (notes - 1,)."""
        return tuple(np.diff(self.pitch).tolist())

    @cached_property
    def rhythms(self) -> tuple[int, ...]:
        """Of each interval: within a chord, or after a time shorter than, like or longer than the last."""
        classes, last_s = [], None
        for gap_s in np.diff(self.onset_s).tolist():
            if gap_s == 0:
                classes.append(_CHORD)
                continue
            classes.append(_SAME if last_s is None else _rhythm(gap_s / last_s))
            last_s = gap_s
        return tuple(classes)

    @cached_property
    def motifs(self) -> frozenset[Gram]:
        """Every run of `MOTIF_NOTES`, as intervals and rhythm."""
        both = [x for pair in zip(self.intervals, self.rhythms, strict=True) for x in pair]
        width = 2 * (MOTIF_NOTES - 1)
        return frozenset(tuple(both[i : i + width]) for i in range(0, len(both) - width + 1, 2))

    @cached_property
    def shingles(self) -> frozenset[Gram]:
        """Every run of `SHINGLE_NOTES`, as intervals."""
        return frozenset(grams(self.intervals, SHINGLE_NOTES - 1))


def _rhythm(ratio: float) -> int:
    return _SHORTER if ratio < 1 / _SAME_WITHIN else _LONGER if ratio > _SAME_WITHIN else _SAME


def grams(values: Sequence[int], length: int) -> list[Gram]:
    """Every run of so many values, in order."""
    return [tuple(values[i : i + length]) for i in range(len(values) - length + 1)]


def found(some: Collection[Gram], others: Collection[Gram]) -> float:
    """The share of some runs that are among others; 0 where there are none."""
    return sum(gram in others for gram in some) / len(some) if some else 0.0


def motif_overlap(phrase: Phrase, other: Phrase) -> float:
    """The share of a phrase's different motifs that are found in another; 0 where it has none."""
    return found(phrase.motifs, other.motifs)


def repeats(phrase: Phrase, intervals: int = 4) -> float:
    """The share of a phrase's runs of so many intervals that it has had before; 0 where it has none."""
    runs = grams(phrase.intervals, intervals)
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def opening(phrase: Phrase, intervals: int = 3) -> Gram:
    """The opening gesture: the first intervals between the highest notes of its onsets."""
    highest = [
        pitch
        for (begin_s, pitch), (next_s, _) in pairwise(
            [*zip(phrase.onset_s.tolist(), phrase.pitch.tolist(), strict=True), (float("inf"), 0)]
        )
        if next_s > begin_s
    ]
    return tuple(np.diff(highest[: intervals + 1]).tolist())
