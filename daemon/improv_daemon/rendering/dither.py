"""Samples to 16 bits, without the grain that rounding makes of what fades away."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_daemon.rendering.options import Samples

_FULL_SCALE: Final = 32_768.0
_MOST, _LEAST = 32_767.0, -32_768.0
_SEED: Final = 1


class Dither:
    """Rounds to 16 bits, with triangular noise of two steps (Lipshitz, Wannamaker, Vanderkooy 1992).

    A sample that is of 16 bits already, as in silence or in another file's sound, passes as it is. The same
    samples come to the same file.
    """

    def __init__(self) -> None:
        self._dice = np.random.default_rng(_SEED)

    def rounded(self, samples: Samples) -> NDArray[np.int16]:
        """As whole numbers; what is beyond full scale is cut off."""
        scaled = samples * np.float32(_FULL_SCALE)
        whole = np.rint(scaled)
        between = scaled != whole
        if between.any():
            dice = self._dice.random((2, *scaled.shape), np.float32)
            whole = np.rint(scaled + (dice[0] - dice[1]) * between)
        return np.asarray(np.clip(whole, _LEAST, _MOST), np.int16)
