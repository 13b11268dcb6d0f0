"""What rules make of many calls, every corpus counting the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from improv_training.evaluation.turn_taking.rules import Outcome

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one rule.

    Attributes:
        false_per_call: Hand-overs before the call is over, for each call.
        calls_interrupted: Share of calls with one at least.
        wait_s: From a call's last onset to its hand-over: median.
        wait_mean_s: The same: mean.
        wait_late_s: The same: nine in ten are shorter.
        wait_up_s: From its last release: median.
    """

    false_per_call: float
    calls_interrupted: float
    wait_s: float
    wait_mean_s: float
    wait_late_s: float
    wait_up_s: float

    @classmethod
    def of(cls, corpora: Sequence[str], outcomes: Sequence[Outcome]) -> Self:
        """Calls with the corpora that they are from."""
        weights = equal_weights(corpora)
        interrupted = np.array([one.interrupted for one in outcomes], dtype=np.float64)
        wait_s = np.array([one.wait_s for one in outcomes])
        return cls(
            float(weights @ interrupted),
            float(weights @ (interrupted > 0)),
            quantile(wait_s, weights, 0.5),
            float(weights @ wait_s),
            quantile(wait_s, weights, 0.9),
            quantile(np.array([one.wait_up_s for one in outcomes]), weights, 0.5),
        )


def equal_weights(corpora: Sequence[str]) -> FloatArray:
    """Of each call, so that every corpus weighs the same; sum 1."""
    names, where, counts = np.unique(np.array(corpora), return_inverse=True, return_counts=True)
    weights: FloatArray = 1 / counts[where] / len(names)
    return weights


def quantile(values: FloatArray, weights: FloatArray, share: float) -> float:
    """The least value that so large a share of the weight does not exceed."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    place = int(np.searchsorted(reached, share * reached[-1] * (1 - 1e-12)))
    return float(values[order][min(place, len(values) - 1)])


@dataclass(frozen=True, slots=True)
class Curve:
    """Fixed rules from quick to slow.

    Attributes:
        silences_s: What each waits for, ascending.
        figures: Of each.
    """

    silences_s: tuple[float, ...]
    figures: tuple[Figures, ...]

    def alike(self, wait_s: float) -> tuple[float, float, float]:
        """The fixed rule with that median wait: its silence, false hand-overs a call, calls interrupted.

        Where several have it, because keys are down for longer, the slowest: it interrupts least. Between two
        the figures are interpolated.
        """
        waits_s = np.array([one.wait_s for one in self.figures])
        slowest = int(np.searchsorted(waits_s, wait_s, side="right")) - 1
        place = float(max(0, slowest))
        if 0 <= slowest < len(waits_s) - 1:
            place += (wait_s - waits_s[slowest]) / (waits_s[slowest + 1] - waits_s[slowest])
        places = np.arange(len(waits_s))
        columns = (
            self.silences_s,
            [one.false_per_call for one in self.figures],
            [one.calls_interrupted for one in self.figures],
        )
        silence_s, false, interrupted = (float(np.interp(place, places, column)) for column in columns)
        return silence_s, false, interrupted
