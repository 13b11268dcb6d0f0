"""When the model expects the player's next note, after the latest one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.model import FloatArray, Heads
from improv_core.notes import Part
from improv_core.representation.asking import free
from improv_core.representation.piano import DT

_BOUNDS_S: Final = DT.bounds_ms() / 1000
_THE_PLAYER: Final = tuple(free(1, Part.PLAYER)[0].tolist())
"""Of the player's note nothing is asked."""


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """How long the next onset may be in coming.

    Attributes:
        survival: For each bound of the classes of ``dt`` how likely it is that nothing is struck before it,
            from 1 down to 0, (classes + 1,).
    """

    survival: NDArray[np.float64]

    def silence(self, within_s: float) -> float:
        """How likely it is that nothing is struck within so many seconds of the latest onset."""
        return float(np.interp(within_s, _BOUNDS_S, self.survival))


def expectation_of(heads: Heads, projected: FloatArray) -> Expectation:
    """What the ``dt`` head says of the player's next note, nothing being asked of it.

    Args:
        heads: Of a model of the representation ``piano``.
        projected: The model's output after the latest step, (projected,).
    """
    logits = heads.outputs(0, heads.begin(projected, _THE_PLAYER), ()).astype(np.float64)
    shares = np.exp(logits - logits.max())
    beyond = np.append(np.cumsum(shares[::-1])[::-1], 0.0)
    return Expectation(beyond / beyond[0])
