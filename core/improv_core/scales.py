"""Scales by name."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.representation import KEYS

OFF: Final = "off"
AUTO: Final = "auto"

TONICS: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

PATTERNS: Final = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "pentatonic": (0, 2, 4, 7, 9),
    "blues": (0, 3, 5, 6, 7, 10),
}
"""Semitones above the tonic."""

SCALES: Final = (OFF, AUTO, *(f"{tonic} {pattern}" for tonic in TONICS for pattern in PATTERNS))
"""What ``sampling.scale`` may be."""

_LETTERS: Final = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_SIGNS: Final = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}


def spelled(text: str) -> str | None:
    """The one of `SCALES` that is meant, None if none is.

    Case does not matter, nor does it whether a hyphen or an underscore stands for a space, nor how a tonic
    is spelled: "Db major", "c# MAJOR" and "C sharp major" are one.
    """
    words = text.lower().replace("-", " ").replace("_", " ").split()
    if words in ([OFF], [AUTO]):
        return words[0]
    if len(words) > 1 and words[1] in ("sharp", "flat"):
        words[:2] = [words[0] + ("#" if words[1] == "sharp" else "b")]
    tonic, pattern = "".join(words[:1]), " ".join(words[1:])
    if pattern not in PATTERNS or tonic[:1] not in _LETTERS or tonic[1:] not in _SIGNS:
        return None
    return f"{TONICS[(_LETTERS[tonic[0]] + _SIGNS[tonic[1:]]) % 12]} {pattern}"


def pitch_classes(scale: str) -> frozenset[int]:
    """Those of a scale by its name in `SCALES`, C being 0.

    Raises:
        ValueError: It is none, or one without pitches of its own.
    """
    tonic, _, pattern = scale.partition(" ")
    if tonic not in TONICS or pattern not in PATTERNS:
        raise ValueError(f"there is no scale {scale!r}")
    return frozenset((TONICS.index(tonic) + step) % 12 for step in PATTERNS[pattern])


@functools.cache
def outside(scale: str) -> NDArray[np.bool_]:
    """For each key whether its pitch lies outside the scale, (KEYS,), read only.

    Raises:
        ValueError: See `pitch_classes`.
    """
    found: NDArray[np.bool_] = ~np.isin(np.arange(KEYS) % 12, list(pitch_classes(scale)))
    found.flags.writeable = False
    return found
