"""Shares of notes that have something in common, and other figures of a set of continuations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from improv_core.notes import CHORD_MS
from improv_core.representation import Notes
from improv_core.representation.binning import IntArray
from improv_training.evaluation.generated.features import (
    TOGETHER_MS,
    pitch_classes,
    release_gaps_ms,
)


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures of a set of runs of notes.

    Attributes:
        together: Share of chord-mates let go within 50 ms of one another; NaN where there are no chords.
        chord: Share of notes struck within 30 ms of the one before.
        pedalled: Share of notes struck with the pedal down.
        pedal_moves: Per note.
        notes_per_s: Of all runs together.
        duration_ms: Median.
        velocity: Mean.
        velocity_spread: Standard deviation within a run, mean of the runs.
        pitch: Mean.
        class_bits: Entropy of the pitch classes of a run, mean of the runs.
    """

    together: float
    chord: float
    pedalled: float
    pedal_moves: float
    notes_per_s: float
    duration_ms: float
    velocity: float
    velocity_spread: float
    pitch: float
    class_bits: float


def summary(runs: Sequence[Notes]) -> Summary:
    """Figures of runs of two notes at least."""
    gaps_ms = np.concatenate([release_gaps_ms(notes) for notes in runs])
    dt_ms = np.concatenate([notes.dt_ms[1:] for notes in runs])
    pedal, velocity, pitch = (
        np.concatenate([getattr(notes, name) for notes in runs]) for name in ("pedal", "velocity", "pitch")
    )
    moves = sum(int(np.count_nonzero(np.diff(notes.pedal))) for notes in runs)
    return Summary(
        together=float((gaps_ms <= TOGETHER_MS).mean()) if len(gaps_ms) else float("nan"),
        chord=float((dt_ms <= CHORD_MS).mean()),
        pedalled=float(pedal.mean()),
        pedal_moves=moves / len(dt_ms),
        notes_per_s=1000 * len(dt_ms) / float(max(1, dt_ms.sum())),
        duration_ms=float(np.median(np.concatenate([notes.duration_ms for notes in runs]))),
        velocity=float(velocity.mean()),
        velocity_spread=float(np.mean([notes.velocity.std() for notes in runs])),
        pitch=float(pitch.mean()),
        class_bits=float(np.mean([bits(pitch_classes(notes)) for notes in runs])),
    )


def bits(counts: IntArray) -> float:
    """Entropy of a histogram."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())
