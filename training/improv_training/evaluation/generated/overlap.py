"""How alike two sets of runs of notes are, feature by feature, against how alike two sets of real ones are.

Two measures. *Overlapping area* is that of Yang and Lerch, "On the evaluation of generative models in music"
(2018): between the density of the distances within the real set and that of the distances from the other set
to it, a distance being the Euclidean one of two runs' histograms. It sees whether runs vary as real ones do.
*Histogram overlap* is the area that two sets' histograms have in common, all runs counted together; it sees
whether the notes are as real ones are.

Real music differs from piece to piece as well. So the pieces are halved at random, many times over; what is
compared with the true continuations of one half are the true and the generated continuations of the other.
The share generated/real of real/real is thus one of two figures from as many runs, of the same calls.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.representation import Notes
from improv_training.evaluation.generated.features import FEATURES, Feature, FloatArray

HALVINGS: Final = 50

FEWEST_RUNS: Final = 8
"""In each half, for a feature to be compared."""

_LEAST_BANDWIDTH = 0.005
_GRID = np.linspace(-0.2, 1.7, 1024)  # distances of histograms are 0 to the square root of 2
_STEP = float(_GRID[1] - _GRID[0])
_LEAST_DENSITY = 1e-6


@dataclass(frozen=True, slots=True)
class Alike:
    """How alike two sets are in one feature.

    Attributes:
        area: Overlapping area after Yang and Lerch, 0 to 1.
        area_nats: Kullback-Leibler divergence of the same densities, from the real one.
        overlap: Histogram overlap, 0 to 1.
        overlap_nats: Kullback-Leibler divergence of the other set's histogram from the real one's.
    """

    area: float
    area_nats: float
    overlap: float
    overlap_nats: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One feature, means over all halvings.

    Attributes:
        feature: Its name.
        generated: Generated against real.
        real: Real against real.
    """

    feature: str
    generated: Alike
    real: Alike


def compare(
    generated: Sequence[Notes],
    real: Sequence[Notes],
    pieces: Sequence[tuple[str, Hashable]],
    *,
    halvings: int = HALVINGS,
    seed: int = 1,
) -> list[Compared]:
    """Compare continuations feature by feature.

    Args:
        generated: Of each call what was generated.
        real: Of each call what is true.
        pieces: Of each call its corpus, and what tells its piece apart; each corpus is halved by pieces.
        halvings: How often.
        seed: Of the halvings.

    Returns:
        The features of which there is enough to compare.
    """
    halves = [*_halvings(pieces, halvings, np.random.default_rng(seed))]
    made = (_compared(feature, generated, real, halves) for feature in FEATURES)
    return [one for one in made if one is not None]


def mean_shares(compared: Sequence[Compared]) -> tuple[float, float]:
    """Mean over features, generated as a share of real: of the overlapping area, and of histogram overlap.

    NaN where no feature could be compared.
    """
    if not compared:
        return float("nan"), float("nan")
    area = [(one.generated.area, one.real.area) for one in compared]
    overlap = [(one.generated.overlap, one.real.overlap) for one in compared]
    (of_area, real_area), (of_overlap, real_overlap) = np.mean(area, axis=0), np.mean(overlap, axis=0)
    return float(of_area / real_area), float(of_overlap / real_overlap)


def _compared(
    feature: Feature,
    generated: Sequence[Notes],
    real: Sequence[Notes],
    halves: Sequence[tuple[NDArray[np.bool_], NDArray[np.bool_]]],
) -> Compared | None:
    counted = [np.stack([feature.count(notes) for notes in runs]) for runs in (generated, real)]
    there = [counts.any(axis=1) for counts in counted]
    of_generated, of_real = list[Alike](), list[Alike]()
    for one, other in halves:
        sets = counted[0][one & there[0]], counted[1][one & there[1]], counted[1][other & there[1]]
        if min(len(runs) for runs in sets) < FEWEST_RUNS:
            return None
        of_generated.append(alike(sets[2], sets[0]))
        of_real.append(alike(sets[2], sets[1]))
    return Compared(feature.name, _mean(of_generated), _mean(of_real))


