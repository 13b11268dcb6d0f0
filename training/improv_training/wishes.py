"""What could have been asked of the notes of a piece, so that they are what was asked for."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.notes import CHORD_MS
from improv_core.representation import Notes, Wishes
from improv_core.representation.asking import (
    DENSITY_S,
    FREE_DENSITY,
    FREE_LEFT,
    density_classes,
    left_classes,
)
from improv_core.representation.binning import IntArray

PHRASE_GAP_MS: Final = 700
"""No shorter silence between onsets ends a phrase."""
_SLOWER: Final = 2.5
_RECENT: Final = 8

_ASKED_SHARE: Final = 0.5
_MEAN_RUN: Final = 60.0


def wishes_of(notes: Notes, group: IntArray) -> Wishes:
    """Everything that could be asked: what came.

    Args:
        notes: The piece, n notes.
        group: Whose density it is, (n,): only notes of the same group count.
    """
    return Wishes(coming_density(notes.onset_ms, group), phrase_left(notes.onset_ms))


def random_wishes(notes: Notes, group: IntArray, rng: np.random.Generator) -> Wishes:
    """`wishes_of`, each asked in random stretches that make up half of the piece."""
    all_of_it = wishes_of(notes, group)
    return Wishes(
        np.where(_stretches(len(notes), rng), all_of_it.density, FREE_DENSITY),
        np.where(_stretches(len(notes), rng), all_of_it.left, FREE_LEFT),
    )


def _stretches(count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    changes = np.cumsum(rng.random(count) < 1 / _MEAN_RUN)
    return (rng.random(count + 1) < _ASKED_SHARE)[changes]


def coming_density(onset_ms: IntArray, group: IntArray) -> IntArray:
    """The class of how many notes of its group a second come from each note on, itself included.

    Counted over `DENSITY_S` from the onset before it, or to the end of the piece; where that is less than
    half as long, nothing can be said: free.

    Args:
        onset_ms: Shape (n,), ascending.
        group: Shape (n,).
    """
    before_ms = np.append(onset_ms[:1], onset_ms[:-1])
    end_ms = np.minimum(before_ms + round(1000 * DENSITY_S), onset_ms[-1:])
    span_s = (end_ms - before_ms) / 1000
    behind = np.searchsorted(onset_ms, end_ms, side="right")
    counts = np.zeros(len(onset_ms))
    for one in np.unique(group):
        mine = np.append(0, np.cumsum(group == one))
        counts = np.where(group == one, mine[behind] - mine[:-1], counts)
    known = span_s >= DENSITY_S / 2
    return np.where(known, density_classes(counts / np.maximum(span_s, 1e-3)), FREE_DENSITY)


def phrase_left(onset_ms: IntArray) -> IntArray:
    """The class of how long the phrase of the note before each one still goes on after that note.

    So the first note of a phrase comes where nothing is left of the one before; that of the piece is free.

    Args:
        onset_ms: Shape (n,), ascending.
    """
    last = last_of_phrase(onset_ms)
    phrase: IntArray = np.cumsum(last) - last
    left = left_classes(onset_ms[last][phrase] - onset_ms)
    return np.append(FREE_LEFT, left[:-1])[: len(onset_ms)]


def last_of_phrase(onset_ms: IntArray) -> NDArray[np.bool_]:
    """Whether a note is the last of its phrase, (n,).

    A phrase ends before a silence of `PHRASE_GAP_MS` at least that is also 2.5 times the median of the last
    eight times between onsets, and with the piece.

    Args:
        onset_ms: Shape (n,), ascending.
    """
    gaps_ms = np.diff(onset_ms)
    apart = np.flatnonzero(gaps_ms >= CHORD_MS)
    padded = np.concatenate([np.full(_RECENT, np.nan), gaps_ms[apart][:-1]]) if len(apart) else np.zeros(0)
    ends = np.zeros(len(onset_ms), dtype=np.bool_)
    if len(apart):
        recent = np.lib.stride_tricks.sliding_window_view(padded, _RECENT)
        recent = np.where(np.isnan(recent).all(axis=1, keepdims=True), 0.0, recent)
        longest = np.maximum(PHRASE_GAP_MS, _SLOWER * np.nanmedian(recent, axis=1))
        ends[apart[gaps_ms[apart] >= longest]] = True
    ends[-1:] = True
    return ends
