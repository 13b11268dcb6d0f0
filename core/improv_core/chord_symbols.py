"""What musicians call the notes that are struck together: ``Cm7``, ``F/A``, ``perfect fifth``."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Final

from improv_core.scales import TONICS

_OCTAVE: Final = 12

_QUALITIES: Final = {
    (0, 4, 7): "",
    (0, 3, 7): "m",
    (0, 3, 6): "dim",
    (0, 4, 8): "aug",
    (0, 4, 7, 10): "7",
    (0, 4, 7, 11): "maj7",
    (0, 3, 7, 10): "m7",
    (0, 3, 6, 10): "m7b5",
    (0, 3, 6, 9): "dim7",
    (0, 3, 7, 11): "m(maj7)",
    (0, 4, 7, 9): "6",
    (0, 3, 7, 9): "m6",
    (0, 5, 7): "sus4",
    (0, 2, 7): "sus2",
    (0, 5, 7, 10): "7sus4",
    (0, 2, 4, 7): "add9",
    (0, 2, 3, 7): "m(add9)",
    (0, 2, 4, 7, 10): "9",
    (0, 2, 4, 7, 11): "maj9",
    (0, 2, 3, 7, 10): "m9",
    (0, 1, 4, 7, 10): "7b9",
    (0, 3, 4, 7, 10): "7#9",
    (0, 2, 4, 7, 9): "6(add9)",
    (0, 2, 5, 7, 10): "9sus4",
    (0, 2, 4, 7, 9, 10): "13",
    (0, 2, 3, 5, 7, 10): "m11",
    (0, 4, 6, 10): "7b5",
    (0, 4, 8, 10): "7#5",
    (0, 4, 8, 11): "maj7#5",
    (0, 4, 10): "7(no5)",
    (0, 4, 11): "maj7(no5)",
    (0, 3, 10): "m7(no5)",
    (0, 3, 11): "m(maj7, no5)",
    (0, 2, 4, 10): "9(no5)",
    (0, 2, 4, 11): "maj9(no5)",
    (0, 2, 3, 10): "m9(no5)",
    (0, 4, 9, 10): "13(no5)",
    (0, 2, 4, 9, 10): "13(no5)",
}
"""Semitones above the root, and what follows the root's name; of two readings the first is the likelier."""

_INTERVALS: Final = (
    "octave",
    "minor second",
    "major second",
    "minor third",
    "major third",
    "perfect fourth",
    "tritone",
    "perfect fifth",
    "minor sixth",
    "major sixth",
    "minor seventh",
    "major seventh",
)


def chord_symbol(pitches: Iterable[int]) -> str:
    """The name of notes struck together; nothing of one note alone.

    Three pitch classes and more are a chord symbol; one whose root is in the bass is preferred, of others the
    bass is named (``C/E``). A power chord is a ``perfect fifth``, since ``C5`` is a note's name. What has no
    name is the names of its pitch classes from the bass up, as ``C-C#-D``.
    """
    ordered = sorted(set(pitches))
    if len(ordered) < 2:
        return ""
    return _named(ordered[0] % _OCTAVE, frozenset(pitch % _OCTAVE for pitch in ordered))


@functools.cache
def _named(bass: int, classes: frozenset[int]) -> str:
    above_bass = _above(bass, classes)
    if len(classes) < 3:
        return _INTERVALS[above_bass[-1]]
    if above_bass in _QUALITIES:
        return TONICS[bass] + _QUALITIES[above_bass]
    shapes = {root: _above(root, classes) for root in sorted(classes)}
    readings = [root for root, shape in shapes.items() if shape in _QUALITIES]
    if not readings:
        return "-".join(TONICS[(bass + step) % _OCTAVE] for step in above_bass)
    root = min(readings, key=lambda root: _PLACE[shapes[root]])
    return f"{TONICS[root]}{_QUALITIES[shapes[root]]}/{TONICS[bass]}"


def _above(root: int, classes: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted((one - root) % _OCTAVE for one in classes))


_PLACE: Final = {shape: place for place, shape in enumerate(_QUALITIES)}
