"""What there is to say of an answer beside its call, in numbers.

The pitch-class cosine, the motifs found in the call, and how dense, loud and high the answer is, relate it to
its call; how it slows down, and how long and how stable its last chord is, make its end.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.key_finding import key_probabilities
from improv_core.motifs import Gram, Phrase, found, motif_overlap, repeats

FloatArray = NDArray[np.float64]

_PROFILES = np.array(
    [
        [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
        [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],
    ]
)
"""How well each degree of a major and of a minor key fits it to listeners (Krumhansl and Kessler 1982)."""

_CENTRED = _PROFILES - _PROFILES.mean(axis=1, keepdims=True)
_STABILITY: Final = _CENTRED / _PROFILES.std(axis=1, keepdims=True)


@dataclass(frozen=True, slots=True)
class Traits:
    """An answer beside its call; NaN where one of them is too short to tell.

    Attributes:
        cosine: Of the two pitch-class histograms.
        density: Notes a second over those of the call, in octaves (log2).
        velocity: Mean over that of the call, in octaves.
        register: Mean pitch above that of the call, in semitones: a ratio too.
        motifs: Share of its motifs that are found in the call.
        repeats: Share of its runs of four intervals that it has had before.
        earlier: Share of its runs of eight notes that are found in earlier answers.
        slowing: Its last inter-onset interval over the median of its inter-onset intervals, in octaves.
        held: How long its last chord is held over the median of its durations, in octaves.
        stability: How well the last chord fits the key of call and answer, in deviations from the mean of
            all pitch classes.
    """

    cosine: float
    density: float
    velocity: float
    register: float
    motifs: float
    repeats: float
    earlier: float
    slowing: float
    held: float
    stability: float


ENDING: Final = frozenset(("slowing", "held", "stability"))
"""The `Traits` of an answer's end."""


def traits(call: Phrase, answer: Phrase, before: Collection[Gram] = ()) -> Traits:
    """What there is to say of an answer.

    Args:
        call: What is answered.
        answer: The answer.
        before: The shingles of earlier answers.
    """
    of_call, of_answer = pitch_classes(call), pitch_classes(answer)
    slowing, held = ending(answer)
    return Traits(
        cosine=_cosine(of_call, of_answer),
        density=_octaves(notes_per_s(answer), notes_per_s(call)),
        velocity=_octaves(_mean(answer.velocity), _mean(call.velocity)),
        register=_mean(answer.pitch) - _mean(call.pitch),
        motifs=motif_overlap(answer, call) if answer.motifs and call.motifs else math.nan,
        repeats=repeats(answer),
        earlier=found(answer.shingles, before),
        slowing=slowing,
        held=held,
        stability=stability(answer, call),
    )


def pitch_classes(phrase: Phrase) -> FloatArray:
    """How many notes are of each, (12,)."""
    return np.bincount(phrase.pitch % 12, minlength=12).astype(np.float64)


def notes_per_s(phrase: Phrase) -> float:
    """How dense it is; NaN for less than three onsets. A chord less than there are, as n have n - 1 gaps."""
    onsets = phrase.onsets_s
    if len(onsets) < 3:
        return math.nan
    return len(phrase) / len(onsets) * (len(onsets) - 1) / float(onsets[-1] - onsets[0])


def ending(phrase: Phrase) -> tuple[float, float]:
    """`Traits.slowing` and `Traits.held`."""
    gaps_s = np.diff(phrase.onsets_s)
    if len(gaps_s) < 2:
        return math.nan, math.nan
    last = phrase.onset_s == phrase.onset_s[-1]
    held_s, usual_s = float(phrase.duration_s[last].max()), _median(phrase.duration_s)
    return _octaves(float(gaps_s[-1]), _median(gaps_s)), _octaves(max(0.01, held_s), max(0.01, usual_s))


def stability(phrase: Phrase, call: Phrase) -> float:
    """Of its last chord in the key of both phrases, the mean over its notes; NaN without notes."""
    if not len(phrase):
        return math.nan
    keys = key_probabilities([*call.pitch.tolist(), *phrase.pitch.tolist()])
    mode, tonic = divmod(int(keys.argmax()), 12)
    last = phrase.pitch[phrase.onset_s == phrase.onset_s[-1]]
    return float(_STABILITY[mode, (last - tonic) % 12].mean())


def _cosine(one: FloatArray, other: FloatArray) -> float:
    scale = math.sqrt(float(one @ one) * float(other @ other))
    return float(one @ other) / scale if scale else math.nan


def _octaves(value: float, reference: float) -> float:
    return math.log2(value / reference) if value > 0 and reference > 0 else math.nan


def _mean(values: NDArray[np.int64]) -> float:
    return float(values.sum()) / len(values) if len(values) else math.nan


def _median(values: FloatArray) -> float:
    return float(np.sort(values)[len(values) // 2])
