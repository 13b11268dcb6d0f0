"""The constants of `improv_core.turns.patience_s`, from calls of training pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.turns import LEAST_SILENCE, LONG_SILENCE_S, PACE_GAPS, USUAL_GAP_S, TurnBounds
from improv_training.evaluation.turn_taking.figures import equal_weights
from improv_training.evaluation.turn_taking.phrases import gaps_of
from improv_training.evaluation.turn_taking.rules import BEFORE, Heard

SHARPNESS: Final = 2.0
"""How much the logarithm of patience changes with the log odds that a call is over.

A larger one answers either soon or late. Chosen on validation among 1, 2, 3 and 5.
"""

_STEPS: Final = 30
_RIDGE: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Powers:
    """Of what patience is a product of."""

    longest: float
    silence: float


def fit(calls: Sequence[Heard]) -> Powers:
    """Logistic regression of whether a call is over, once the least silence has passed with all keys up.

    Every corpus counts the same.
    """
    pairs = [_rows(call) for call in calls]
    features = np.concatenate([rows for rows, _ in pairs])
    over = np.concatenate([ends for _, ends in pairs])
    weights = equal_weights([call.corpus for call in calls])
    slopes = logistic(features, over, np.repeat(weights, [len(ends) for _, ends in pairs]))
    return Powers(-SHARPNESS * slopes[0], -SHARPNESS * slopes[1])


def _rows(call: Heard) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Of each gap that is long enough: logarithms of longest gap and silence; whether the call is over."""
    gaps = gaps_of(call.notes)
    span, least_s = call.span, TurnBounds().silence_min_s
    inside = np.flatnonzero((gaps.first >= span.begin) & (gaps.last < span.end))
    before = np.flatnonzero((gaps.first >= span.begin - BEFORE) & (gaps.last < span.begin))[:-1]
    rows, ends = [], []
    heard_s = gaps.gap_s[before].tolist()
    for i in inside.tolist():
        over = bool(gaps.last[i] == span.end - 1)
        up_s = gaps.gap_s[i] - gaps.quiet_s[i]
        if up_s <= least_s and (over or gaps.gap_s[i] > least_s):
            expectation = call.expectations[gaps.last[i]]
            assert expectation is not None
            longest_s = max(heard_s[-PACE_GAPS:], default=USUAL_GAP_S)
            silence = max(LEAST_SILENCE, expectation.silence(LONG_SILENCE_S))
            rows.append((np.log(longest_s), np.log(silence)))
            ends.append(over)
        heard_s.append(float(gaps.gap_s[i]))
    return np.array(rows, dtype=np.float64).reshape(-1, 2), np.array(ends, dtype=np.bool_)


def logistic(
    features: NDArray[np.float64], over: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Slopes of a weighted logistic regression, by Newton's method; (features,).

    Args:
        features: (n, features).
        over: (n,).
        weights: (n,).
    """
    rows = np.column_stack([np.ones(len(features)), features])
    weights = weights / weights.sum()
    ridge = _RIDGE * np.eye(rows.shape[1])
    ridge[0, 0] = 0
    slopes = np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-(rows @ slopes)))
        gradient = rows.T @ (weights * (chance - over)) + ridge @ slopes
        curvature = (rows * (weights * chance * (1 - chance))[:, None]).T @ rows + ridge
        slopes -= np.linalg.solve(curvature, gradient)
    inner: NDArray[np.float64] = slopes[1:]
    return inner


def most_patient(soon_enough: Callable[[float], bool], lowest: float, highest: float) -> float:
    """The largest patience that is still soon enough, by halving on its logarithm.

    Args:
        soon_enough: Of a patience; once it is not, no larger one is.
        lowest: Patience that is.
        highest: And one that is not.
    """
    for _ in range(16):
        middle = float(np.sqrt(lowest * highest))
        lowest, highest = (middle, highest) if soon_enough(middle) else (lowest, middle)
    return lowest
