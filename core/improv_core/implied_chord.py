"""Which pitch classes the chord has that is held or implied.

Chords are compared with a profile of what has been played: each is a template of pitch classes, as in
Fujishima, "Realtime chord recognition of musical sound" (1999), here under a multinomial model, so that the
answer is not one chord but how likely each pitch class is to belong to whatever chord it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.heard import HeardNote
from improv_core.notes import Part
from improv_core.representation.chord_names import OCTAVE

FloatArray = NDArray[np.float64]

QUALITIES: Final = {
    "maj": ((0, 4, 7), 0.0),
    "min": ((0, 3, 7), -0.4),
    "sus2": ((0, 2, 7), -2.5),
    "sus4": ((0, 5, 7), -2.5),
    "dim": ((0, 3, 6), -3.0),
    "7": ((0, 4, 7, 10), -1.5),
    "maj7": ((0, 4, 7, 11), -1.5),
    "min7": ((0, 3, 7, 10), -1.5),
    "hdim7": ((0, 3, 6, 10), -3.0),
    "dim7": ((0, 3, 6, 9), -4.0),
}
"""Semitones above the root, and how much less likely than a major triad, in nats."""


@dataclass(frozen=True, slots=True)
class ChordSense:
    """How what is played bears on the chord that is inferred of it; chosen on validation pieces.

    Attributes:
        fades_s: A key that is up counts for 1 / e after so long.
        held: What a key counts that is down, beside 1 for one just struck.
        foreign: Share of what is played that belongs to no chord.
        bass: Nats for a root in the bass.
        home_fades_s: The same as ``fades_s`` for the key, which is slower to change.
        home: How much chords of notes that have been played of late are preferred.
    """

    fades_s: float = 1.0
    held: float = 2.0
    foreign: float = 0.35
    bass: float = 1.0
    home_fades_s: float = 20.0
    home: float = 1.0


class ImpliedChord:
    """Infers chords; keeps no music, so that the same notes always give the same chord.

    Args:
        sense: How notes bear on chords.
    """

    def __init__(self, sense: ChordSense | None = None) -> None:
        self.sense = sense or ChordSense()
        self._templates, self._prior = _templates()
        sizes = self._templates.sum(axis=1, keepdims=True)
        inside = (1 - self.sense.foreign) / sizes
        outside = self.sense.foreign / (OCTAVE - sizes)
        self._log_emissions = np.log(np.where(self._templates > 0, inside, outside))
        self._shares = self._templates / sizes
        self._roots = np.tile(np.arange(OCTAVE), len(QUALITIES))

    def classes(self, heard: Sequence[HeardNote], held: Collection[int], at_s: float) -> FloatArray:
        """How likely each pitch class is to belong to the chord, (12,).

        Args:
            heard: Notes in the order of their onsets; the latest may be the one that is to be harmonised.
                Those of improv imply nothing, lest it believe itself.
            held: Keys of the player's that are down.
            at_s: Now.
        """
        recent, home = self._profiles(heard, held, at_s)
        evidence = self._log_emissions @ recent + self._prior
        evidence += self.sense.home * OCTAVE * (self._shares @ home)
        if len(held) > 1:  # one key alone may be any note of its chord
            evidence += self.sense.bass * (self._roots == min(held) % OCTAVE)
        likely = np.exp(evidence - evidence.max())
        belongs: FloatArray = likely @ self._templates / likely.sum()
        return belongs

    def _profiles(
        self, heard: Sequence[HeardNote], held: Collection[int], at_s: float
    ) -> tuple[FloatArray, FloatArray]:
        """What counts for the chord, and the shares of the pitch classes that tell of the key."""
        sense = self.sense
        oldest_s = at_s - 2 * sense.home_fades_s
        latest_first = takewhile(lambda note: note.onset_s >= oldest_s, reversed(heard))
        players = (note for note in latest_first if note.part == Part.PLAYER)
        notes = list(islice(players, _MOST_NOTES))
        classes = np.array([note.pitch % OCTAVE for note in notes], dtype=np.int64)
        age_s = at_s - np.array([note.onset_s for note in notes])
        fading = np.exp(-age_s / sense.fades_s)
        recent = np.bincount(classes, fading, minlength=OCTAVE).astype(np.float64)  # whole numbers of nothing
        newest = notes[0].pitch if notes else None
        for pitch in held:
            if pitch != newest:
                recent[pitch % OCTAVE] += sense.held
        home = np.bincount(classes, np.exp(-age_s / sense.home_fades_s), minlength=OCTAVE)
        return recent, (home + 0.5) / (home + 0.5).sum()


_MOST_NOTES: Final = 128


def _templates() -> tuple[FloatArray, FloatArray]:
    rows = np.zeros((len(QUALITIES) * OCTAVE, OCTAVE))
    for i, (semitones, _) in enumerate(QUALITIES.values()):
        for root in range(OCTAVE):
            rows[i * OCTAVE + root, [(root + one) % OCTAVE for one in semitones]] = 1
    return rows, np.repeat([prior for _, prior in QUALITIES.values()], OCTAVE)