def _mean(ones: Sequence[Alike]) -> Alike:
    values = [(one.area, one.area_nats, one.overlap, one.overlap_nats) for one in ones]
    return Alike(*np.mean(values, axis=0).tolist())


def _halvings(
    pieces: Sequence[tuple[str, Hashable]], count: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Which runs are in one half, and which in the other; each pair both ways."""
    of_corpus: dict[str, list[Hashable]] = {}
    for corpus, piece in dict.fromkeys(pieces):
        of_corpus.setdefault(corpus, []).append(piece)
    for _ in range(count):
        first = {
            (corpus, ones[i])
            for corpus, ones in of_corpus.items()
            for i in rng.permutation(len(ones))[: len(ones) // 2]
        }
        chosen = np.array([piece in first for piece in pieces], dtype=np.bool_)
        yield chosen, ~chosen
        yield ~chosen, chosen


# --- two sets of histograms -----------------------------------------------------------------------


def alike(real: NDArray[np.int64], other: NDArray[np.int64]) -> Alike:
    """Two sets of runs' counts, each (runs, classes), none of them empty."""
    within, between = intra_distances(_normed(real)), inter_distances(_normed(other), _normed(real))
    p, q = density(within), density(between)
    r, s = (_pooled(counts) for counts in (real, other))
    return Alike(
        area=float(np.minimum(p, q).sum() * _STEP),
        area_nats=_divergence(p * _STEP, q * _STEP),
        overlap=float(np.minimum(r, s).sum()),
        overlap_nats=_divergence(*(_pooled(counts, smooth=0.5) for counts in (real, other))),
    )


def intra_distances(runs: FloatArray) -> FloatArray:
    """Of each run to each other one of its own set, once; (pairs,)."""
    return _distances(runs, runs)[np.triu_indices(len(runs), k=1)]


def inter_distances(runs: FloatArray, others: FloatArray) -> FloatArray:
    """Of each run to each of the other set, (pairs,)."""
    return _distances(runs, others).ravel()


def _distances(runs: FloatArray, others: FloatArray) -> FloatArray:
    squares = (runs**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)[None, :]
    distances: FloatArray = np.sqrt(np.maximum(squares - 2 * runs @ others.T, 0))
    return distances


def density(distances: FloatArray) -> FloatArray:
    """Kernel estimate on a fixed grid that sums to 1, Gaussian, with Scott's bandwidth.

    The bandwidth is 0.005 at least: distances may all be alike.
    """
    bandwidth = max(_LEAST_BANDWIDTH, float(distances.std()) * len(distances) ** -0.2)
    edges = np.append(_GRID - _STEP / 2, _GRID[-1] + _STEP / 2)
    counts = np.histogram(distances, edges)[0] / len(distances)
    reach = int(np.ceil(5 * bandwidth / _STEP))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * _STEP / bandwidth) ** 2)
    smooth = np.convolve(counts, kernel / kernel.sum(), mode="full")[reach : reach + len(_GRID)]
    made: FloatArray = smooth / (smooth.sum() * _STEP)
    return made


def _normed(counts: NDArray[np.int64]) -> FloatArray:
    normed: FloatArray = counts / counts.sum(axis=1, keepdims=True)
    return normed


def _pooled(counts: NDArray[np.int64], smooth: float = 0.0) -> FloatArray:
    pooled = counts.sum(axis=0) + smooth
    normed: FloatArray = pooled / pooled.sum()
    return normed


def _divergence(p: FloatArray, q: FloatArray) -> float:
    p, q = np.maximum(p, _LEAST_DENSITY), np.maximum(q, _LEAST_DENSITY)
    return float((p * np.log(p / q)).sum() / p.sum())
