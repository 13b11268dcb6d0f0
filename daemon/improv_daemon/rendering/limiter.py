"""A limiter that nobody hears at work: it lowers what would be too loud, smoothly, and just in time."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_daemon.rendering.options import PEAK, Samples

STEP: Final = 128
"""It acts on steps of so many frames: 3 ms, over which it lowers."""
RELEASE_DB_S: Final = 20.0
"""So fast it lets go again."""


class Limiter:
    """Gives out what it takes in, one step later, and never louder than the ceiling.

    A step's level is lowered as far as its loudest sample needs, over the step before it, and rises again
    by `RELEASE_DB_S`; where nothing is too loud, samples pass as they are.

    Args:
        sample_rate: Frames a second.
        ceiling: The loudest that a sample may be.
    """

    def __init__(self, sample_rate: int, ceiling: float = PEAK) -> None:
        self._ceiling = ceiling
        self._release_db = RELEASE_DB_S * STEP / sample_rate
        self._waiting = np.zeros((0, 2), np.float32)
        self._lowered_db = 0.0
        self._edge_db: float | None = None

    def take(self, samples: Samples) -> Samples:
        """The next samples in; those that are ready out."""
        samples = np.concatenate([self._waiting, samples])
        ready = max(0, len(samples) // STEP - 1)
        if ready == 0:
            self._waiting = samples
            return samples[:0]
        lowered = self._needed(samples[: (ready + 1) * STEP])
        self._waiting = samples[ready * STEP :]
        limited = self._apply(samples[: ready * STEP], lowered)
        self._lowered_db = float(lowered[ready - 1])
        return limited

    def flush(self) -> Samples:
        """The last samples."""
        count = len(self._waiting)
        silence = np.zeros((3 * STEP, 2), np.float32)
        return self.take(silence)[:count]

    def _needed(self, samples: Samples) -> NDArray[np.float64]:
        """How far each step is lowered, in dB: as it needs, or still from those before."""
        peaks = np.abs(samples).reshape(-1, 2 * STEP).max(axis=1).astype(np.float64)
        needed = np.asarray(20 * np.log10(np.maximum(peaks / self._ceiling, 1.0)))
        if self._lowered_db == 0.0 and not needed.any():
            return needed
        risen = self._release_db * np.arange(1, len(needed) + 1)
        held = np.maximum.accumulate(np.maximum(needed + risen, self._lowered_db))
        lowered: NDArray[np.float64] = np.maximum(held - risen, 0.0)
        return lowered

    def _apply(self, samples: Samples, lowered: NDArray[np.float64]) -> Samples:
        """From edge to edge of the steps; at an edge counts what the louder of its two steps needs."""
        first = lowered[0] if self._edge_db is None else self._edge_db
        edges = np.concatenate([[first], np.maximum(lowered[:-1], lowered[1:])])
        self._edge_db = float(edges[-1])
        if not edges.any():
            return samples
        gains = 10 ** (-edges / 20)
        way = (np.arange(STEP) / STEP)[None, :]
        slopes = gains[:-1, None] + (gains[1:] - gains[:-1])[:, None] * way
        return (samples * slopes.reshape(-1, 1)).astype(np.float32)
