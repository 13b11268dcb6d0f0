"""A whole performance to `Notes` at once: what training and evaluation read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from improv_core.notes import PEDAL_DOWN_FROM, Note, Performance
from improv_core.representation.binning import IntArray
from improv_core.representation.steps import Notes


def to_ms(seconds: float) -> int:
    """Whole milliseconds, the clock of every representation."""
    return round(seconds * 1000)


def encode(performance: Performance) -> Notes:
    """Every note of a performance, as a piano's keys would have given it.

    A key that is struck again ends its earlier note; of two notes of one pitch at one onset the louder
    velocity and the longer duration stay. Events of one millisecond count as pedal, releases, onsets.
    """
    notes = keyed(performance.notes)
    onset_ms = np.array([note[0] for note in notes], dtype=np.int64)
    pitch = np.array([note[1] for note in notes], dtype=np.int64)
    release_ms = np.array([note[3] for note in notes], dtype=np.int64)
    return Notes(
        dt_ms=np.diff(onset_ms, prepend=onset_ms[:1]),
        pedal=_pedal_at(performance, onset_ms),
        pitch=pitch,
        velocity=np.array([note[2] for note in notes], dtype=np.int64),
        duration_ms=release_ms - onset_ms,
    )


def keyed(notes: Sequence[Note]) -> list[tuple[int, int, int, int]]:
    """(onset_ms, pitch, velocity, release_ms) in order, no two of one pitch overlapping.

    What a piano's keys would have done, whatever the notes say; each lasts a millisecond at least.
    """
    merged: dict[tuple[int, int], tuple[int, int]] = {}
    for note in notes:
        key = (to_ms(note.onset_s), note.pitch)
        velocity, release_ms = merged.get(key, (0, key[0] + 1))
        merged[key] = (max(velocity, note.velocity), max(release_ms, to_ms(note.release_s)))
    keyed, next_onset_ms = [], dict[int, int]()
    for (onset_ms, pitch), (velocity, release_ms) in sorted(merged.items(), reverse=True):
        keyed.append((onset_ms, pitch, velocity, min(release_ms, next_onset_ms.get(pitch, release_ms))))
        next_onset_ms[pitch] = onset_ms
    return keyed[::-1]


def _pedal_at(performance: Performance, onset_ms: IntArray) -> IntArray:
    pedal = performance.pedal
    at_ms = np.array([to_ms(change.at_s) for change in pedal], dtype=np.int64)
    down = np.array([0, *(change.value >= PEDAL_DOWN_FROM for change in pedal)], dtype=np.int64)
    return down[np.searchsorted(at_ms, onset_ms, side="right")]
