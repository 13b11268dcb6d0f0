"""What a piece has in common with its copies in other keys, and with other performances of the work.

Notes struck within 30 ms of one another count as one chord, sorted by pitch, as no two pianists spread a
chord alike. Every eight intervals that follow one another are a shingle: eight bytes, the same in all keys.
Shingles of few different intervals (trills, scales, broken chords) are in half of all music and count for
nothing. Of the others every second one is kept, chosen by its value and so the same ones in every piece
(Broder, "On the resemblance and containment of documents", 1997).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from improv_core.notes import CHORD_MS
from improv_training.corpora.corpus import Corpus

INTERVALS = 8
_DIFFERENT = 5
_ODD = np.uint64(0x9E3779B97F4A7C15)
_TOP_BIT = np.uint64(63)
_NOTES_AT_ONCE = 1 << 19
_DT_MS, _PITCH = 0, 2


@dataclass(frozen=True, slots=True)
class Shingles:
    """The shingles of some pieces, each once a piece, where it comes first.

    Attributes:
        value: Shape (shingles,), uint64.
        piece: Shape (shingles,), int64: ascending.
        onset_ms: Shape (shingles,), int64: in its piece, of its first note.
    """

    value: NDArray[np.uint64]
    piece: NDArray[np.int64]
    onset_ms: NDArray[np.int64]


def shingles_of(corpus: Corpus) -> Shingles:
    """The shingles of every piece of a corpus."""
    parts = [_shingles(corpus, begin, end) for begin, end in _spans(corpus.offsets)]
    return Shingles(
        *(np.concatenate([getattr(one, name) for one in parts]) for name in ("value", "piece", "onset_ms"))
    )


def exact_of(corpus: Corpus, index: int) -> bytes:
    """The same for a piece and its copies in other keys and at other velocities, and for nothing else."""
    rows = corpus.rows[corpus.offsets[index] : corpus.offsets[index + 1]]
    return np.ascontiguousarray(rows[:, _DT_MS]).tobytes() + np.diff(rows[:, _PITCH]).tobytes()


def _spans(offsets: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Runs of pieces that are not too much at once."""
    begin = 0
    while begin < len(offsets) - 1:
        end = int(np.searchsorted(offsets, offsets[begin] + _NOTES_AT_ONCE, side="right")) - 1
        end = max(end, begin + 1)
        yield begin, end
        begin = end


def _shingles(corpus: Corpus, begin: int, end: int) -> Shingles:
    offsets = corpus.offsets[begin : end + 1] - corpus.offsets[begin]
    rows = corpus.rows[corpus.offsets[begin] : corpus.offsets[end]]
    dt_ms, lengths = rows[:, _DT_MS].astype(np.int64), np.diff(offsets)
    starts = offsets[:-1][lengths > 0]
    piece = np.repeat(np.arange(begin, end), lengths)
    onset_ms = np.cumsum(dt_ms)
    onset_ms -= np.repeat(onset_ms[starts], lengths[lengths > 0])
    new = dt_ms > CHORD_MS
    new[starts] = True
    order = np.argsort(np.cumsum(new) * 128 + rows[:, _PITCH], kind="stable")
    interval = np.diff(rows[order, _PITCH]).astype(np.int8)
    count = max(0, len(interval) - INTERVALS + 1)
    if not count:
        empty = np.zeros(0, dtype=np.int64)
        return Shingles(empty.astype(np.uint64), empty, empty)
    window = np.lib.stride_tricks.sliding_window_view(interval, INTERVALS)
    value = np.ascontiguousarray(window).view(np.uint64)[:, 0]
    kept = ((value * _ODD) >> _TOP_BIT == 0) & (piece[:count] == piece[INTERVALS : INTERVALS + count])
    kept[kept] = _different(window[kept]) >= _DIFFERENT
    return _first_of_each(value[kept], piece[:count][kept], onset_ms[order][:count][kept])


def _different(window: NDArray[np.int8]) -> NDArray[np.int64]:
    """How many different intervals each shingle has."""
    ascending = np.sort(window, axis=1)
    different: NDArray[np.int64] = 1 + (ascending[:, 1:] != ascending[:, :-1]).sum(axis=1)
    return different


def _first_of_each(
    value: NDArray[np.uint64], piece: NDArray[np.int64], onset_ms: NDArray[np.int64]
) -> Shingles:
    order = np.lexsort((value, piece))
    value, piece, onset_ms = value[order], piece[order], onset_ms[order]
    first = np.ones(len(value), dtype=np.bool_)
    first[1:] = (value[1:] != value[:-1]) | (piece[1:] != piece[:-1])
    return Shingles(value[first], piece[first], onset_ms[first])
