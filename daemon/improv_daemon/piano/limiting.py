"""Keeps the sound below full scale without a hard edge."""

from __future__ import annotations

import numpy as np

from improv_daemon.piano.strings import Reals

_CEILING, _KNEE = 0.97, 0.75
_RECOVERY_S = 0.25


class SoftLimiter:
    """Turns loud passages down at once and up again slowly; what is left over is bent, below full scale."""

    def __init__(self, sample_rate: int) -> None:
        """
        Args:
            sample_rate: Frames a second.
        """
        self._rate = sample_rate
        self._gain = 1.0

    def limit(self, samples: Reals) -> None:
        """Limit in place; shape (2, frames)."""
        if samples.size == 0:
            return
        peak = float(np.abs(samples).max())
        frames = samples.shape[1]
        wanted = min(1.0, _KNEE / peak) if peak > 0 else 1.0
        if wanted > self._gain:
            wanted = self._gain + (wanted - self._gain) * min(1.0, frames / self._rate / _RECOVERY_S)
        if wanted < 1.0 or self._gain < 1.0:
            samples *= np.linspace(self._gain, wanted, frames, dtype=np.float32)
            over = np.abs(samples) - _KNEE
            room = _CEILING - _KNEE
            bent = _KNEE + room * np.tanh(np.maximum(over, 0) / room)
            np.copyto(samples, np.sign(samples) * bent, where=over > 0)
        self._gain = wanted
