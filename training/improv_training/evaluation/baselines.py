"""Unigram, bigram and order-4 PPM over the classes of each attribute: what any model has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from improv_core.errors import DataError
from improv_core.notes import Part
from improv_core.representation import Attribute, Representation
from improv_core.representation.binning import IntArray
from improv_training.corpora.corpus import Corpus
from improv_training.evaluation.contexts import Contexts

FloatArray = NDArray[np.float64]

BIGRAM_WEIGHT = 10.0
"""A bigram falls back on the unigram with the weight of this many observations."""

_PAIRS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Pairs:
    """How often one class followed another; of a large vocabulary most never do.

    Attributes:
        size: How many classes there are.
        codes: Ascending, ``before * size + after`` of each pair that came.
        counts: How often, (pairs,).
        befores: How often each class was followed by any, (size,).
    """

    size: int
    codes: IntArray
    counts: IntArray
    befores: IntArray

    def of(self, before: IntArray, after: IntArray) -> IntArray:
        """How often each pair came; the shapes broadcast."""
        codes = before * self.size + after
        if not len(self.codes):
            return np.zeros_like(codes)
        places = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        return np.where(self.codes[places] == codes, self.counts[places], 0)


class PairCounter:
    """Counts pairs of classes, a piece at a time.

    Args:
        size: How many classes there are.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._codes = np.zeros(0, dtype=np.int64)
        self._counts = np.zeros(0, dtype=np.int64)
        self._waiting: list[IntArray] = []

    def add(self, values: IntArray) -> None:
        """The classes of a piece, in order."""
        self._waiting.append(values[:-1] * self._size + values[1:])
        if sum(map(len, self._waiting)) > _PAIRS_AT_ONCE:
            self._merge()

    def _merge(self) -> None:
        new = np.concatenate(self._waiting) if self._waiting else np.zeros(0, dtype=np.int64)
        self._waiting = []
        codes, places = np.unique(np.concatenate([self._codes, new]), return_inverse=True)
        weights = np.concatenate([self._counts, np.ones_like(new)])
        self._codes, self._counts = codes, _summed(places, weights, len(codes))

    def counted(self) -> Pairs:
        """All that have been added."""
        self._merge()
        befores = _summed(self._codes // self._size, self._counts, self._size)
        return Pairs(self._size, self._codes, self._counts, befores)


def _summed(places: IntArray, counts: IntArray, size: int) -> IntArray:
    return np.bincount(places, weights=counts, minlength=size).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Baselines:
    """Counts of each attribute's classes, alone and after the class of the step before.

    Attributes:
        single: For each attribute (classes,), smoothed by one observation each.
        pair: For each attribute.
        heard: For each attribute the classes of every piece, of which PPM is learned when it is asked for:
            its counts take ten times the memory.
    """

    single: tuple[FloatArray, ...]
    pair: tuple[Pairs, ...]
    heard: tuple[tuple[NDArray[np.int32], ...], ...]

    @classmethod
    def learn(cls, corpora: Sequence[Corpus], representation: Representation) -> Baselines:
        """Count over the train splits of all corpora together.

        Raises:
            DataError: There is no piece in them.
        """
        sizes = [attribute.binning.size for attribute in representation.attributes]
        single = [np.ones(size) for size in sizes]
        pairs = [PairCounter(size) for size in sizes]
        heard = tuple(list[NDArray[np.int32]]() for _ in sizes)
        pieces = 0
        for corpus in corpora:
            for piece in corpus.pieces("train"):
                part = np.full(len(piece), int(Part.IMPROV))
                classes = as_classes(representation.attributes, representation.rows(piece, part).targets)
                pieces += 1
                for i, values in enumerate(classes.T):
                    single[i] += np.bincount(values, minlength=sizes[i])
                    pairs[i].add(values)
                    heard[i].append(values.astype(np.int32))
        if not pieces:
            names = ", ".join(corpus.name for corpus in corpora)
            raise DataError(
                f"{names}: no piece in the train split, from which the baselines would learn; "
                "name folders with --baselines-from."
            )
        return cls(tuple(single), tuple(counter.counted() for counter in pairs), tuple(map(tuple, heard)))

    def unigram(self, attribute: int) -> FloatArray:
        """Probability of each class, (classes,)."""
        counts = self.single[attribute]
        shares: FloatArray = counts / counts.sum()
        return shares

    def bigram(self, attribute: int, before: IntArray, after: IntArray) -> FloatArray:
        """Probability of a class after another, interpolated with the unigram; the shapes broadcast."""
        pair = self.pair[attribute]
        fallback = BIGRAM_WEIGHT * self.unigram(attribute)[after]
        shares: FloatArray = (pair.of(before, after) + fallback) / (pair.befores[before] + BIGRAM_WEIGHT)
        return shares

    def unigram_nats(self, classes: IntArray, scored: NDArray[np.bool_]) -> FloatArray:
        """Summed nats of each attribute over the steps of a piece that count.

        Args:
            classes: (n, attributes).
            scored: Which steps count, (n,).
        """
        return np.array(
            [-np.log(self.unigram(i)[values]).sum() for i, values in enumerate(classes[scored].T)]
        )

    def bigram_nats(self, classes: IntArray, scored: NDArray[np.bool_]) -> FloatArray:
        """Likewise, given the same attribute of the step before; a piece's first step is the unigram's."""
        sums = self.unigram_nats(classes[:1], scored[:1])
        for i, values in enumerate(classes.T):
            sums[i] -= np.log(self.bigram(i, values[:-1], values[1:]))[scored[1:]].sum()
        return sums

    def ppm_nats(self, pieces: Sequence[tuple[IntArray, NDArray[np.bool_]]]) -> FloatArray:
        """Likewise for several pieces, given the four classes of the attribute before, (pieces, attributes).

        Args:
            pieces: Classes and which steps count, of each.
        """
        sums = np.zeros((len(pieces), len(self.single)))
        for i, heard in enumerate(self.heard):
            contexts = Contexts.learn(heard, len(self.single[i]))
            for sum_of_piece, (classes, scored) in zip(sums, pieces, strict=True):
                sum_of_piece[i] = contexts.nats(classes[:, i])[scored].sum()
        return sums


def as_classes(attributes: Sequence[Attribute], targets: IntArray) -> IntArray:
    """Targets with times that are regressed put into the classes of their binning, (n, attributes)."""
    classes = targets.copy()
    for i, attribute in enumerate(attributes):
        if attribute.head == "regression":
            classes[:, i] = attribute.binning.bins(targets[:, i])
    return classes
