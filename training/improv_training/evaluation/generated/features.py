"""Histograms of what can be counted in a run of notes.

Compared are notes `on_grid`: times on the grid of 10 ms on which the literature compares piano, and the notes
of one onset from low to high. A file has the notes of a chord in one order at one tick; a model draws them in
any order, a few milliseconds apart. Nobody hears either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.notes import CHORD_MS
from improv_core.representation import Notes
from improv_core.representation.binning import CELL_MS, IntArray

FloatArray = NDArray[np.float64]

TOGETHER_MS: Final = 50
"""Chord-mates let go within this count as released together."""

_WIDEST_INTERVAL = 25
_MOST_ONSETS = 25
_WINDOW_MS = 1000
_VELOCITIES = 32


def _edges(last_ms: float) -> FloatArray:
    """Cells of 10 ms up to 50 ms, then four to an octave."""
    steps = int(np.log2(last_ms / 55) * 4)
    return np.concatenate([np.arange(5, 50, 10), 55 * 2 ** (np.arange(steps + 1) / 4)])


ONSET_EDGES_MS: Final = _edges(4000)
DURATION_EDGES_MS: Final = _edges(10_000)
RELEASE_EDGES_MS: Final = np.array([5, 15, 30, TOGETHER_MS, 75, 105, 150, 210, 300, 420, 600, 1200]) + 0.5


def on_grid(notes: Notes) -> Notes:
    """Times between onsets and durations to the nearest 10 ms, the notes of one onset from low to high."""
    dt_ms = (notes.dt_ms + CELL_MS // 2) // CELL_MS * CELL_MS
    onset_ms = np.cumsum(dt_ms)
    order = np.lexsort((notes.pitch, onset_ms))
    return Notes(
        dt_ms=dt_ms,  # the same in any order within an onset
        pedal=notes.pedal[order],
        pitch=notes.pitch[order],
        velocity=notes.velocity[order],
        duration_ms=np.maximum(CELL_MS, (notes.duration_ms[order] + CELL_MS // 2) // CELL_MS * CELL_MS),
    )


def pitch_classes(notes: Notes) -> IntArray:
    """(12,)."""
    return np.bincount(notes.pitch % 12, minlength=12)


def intervals(notes: Notes) -> IntArray:
    """Semitones from each note to the next, in the order of onsets; beyond two octaves all alike; (51,)."""
    widest = _WIDEST_INTERVAL
    steps = np.clip(np.diff(notes.pitch), -widest, widest) + widest
    return np.bincount(steps, minlength=2 * widest + 1)


def inter_onsets(notes: Notes) -> IntArray:
    """Times from each onset to the next, (31,)."""
    return _binned(notes.dt_ms[1:], ONSET_EDGES_MS)


def densities(notes: Notes) -> IntArray:
    """Onsets in each whole second, from the first onset on; (26,)."""
    onset_ms = notes.onset_ms
    seconds = int(onset_ms[-1]) // _WINDOW_MS
    within = onset_ms[onset_ms < seconds * _WINDOW_MS] // _WINDOW_MS
    counts = np.minimum(np.bincount(within, minlength=seconds), _MOST_ONSETS)
    return np.bincount(counts, minlength=_MOST_ONSETS + 1)


def velocities(notes: Notes) -> IntArray:
    """In steps of four, (32,)."""
    return np.bincount(notes.velocity // 4, minlength=_VELOCITIES)


def durations(notes: Notes) -> IntArray:
    """Key down to key up."""
    return _binned(notes.duration_ms, DURATION_EDGES_MS)


def pedals(notes: Notes) -> IntArray:
    """Of each two notes in turn: up at both, put down, let up, down at both; (4,)."""
    return np.bincount(2 * notes.pedal[:-1] + notes.pedal[1:], minlength=4)


def chord_releases(notes: Notes) -> IntArray:
    """How far apart each two chord-mates, one struck right after the other, are let go; (13,)."""
    return _binned(release_gaps_ms(notes), RELEASE_EDGES_MS)


def release_gaps_ms(notes: Notes) -> IntArray:
    """Times between the releases of notes and the chord-mates struck right before them."""
    mates = notes.dt_ms[1:] <= CHORD_MS
    return np.abs(np.diff(notes.onset_ms + notes.duration_ms))[mates]


def _binned(values: IntArray, edges: FloatArray) -> IntArray:
    return np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that is counted.

    Attributes:
        name: In tables.
        count: Gives how often each class is there, an array of one length for all notes.
    """

    name: str
    count: Callable[[Notes], IntArray]


FEATURES: Final = (
    Feature("pitch class", pitch_classes),
    Feature("interval", intervals),
    Feature("inter-onset", inter_onsets),
    Feature("density", densities),
    Feature("velocity", velocities),
    Feature("duration", durations),
    Feature("pedal", pedals),
    Feature("chord release", chord_releases),
)
