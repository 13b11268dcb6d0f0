"""The search for pieces of validation and test that have a twin in training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from improv_training.corpora.corpus import Corpus, Split
from improv_training.corpora.fingerprints import Shingles, exact_of, shingles_of

Kind = Literal["same performance", "same work"]

SAME_WORK_FROM = 0.08
"""The least share of the smaller piece's shingles. Of the pairs above it in six corpora, 45 bear the names of
two composers: each is an arrangement, an alternate take, or filed under a wrong name. Just below it,
quotations begin."""

SAME_PERFORMANCE_FROM = 0.5
_LARGEST_DRIFT = 0.006
"""Of the tempo between two copies, over 32 shingles in a row. Of 49 second scans of piano rolls 44 stay
below; two performances of the steadiest preludes and studies begin at 0.0074."""

_LEAST_SHARED = 12
_DRIFT_OVER = 32
_LEAST_TIMES = 4
_MOST_PAIRS = 4096
"""A shingle that would pair more pieces than this is a commonplace."""

_HELD_OUT: tuple[Split, ...] = ("validation", "test")


@dataclass(frozen=True, slots=True)
class Twin:
    """A piece of validation or test, and what it has most in common with in training.

    Attributes:
        corpus: Name of the piece's corpus.
        file: Of the piece.
        split: Where it is, or was.
        of_corpus: Name of the twin's corpus.
        of_file: Of the twin.
        kind: Whether both are one performance.
        shared: Share of the smaller piece's shingles that the other has.
    """

    corpus: str
    file: str
    split: Split
    of_corpus: str
    of_file: str
    kind: Kind
    shared: float


def find_twins(corpora: Sequence[Corpus]) -> dict[int, Twin]:
    """For every piece of validation and test that has twins in training, the closest one.

    Pieces of fewer than some 40 notes are found only if they are copies to the millisecond.

    Returns:
        By number of the piece, counted through all corpora.
    """
    pool = _Pool.of(corpora)
    closest: dict[int, tuple[int, Kind, float]] = {}
    best: dict[int, tuple[bool, float]] = {}
    for held, trained, kind, shared in (*_exact(pool), *_alike(pool)):
        closeness = (kind == "same performance", shared)
        if held not in best or closeness > best[held]:
            best[held], closest[held] = closeness, (trained, kind, shared)
    return {held: pool.twin(held, *closest[held]) for held in sorted(closest)}


@dataclass(frozen=True, slots=True)
class _Pool:
    """All pieces of all corpora under one numbering.

    Attributes:
        corpora: As given.
        begins: Number of each corpus' first piece.
        is_held_out: Shape (pieces,).
        is_trained: Shape (pieces,).
        shingles: Of those in any split.
        sizes: Shape (pieces,): how many shingles each has.
    """

    corpora: Sequence[Corpus]
    begins: NDArray[np.int64]
    is_held_out: NDArray[np.bool_]
    is_trained: NDArray[np.bool_]
    shingles: Shingles
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, corpora: Sequence[Corpus]) -> _Pool:
        begins = np.cumsum([0, *(len(corpus.files) for corpus in corpora)])
        places = [place for corpus in corpora for place in corpus.split]
        parts = [shingles_of(corpus) for corpus in corpora]
        shingles = Shingles(
            np.concatenate([np.zeros(0, dtype=np.uint64), *(one.value for one in parts)]),
            np.concatenate([begins[:0], *(one.piece + b for one, b in zip(parts, begins, strict=False))]),
            np.concatenate([begins[:0], *(one.onset_ms for one in parts)]),
        )
        return cls(
            corpora,
            begins,
            np.array([place in _HELD_OUT for place in places], dtype=np.bool_),
            np.array([place == "train" for place in places], dtype=np.bool_),
            shingles,
            np.bincount(shingles.piece, minlength=len(places)),
        )

    def locate(self, piece: int) -> tuple[Corpus, int]:
        """A piece's corpus and its number there."""
        corpus = int(np.searchsorted(self.begins, piece, side="right")) - 1
        return self.corpora[corpus], piece - int(self.begins[corpus])

    def twin(self, held: int, trained: int, kind: Kind, shared: float) -> Twin:
        """By name."""
        (corpus, index), (other, other_index) = self.locate(held), self.locate(trained)
        split: Split = "test" if corpus.split[index] == "test" else "validation"
        return Twin(
            corpus.name, corpus.files[index], split, other.name, other.files[other_index], kind, shared
        )


