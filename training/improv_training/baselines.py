"""Unigram and bigram over the classes of each attribute: what any model has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from improv_core.errors import DataError
from improv_core.representation import ATTRIBUTES, targets
from improv_training.corpora import Corpus

BIGRAM_WEIGHT = 10.0
"""A bigram falls back on the unigram with the weight of this many observations."""


@dataclass(frozen=True, slots=True)
class Baselines:
    """Counts of each attribute's classes, alone and after the previous note's class.

    Attributes:
        single: For each attribute (classes,), smoothed by one observation each.
        pair: For each attribute (classes before, classes).
    """

    single: tuple[NDArray[np.float64], ...]
    pair: tuple[NDArray[np.float64], ...]

    @classmethod
    def learn(cls, corpora: Sequence[Corpus]) -> Baselines:
        """Count over the train splits of all corpora together.

        Raises:
            DataError: There is no piece in them.
        """
        sizes = [attribute.binning.size for attribute in ATTRIBUTES]
        single = tuple(np.ones(size) for size in sizes)
        pair = tuple(np.zeros((size, size)) for size in sizes)
        pieces = 0
        for corpus in corpora:
            for piece in corpus.pieces("train"):
                wanted = targets(piece)
                pieces += 1
                for i in range(len(ATTRIBUTES)):
                    np.add.at(single[i], wanted[:, i], 1)
                    np.add.at(pair[i], (wanted[:-1, i], wanted[1:, i]), 1)
        if not pieces:
            names = ", ".join(corpus.name for corpus in corpora)
            raise DataError(
                f"{names}: no piece in the train split, from which unigram and bigram would learn; "
                "name folders with --baselines-from."
            )
        return cls(single, pair)

    def unigram(self, attribute: int) -> NDArray[np.float64]:
        """Probability of each class, (classes,)."""
        counts = self.single[attribute]
        shares: NDArray[np.float64] = counts / counts.sum()
        return shares

    def bigram(self, attribute: int) -> NDArray[np.float64]:
        """Probability of each class after each class, interpolated with the unigram; (before, classes)."""
        pair = self.pair[attribute]
        fallback = BIGRAM_WEIGHT * self.unigram(attribute)
        shares: NDArray[np.float64] = (pair + fallback) / (pair.sum(axis=1, keepdims=True) + BIGRAM_WEIGHT)
        return shares

    def unigram_nats(self, wanted: NDArray[np.int64]) -> NDArray[np.float64]:
        """Summed nats of each attribute over a piece's classes, (n, len(ATTRIBUTES))."""
        return np.array([-np.log(self.unigram(i)[values]).sum() for i, values in enumerate(wanted.T)])

    def bigram_nats(self, wanted: NDArray[np.int64]) -> NDArray[np.float64]:
        """Likewise, given the same attribute of the note before; a piece's first note is the unigram's."""
        sums = self.unigram_nats(wanted[:1])
        for i, values in enumerate(wanted.T):
            sums[i] -= np.log(self.bigram(i)[values[:-1], values[1:]]).sum()
        return sums
