"""What can be measured of notes of improv's, and how two measurements differ."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from itertools import groupby, pairwise

from improv_daemon.wire import PlayNote

Measure = Callable[[Sequence[PlayNote]], float]
Shows = Callable[[float, float], bool]

C_MAJOR = frozenset({0, 2, 4, 5, 7, 9, 11})


# --- how two measurements differ --------------------------------------------------------------------


def rises(by: float) -> Shows:
    """The second is larger by more than this."""
    return lambda before, after: after > before + by


def falls(by: float) -> Shows:
    """The second is smaller by more than this."""
    return lambda before, after: after < before - by


def differs(before: float, after: float) -> bool:
    """They are not the same."""
    return abs(after - before) > 0.5


# --- of notes, by onset -----------------------------------------------------------------------------


def of_pitch(measure: Callable[[Sequence[int]], float]) -> Measure:
    """A measure of the pitches."""
    return lambda notes: float(measure([note.pitch for note in notes]))


def share_of(pitch: int) -> Measure:
    """How many of the notes are this key."""
    return lambda notes: sum(note.pitch == pitch for note in notes) / len(notes)


def outside(notes: Sequence[PlayNote]) -> float:
    """How many of the notes are outside C major."""
    return sum(note.pitch % 12 not in C_MAJOR for note in notes) / len(notes)


def longest_run(notes: Sequence[PlayNote]) -> float:
    """How often a key is struck again and again."""
    return float(max(len(list(run)) for _, run in groupby(note.pitch for note in notes)))


def gaps_s(notes: Sequence[PlayNote]) -> list[float]:
    """From one onset to the next."""
    return [after.onset_s - before.onset_s for before, after in pairwise(notes)]


def spread(values: Sequence[float]) -> float:
    """How many of them are something else than the most frequent, to a tenth of a second or a velocity."""
    rounded = [round(value, 1) for value in values]
    return 1.0 - max(map(rounded.count, rounded)) / len(rounded)


def lasting_s(notes: Sequence[PlayNote]) -> list[float]:
    """From key down to key up."""
    return [note.release_s - note.onset_s for note in notes]


def loudness(notes: Sequence[PlayNote]) -> float:
    """Mean velocity."""
    return statistics.mean(note.velocity for note in notes)


def most_at_once(notes: Sequence[PlayNote]) -> float:
    """The most keys that are down at a time."""
    return max(sum(other.onset_s <= note.onset_s < other.release_s for other in notes) for note in notes)


def length_s(notes: Sequence[PlayNote]) -> float:
    """From the first onset to the last."""
    return notes[-1].onset_s - notes[0].onset_s


def density(notes: Sequence[PlayNote]) -> float:
    """Notes a second."""
    return (len(notes) - 1) / length_s(notes)