_Found = tuple[int, int, Kind, float]


def _exact(pool: _Pool) -> Iterator[_Found]:
    """Copies to the millisecond, however short or plain."""
    trained = {exact_of(*pool.locate(int(piece))): int(piece) for piece in np.flatnonzero(pool.is_trained)}
    for piece in np.flatnonzero(pool.is_held_out):
        twin = trained.get(exact_of(*pool.locate(int(piece))))
        if twin is not None:
            yield int(piece), twin, "same performance", 1.0


def _alike(pool: _Pool) -> Iterator[_Found]:
    """Pairs that have enough shingles in common."""
    held, trained = _shared_shingles(pool)
    pieces = pool.shingles.piece
    pair = pieces[held] * len(pool.sizes) + pieces[trained]
    order = np.argsort(pair, kind="stable")
    held, trained, pair = held[order], trained[order], pair[order]
    starts = np.flatnonzero(np.diff(pair, prepend=-1))
    ends = np.append(starts[1:], len(pair))
    of_held, of_trained = pieces[held[starts]], pieces[trained[starts]]
    shared = (ends - starts) / np.minimum(pool.sizes[of_held], pool.sizes[of_trained])
    for i in np.flatnonzero((shared >= SAME_WORK_FROM) & (ends - starts >= _LEAST_SHARED)):
        kind: Kind = "same work"
        if shared[i] >= SAME_PERFORMANCE_FROM:
            onset_ms, span = pool.shingles.onset_ms, slice(starts[i], ends[i])
            if _drift(onset_ms[held[span]], onset_ms[trained[span]]) <= _LARGEST_DRIFT:
                kind = "same performance"
        yield int(of_held[i]), int(of_trained[i]), kind, float(shared[i])


def _shared_shingles(pool: _Pool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of equal shingles, the first of each pair in a held-out piece, the second in a trained one."""
    pieces, values = pool.shingles.piece, pool.shingles.value
    held, trained = (np.flatnonzero(which[pieces]) for which in (pool.is_held_out, pool.is_trained))
    held, trained = (one[np.argsort(values[one], kind="stable")] for one in (held, trained))
    begin = np.searchsorted(values[trained], values[held], side="left")
    count = np.searchsorted(values[trained], values[held], side="right") - begin
    common = count * _times(values[held]) > _MOST_PAIRS
    held, begin, count = held[~common], begin[~common], count[~common]
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(held, count), trained[np.repeat(begin, count) + within]


def _times(ascending: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How often each value is there."""
    _, inverse, counts = np.unique(ascending, return_inverse=True, return_counts=True)
    times: NDArray[np.int64] = counts[inverse]
    return times


def _drift(one_ms: NDArray[np.int64], other_ms: NDArray[np.int64]) -> float:
    """How much two pieces' tempos sway against one another: median deviation of the log of their ratio."""
    order = np.argsort(one_ms, kind="stable")
    one_ms, other_ms = one_ms[order], other_ms[order]
    over = min(_DRIFT_OVER, len(order) // 4)
    one, other = one_ms[over:] - one_ms[:-over], other_ms[over:] - other_ms[:-over]
    forward = (one > 0) & (other > 0)
    if forward.sum() < _LEAST_TIMES:
        return float("inf")
    ratio = np.log(other[forward] / one[forward])
    return float(np.median(np.abs(ratio - np.median(ratio))))
