"""How phrases end, in real music and when improv has been told how long it may go on.

An ending is a phrase's last onset: how long its notes are held, how long it was waited for, how loud it is
against what came before, and which degree of the scale its lowest note is. The key is that of the notes
before, by the profiles of Krumhansl and Kessler (1982).
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
from improv_training.evaluation.conditioning.answers import overlap
from improv_training.evaluation.generated.calls import section
from improv_training.evaluation.generated.features import DURATION_EDGES_MS, ONSET_EDGES_MS
from improv_training.wishes import last_of_phrase

BEFORE: Final = 24
"""Notes that an ending is seen against."""

_MAJOR: Final = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR: Final = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
_LOUDNESS_EDGES: Final = np.array([0.6, 0.75, 0.85, 0.95, 1.05, 1.15, 1.3])


@dataclass(frozen=True, slots=True)
class Ending:
    """The last onset of some notes, beside those before it.

    Attributes:
        duration_ms: Of its longest note, key down to key up.
        waited_ms: Since the onset before.
        loudness: Its velocity over the mean of the notes before.
        degree: Semitones of its lowest note above the tonic, 0 to 11.
    """

    duration_ms: int
    waited_ms: int
    loudness: float
    degree: int


FEATURES: Final = ("duration", "waited", "loudness", "degree")


def ending(notes: Notes) -> Ending | None:
    """How notes end; None where too few come before the last onset."""
    begins = np.flatnonzero(np.append(True, notes.dt_ms[1:] > CHORD_MS))
    last = int(begins[-1])
    if last < BEFORE:
        return None
    before = section(notes, last - BEFORE, last)
    onset_ms = notes.onset_ms
    waited_ms = int(onset_ms[last] - onset_ms[begins[-2]])
    loudness = float(notes.velocity[last:].mean() / before.velocity.mean())
    degree = int(notes.pitch[last:].min() - tonic(before.pitch)) % 12
    return Ending(int(notes.duration_ms[last:].max()), waited_ms, loudness, degree)


def tonic(pitch: IntArray) -> int:
    """The pitch class that the key of some notes is named after."""
    counts = np.bincount(pitch % 12, minlength=12).astype(np.float64)
    likeness = [
        np.corrcoef(np.roll(profile, key), counts)[0, 1] if counts.std() else 0.0
        for key in range(12)
        for profile in (_MAJOR, _MINOR)
    ]
    return int(np.argmax(likeness)) // 2


def real_endings(pieces: Iterable[Notes]) -> Iterator[Ending]:
    """Of every phrase of pieces that has enough notes."""
    for notes in pieces:
        ends = np.flatnonzero(last_of_phrase(notes.onset_ms)) + 1
        for begin, end in zip(np.append(0, ends[:-1]).tolist(), ends.tolist(), strict=True):
            if end - begin > BEFORE and (found := ending(section(notes, begin, end))) is not None:
                yield found


def real_middles(pieces: Iterable[Notes], rng: np.random.Generator, each: int = 20) -> Iterator[Ending]:
    """Of pieces cut anywhere: what an end is that comes by the clock."""
    for notes in pieces:
        room = len(notes) - 2 * BEFORE
        for begin in rng.integers(max(1, room), size=each if room > 0 else 0).tolist():
            cut = section(notes, begin, begin + 2 * BEFORE)
            if (found := ending(cut)) is not None:
                yield found


def likeness(some: Sequence[Ending], real: Sequence[Ending]) -> NDArray[np.float64]:
    """Overlap of the histograms of each of `FEATURES`, 0 to 1; (features,)."""
    pairs = zip(_histograms(some), _histograms(real), strict=True)
    return np.array([overlap(one, other) for one, other in pairs])


def _histograms(endings: Sequence[Ending]) -> list[IntArray]:
    binned = (
        (np.array([one.duration_ms for one in endings]), DURATION_EDGES_MS[::2]),
        (np.array([one.waited_ms for one in endings]), ONSET_EDGES_MS[::2]),
        (np.array([one.loudness for one in endings]), _LOUDNESS_EDGES),
    )
    found = [
        np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
        for values, edges in binned
    ]
    return [*found, np.bincount([one.degree for one in endings], minlength=12)]
