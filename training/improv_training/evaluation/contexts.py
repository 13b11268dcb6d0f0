"""Prediction by partial matching over the classes of an attribute, for millions of steps at once.

The probabilities are those of `improv_training.evaluation.ppm.Ppm`, which gives the whole distribution of
every step, one step after the other; here only what came is asked for, and arrays do all steps together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from improv_core.representation.binning import IntArray
from improv_training.evaluation.ppm import ORDER

FloatArray = NDArray[np.float64]
Classes = NDArray[np.integer]

_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class _Level:
    """What followed every context of one length.

    An entry is a context with a class that followed it. It is a context of the next level, which calls it by
    its place; the only context of no classes is 0. So any number of classes fits into a code.

    Attributes:
        codes: Of each entry: its context times the number of classes, plus the class; ascending.
        counts: How often each came.
        begins: First entry of each context, and where the last one's end, (contexts + 1,).
        totals: How often anything followed each context, (contexts,).
        shared: How often, after the context without its oldest class, one of the classes followed that
            followed the whole context, (contexts,); 0 for the context of no classes.
    """

    codes: IntArray
    counts: IntArray
    begins: IntArray
    totals: IntArray
    shared: IntArray

    def find(self, codes: IntArray) -> IntArray:
        """The entry of each code, or -1."""
        if not len(self.codes):
            return np.full(len(codes), _UNKNOWN)
        places = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        return np.where(self.codes[places] == codes, places, _UNKNOWN)


@dataclass(frozen=True, slots=True)
class Contexts:
    """Counts of what followed every run of up to ``ORDER`` classes; see `Ppm` for how they are blended.

    Attributes:
        size: How many classes there are.
        levels: For each length of context, from 0.
    """

    size: int
    levels: tuple[_Level, ...]

    @classmethod
    def learn(cls, pieces: Sequence[Classes], size: int, order: int = ORDER) -> Contexts:
        """Count over pieces.

        Args:
            pieces: The classes of each, (n,).
            size: How many classes there are.
            order: Longest context.
        """
        values = np.concatenate([np.zeros(0, dtype=np.int64), *pieces])
        lengths = [len(piece) for piece in pieces]
        left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(values))
        levels: list[_Level] = []
        runs = np.zeros(len(values), dtype=np.int64)  # the number of the context that begins at each step
        contexts = 1
        for length in range(order + 1):
            begin = np.flatnonzero(left > length)
            codes = runs[begin] * size + values[begin + length]
            codes, first, places, counts = np.unique(
                codes, return_index=True, return_inverse=True, return_counts=True
            )
            begins = np.searchsorted(codes, np.arange(contexts + 1) * size)
            totals = _summed(counts, begins)
            shared = np.zeros(contexts, dtype=np.int64)
            if levels:  # `runs` still holds the entries of the level below
                shared = _summed(levels[-1].counts[runs[begin[first] + 1]], begins)
            levels.append(_Level(codes, counts, begins, totals, shared))
            runs[begin] = places
            contexts = len(codes)
        return cls(size, tuple(levels))

    def nats(self, values: Classes) -> FloatArray:
        """Of every class of a piece, given all before it, (n,)."""
        contexts, entries = self._found(values.astype(np.int64))
        nats, log_left = np.zeros(len(values)), np.zeros(len(values))
        open_, excluded = np.ones(len(values), dtype=np.bool_), np.zeros(len(values), dtype=np.int64)
        shared = np.zeros(len(values), dtype=np.int64)
        for level, context, entry in zip(self.levels[::-1], contexts[::-1], entries[::-1], strict=True):
            known = np.flatnonzero(open_ & (context != _UNKNOWN))
            here = context[known]
            different = level.begins[here + 1] - level.begins[here]
            new = different - excluded[known]
            seen = level.totals[here] - shared[known]
            total = seen + np.where(different == self.size, 0, new)  # else nothing is left to escape to
            found = entry[known] != _UNKNOWN
            hit, miss = known[found], known[~found]
            nats[hit] = np.log(total[found] / level.counts[entry[hit]]) - log_left[hit]
            open_[hit] = False
            escaping = (~found) & (new > 0)
            log_left[known[escaping]] += np.log(new[escaping] / total[escaping])
            excluded[miss], shared[miss] = different[~found], level.shared[here[~found]]
        nats[open_] = np.log(self.size - excluded[open_]) - log_left[open_]
        return nats

    def _found(self, values: IntArray) -> tuple[list[IntArray], list[IntArray]]:
        """The context before every step and its entry with what came, for each level; -1 where unknown."""
        contexts, entries = [np.zeros(len(values), dtype=np.int64)], list[IntArray]()
        for level in self.levels:
            context = contexts[-1]
            entry = level.find(context * self.size + values)
            entry[context == _UNKNOWN] = _UNKNOWN
            entries.append(entry)
            contexts.append(np.append(_UNKNOWN, entry[:-1])[: len(values)])
        return contexts[:-1], entries


def _summed(counts: IntArray, begins: IntArray) -> IntArray:
    """Sums over the entries of each context."""
    return np.diff(np.append(0, np.cumsum(counts))[begins])
