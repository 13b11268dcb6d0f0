"""Names of notes and chords, and back: the symbols of the music21 family of students' models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

Chords = Literal["pitches", "normal-order"]

_NAMES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
OCTAVE: Final = 12


def pitch_name(pitch: int) -> str:
    """``C4`` for middle C."""
    return f"{_NAMES[pitch % OCTAVE]}{pitch // OCTAVE - 1}"


def pitch_of(name: str) -> int:
    """The inverse of `pitch_name`.

    Raises:
        ValueError: It is none.
    """
    letter = name.rstrip("-0123456789")
    return _NAMES.index(letter) + OCTAVE * (int(name[len(letter) :]) + 1)


def normal_order(classes: Iterable[int]) -> tuple[int, ...]:
    """Pitch classes in their most compact order (Forte 1973): least span, then packed to the left."""
    ordered = sorted(set(classes))
    rotations = [(*ordered[i:], *ordered[:i]) for i in range(len(ordered))]

    def spans(rotation: tuple[int, ...]) -> tuple[int, ...]:
        steps = [(pitch_class - rotation[0]) % OCTAVE for pitch_class in rotation]
        return (steps[-1], *steps[1:-1])

    return min(rotations, key=lambda rotation: (spans(rotation), rotation))


def symbol_of(pitches: Iterable[int], chords: Chords) -> str:
    """The symbol of the notes of one onset: a note's name; of a chord all names, or its normal order."""
    ordered = sorted(set(pitches))
    if len(ordered) == 1 or chords == "pitches":
        return ".".join(pitch_name(pitch) for pitch in ordered)
    return ".".join(str(one) for one in normal_order(pitch % OCTAVE for pitch in ordered))


def pitches_of(symbol: str, bass: int) -> tuple[int, ...]:
    """The notes of a symbol, ascending.

    Args:
        symbol: From `symbol_of`.
        bass: A pitch near which a chord without octaves begins, the bass of the chord before.
    """
    names = symbol.split(".")
    if not names[0].isdecimal():
        return tuple(pitch_of(name) for name in names)
    root, *rest = (int(name) for name in names)
    lowest = bass + (root - bass + OCTAVE // 2) % OCTAVE - OCTAVE // 2
    return (lowest, *(lowest + (one - root) % OCTAVE for one in rest))
