"""What is changed at random in a piece before each pass, and who plays which of its notes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from improv_core.notes import Part
from improv_core.representation import KEYS, Notes
from improv_core.representation.binning import IntArray


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Ranges of the random changes.

    Attributes:
        transpose_down: Semitones, at most.
        transpose_up: Semitones, at most.
        tempo: Largest relative change, 0.1 means times 0.9 to 1.1.
        velocity: Largest offset.
    """

    transpose_down: int = 5
    transpose_up: int = 6
    tempo: float = 0.1
    velocity: int = 10


def augmented(notes: Notes, how: Augmentation, rng: np.random.Generator) -> Notes:
    """One random variant of a piece: transposed, faster or slower, louder or softer, chords shuffled."""
    notes = chords_shuffled(notes, rng)
    notes = _transposed(notes, int(rng.integers(-how.transpose_down, how.transpose_up + 1)))
    notes = _stretched(notes, 1 + how.tempo * float(rng.uniform(-1, 1)))
    offset = int(rng.integers(-how.velocity, how.velocity + 1))
    return replace(notes, velocity=np.clip(notes.velocity + offset, 1, 127))


def _stretched(notes: Notes, factor: float) -> Notes:
    """Onsets and releases move, not gaps and durations: rounded apart, those would drift from one another."""
    onset_ms = np.cumsum(notes.dt_ms)
    release_ms = np.rint((onset_ms + notes.duration_ms) * factor).astype(np.int64)
    onset_ms = np.rint(onset_ms * factor).astype(np.int64)
    return replace(
        notes,
        dt_ms=np.diff(onset_ms, prepend=onset_ms[:1]),
        duration_ms=np.maximum(1, release_ms - onset_ms),
    )


def _transposed(notes: Notes, semitones: int) -> Notes:
    if not semitones or not 0 <= notes.pitch.min() + semitones <= notes.pitch.max() + semitones < KEYS:
        return notes
    return replace(notes, pitch=notes.pitch + semitones)


def chords_shuffled(notes: Notes, rng: np.random.Generator) -> Notes:
    """Notes of one onset in a random order.

    Live they arrive in any order; always sorted, the model could not harmonise under a note.
    """
    order = np.lexsort((rng.random(len(notes)), np.cumsum(notes.dt_ms)))
    names = ("pedal", "pitch", "velocity", "duration_ms")
    return replace(notes, **{name: getattr(notes, name)[order] for name in names})


def random_parts(count: int, rng: np.random.Generator, mean_turn: float = 40.0) -> IntArray:
    """Who plays each of ``count`` notes: all improv, all player, or turns of geometric lengths."""
    kind = rng.integers(3)
    if kind < 2:
        return np.full(count, Part.IMPROV if kind else Part.PLAYER, dtype=np.int64)
    switches = rng.random(count) < 1 / mean_turn
    return (np.cumsum(switches) + rng.integers(2)) % 2
