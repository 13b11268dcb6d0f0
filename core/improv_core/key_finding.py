"""The scale of what is played, from how often each pitch class was heard.

Every key has a weight for each pitch class, the same above every tonic, as the key profiles of Krumhansl and
Kessler (1982) and Temperley (1999) have; these were learned as a logistic regression on the training part of
POP909 (Wang et al. 2020), whose features are square roots of the counts (bench/scales.py --fit). Weighing
notes by their length makes it no better.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.heard import HeardNote
from improv_core.scales import TONICS

FloatArray = NDArray[np.float64]

HALF_LIFE_NOTES: Final = 64
"""So many notes later a note counts half."""

CERTAIN: Final = 0.6
"""How likely a scale must be to be taken; with few notes none is."""

_MAJOR: Final = (1.20, -1.29, 0.97, -1.03, 0.94, 0.46, -1.65, 1.09, -0.40, 0.72, -1.38, 0.46)
_MINOR: Final = (1.41, -1.70, 0.71, 0.82, -1.41, 0.88, -1.03, 1.23, 0.26, -1.69, 0.52, -0.07)
_MINOR_BIAS: Final = -0.25
_RELATIVE_MINOR: Final = 9
"""Semitones from the tonic of a major key to that of the minor key with the same notes."""

_WEIGHTS: Final = np.array([[np.roll(mode, tonic) for tonic in range(12)] for mode in (_MAJOR, _MINOR)])
_WINDOW: Final = 8 * HALF_LIFE_NOTES
_AGES: Final = 0.5 ** (np.arange(_WINDOW)[::-1] / HALF_LIFE_NOTES)


def scale_of(heard: Sequence[HeardNote]) -> str | None:
    """The name of a major or minor scale, None while too little was heard to tell.

    Args:
        heard: Oldest first.
    """
    scale, likelihood = likeliest_scale([note.pitch for note in heard[-_WINDOW:]])
    return scale if likelihood >= CERTAIN else None


def likeliest_scale(pitches: Sequence[int]) -> tuple[str, float]:
    """The name of a scale, and how likely it is that its notes are those of the key.

    Args:
        pitches: Oldest first.
    """
    keys = key_probabilities(pitches)
    same_notes = keys[0] + np.roll(keys[1], -_RELATIVE_MINOR)
    major = int(same_notes.argmax())
    minor = (major + _RELATIVE_MINOR) % 12
    name = f"{TONICS[major]} major" if keys[0, major] >= keys[1, minor] else f"{TONICS[minor]} minor"
    return name, float(same_notes[major])


def key_probabilities(pitches: Sequence[int]) -> FloatArray:
    """How likely each key is: major and minor by tonic from C, (2, 12), sum 1.

    Args:
        pitches: Oldest first.
    """
    logits = _WEIGHTS @ np.sqrt(pitch_class_counts(pitches)) + np.array([[0.0], [_MINOR_BIAS]])
    shares = np.exp(logits - logits.max())
    probabilities: FloatArray = shares / shares.sum()
    return probabilities


def pitch_class_counts(pitches: Sequence[int]) -> FloatArray:
    """How often each pitch class was heard, older notes counting less, (12,).

    Args:
        pitches: Oldest first.
    """
    latest = np.asarray(pitches[-_WINDOW:], dtype=np.int64)
    counts: FloatArray = np.bincount(latest % 12, _AGES[len(_AGES) - len(latest) :], minlength=12).astype(
        np.float64
    )
    return counts
