"""Whether what was answered lies where real continuations lie, trait by trait."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.ranking import Typical
from improv_core.traits import Traits
from improv_training.evaluation.answering.typical import middle_of

NAMES: Final = tuple(field.name for field in fields(Traits))

_DRAWS: Final = 2000


@dataclass(frozen=True, slots=True)
class Standing:
    """A trait of answers, beside that of what the pieces go on with.

    Attributes:
        name: Of `improv_core.traits.Traits`.
        real: Middle 80 % of the true continuations.
        answers: Of the answers.
        inside: Share of the answers within the middle 80 % of the true continuations; 0.8 if they were such.
        error: Standard error of that share.
    """

    name: str
    real: Typical
    answers: Typical
    inside: float
    error: float

    @property
    def holds(self) -> bool:
        """Median inside, and as many answers inside as chance allows if they were true continuations."""
        return self.real.low <= self.answers.middle <= self.real.high and self.inside >= 0.8 - 2 * self.error


def standings(answers: Sequence[Traits], real: Sequence[Traits]) -> list[Standing]:
    """For each trait, how answers stand; what could not be told is left out."""
    of_real, of_answers = middle_of(real), middle_of(answers)
    columns = np.array([astuple(one) for one in answers]).T
    return [
        _standing(name, of_real[name], of_answers[name], column)
        for name, column in zip(NAMES, columns, strict=True)
    ]


def _standing(name: str, real: Typical, answers: Typical, values: NDArray[np.float64]) -> Standing:
    told = values[~np.isnan(values)]
    inside = float(((told >= real.low) & (told <= real.high)).mean()) if len(told) else math.nan
    return Standing(name, real, answers, inside, math.sqrt(0.8 * 0.2 / max(1, len(told))))


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with the middle 95 % of what it is over other draws of pieces."""

    value: float
    low: float
    high: float


def mean_over_pieces(values: Sequence[float], pieces: Sequence[Hashable], *, seed: int = 1) -> Mean:
    """Bootstrap over pieces: what comes from one piece is alike."""
    groups: dict[Hashable, list[float]] = {}
    for value, piece in zip(values, pieces, strict=True):
        if not math.isnan(value):
            groups.setdefault(piece, []).append(value)
    sums = np.array([sum(group) for group in groups.values()])
    counts = np.array([len(group) for group in groups.values()])
    drawn = np.random.default_rng(seed).integers(len(sums), size=(_DRAWS, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, (2.5, 97.5)).tolist()
    return Mean(float(sums.sum() / counts.sum()), low, high)
