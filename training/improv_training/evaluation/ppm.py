"""Prediction by partial matching on pitches: the baseline that remembers what it has seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from improv_core.representation import KEYS
from improv_core.representation.binning import IntArray

FloatArray = NDArray[np.float64]

ORDER = 4
_LONGEST = 7
"""A run and what follows it are one number of 64 bits."""
_PITCHES_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class ContextCounts:
    """How often each pitch came after each run of pitches of one length.

    Attributes:
        codes: Ascending; the pitches of the run and the one that followed, read as digits to base 128.
        counts: How often, as many.
    """

    codes: IntArray
    counts: IntArray

    def after(self, run: int) -> IntArray:
        """Counts of every pitch after a run, (KEYS,)."""
        found = np.zeros(KEYS, dtype=np.int64)
        begin, end = np.searchsorted(self.codes, (run * KEYS, (run + 1) * KEYS))
        found[self.codes[begin:end] - run * KEYS] = self.counts[begin:end]
        return found


@dataclass(frozen=True, slots=True)
class Ppm:
    """Blended contexts of 0 to ``order`` pitches, escapes by method C, with exclusion.

    A pitch that the longest context has not seen escapes to the next shorter one, with the probability
    t / (n + t) of n observations of t different pitches; behind the empty context all pitches are alike.
    (Moffat 1990, Implementing the PPM data compression scheme.) Every length of context counts everything.

    Attributes:
        contexts: For each length of context, from 0.
        adaptive: Whether a piece's own past is added to what has been learned.
    """

    contexts: tuple[ContextCounts, ...]
    adaptive: bool = False

    @classmethod
    def learn(cls, pieces: Iterable[IntArray], order: int = ORDER, *, adaptive: bool = False) -> Ppm:
        """Count over pieces.

        Args:
            pieces: Pitches of each, (n,).
            order: Longest context, at most 7.
            adaptive: Whether a piece's own past is added when it predicts.

        Raises:
            ValueError: The order is longer.
        """
        if order > _LONGEST:
            raise ValueError(f"a context has at most {_LONGEST} pitches")
        totals = [ContextCounts(*np.zeros((2, 0), dtype=np.int64)) for _ in range(order + 1)]
        waiting: list[IntArray] = []
        for pitches in pieces:
            waiting.append(pitches)
            if sum(map(len, waiting)) > _PITCHES_AT_ONCE:
                totals, waiting = _added(totals, waiting), []
        return cls(tuple(_added(totals, waiting)), adaptive)

    def distributions(self, pitches: IntArray) -> FloatArray:
        """Probability of every pitch at every place of a piece, given all before it; (n, KEYS)."""
        order = len(self.contexts) - 1
        runs = [_runs(pitches, length) for length in range(order + 1)]
        own: list[dict[int, IntArray]] = [{} for _ in self.contexts]
        shares = np.empty((len(pitches), KEYS))
        for i, pitch in enumerate(pitches.tolist()):
            lengths = range(min(order, i), -1, -1)
            counts = []
            for length in lengths:
                run = int(runs[length][i - length])
                seen = self.contexts[length].after(run)
                if self.adaptive:
                    of_piece = own[length].setdefault(run, np.zeros(KEYS, dtype=np.int64))
                    seen += of_piece
                    of_piece[pitch] += 1
                counts.append(seen)
            shares[i] = blended(counts)
        return shares


def blended(contexts: Iterable[IntArray]) -> FloatArray:
    """Probability of every pitch, (KEYS,).

    Args:
        contexts: Counts of every pitch in each context, the longest first, each (KEYS,).
    """
    shares, left = np.zeros(KEYS), 1.0
    excluded = np.zeros(KEYS, dtype=np.bool_)
    for counts in contexts:
        seen = np.where(excluded, 0, counts)
        different = np.count_nonzero(seen)
        if not different:
            continue
        total = seen.sum() + different
        if np.count_nonzero(excluded) + different == KEYS:
            total -= different  # nothing is left to escape to
        shares += left * seen / total
        left *= 1 - seen.sum() / total
        excluded |= seen > 0
    if not excluded.all():
        shares[~excluded] += left / np.count_nonzero(~excluded)
    return shares


def _runs(pitches: IntArray, length: int) -> IntArray:
    """Code of each run of ``length`` pitches, (n - length + 1,)."""
    count = max(0, len(pitches) - length + 1)
    codes = np.zeros(count, dtype=np.int64)
    for place in range(length):
        codes = codes * KEYS + pitches[place : place + count]
    return codes


def _added(totals: list[ContextCounts], pieces: list[IntArray]) -> list[ContextCounts]:
    added = []
    for length, before in enumerate(totals):
        new = np.concatenate([np.zeros(0, dtype=np.int64), *(_runs(one, length + 1) for one in pieces)])
        codes, places = np.unique(np.concatenate([before.codes, new]), return_inverse=True)
        weights = np.concatenate([before.counts, np.ones_like(new)])
        counts = np.bincount(places, weights=weights, minlength=len(codes)).astype(np.int64)
        added.append(ContextCounts(codes, counts))
    return added
