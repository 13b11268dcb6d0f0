"""Where the phrases of a performance end, and the calls that end there.

A phrase ends before a gap that stands out among its neighbours in time. Nothing in this depends on the pace
of the notes before, or on any model: it looks as far ahead as back, which whoever has to answer cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.representation import Notes
from improv_core.representation.binning import IntArray
from improv_core.turns import CHORD_SPREAD_S

SHORTEST_GAP_S: Final = 0.5
"""No shorter gap between onsets ends a phrase."""

AROUND_S: Final = 4.0
"""It is the longest gap for so long before and after it."""

QUIET_S: Final = 0.05
"""And in it all keys are up for so long at least."""

REST_S: Final = 0.5
"""Where phrases are to end in a rest, all keys are up for so long."""

CALL_S: Final = 20.0
"""What was played longer before a phrase's end than this is not part of the call."""

FEWEST_CHORDS: Final = 4


@dataclass(frozen=True, slots=True)
class Gaps:
    """Between each chord (a single note is one) and the next; arrays of one length.

    Attributes:
        first: The first note of the chord before it.
        last: The last one.
        onset_s: Onset of that.
        gap_s: From there to the next chord's first onset.
        quiet_s: How long of that all keys are up.
    """

    first: IntArray
    last: IntArray
    onset_s: NDArray[np.float64]
    gap_s: NDArray[np.float64]
    quiet_s: NDArray[np.float64]

    @property
    def next_s(self) -> NDArray[np.float64]:
        """Onset of the next chord."""
        return self.onset_s + self.gap_s


@dataclass(frozen=True, slots=True)
class Span:
    """Some notes of a piece in a row: from ``begin`` up to, not including, ``end``."""

    begin: int
    end: int


def gaps_of(notes: Notes) -> Gaps:
    """All gaps of a performance."""
    onset_s = notes.onset_ms / 1000
    apart = np.flatnonzero(np.diff(onset_s) > CHORD_SPREAD_S)
    released_s = np.maximum.accumulate(onset_s + notes.duration_ms / 1000)
    gap_s = onset_s[apart + 1] - onset_s[apart]
    quiet_s = np.maximum(0.0, onset_s[apart + 1] - released_s[apart])
    first = np.append(0, apart[:-1] + 1)[: len(apart)]
    return Gaps(first, apart, onset_s[apart], gap_s, quiet_s)


def ends_phrase(gaps: Gaps) -> NDArray[np.bool_]:
    """Which gaps end a phrase; those too near the beginning or the end to say do not."""
    ends = np.zeros(len(gaps.gap_s), dtype=np.bool_)
    if not len(ends):
        return ends
    next_s = gaps.next_s
    candidates = (gaps.gap_s >= SHORTEST_GAP_S) & (gaps.quiet_s >= QUIET_S)
    candidates &= (gaps.onset_s - gaps.onset_s[0] >= AROUND_S) & (next_s[-1] - next_s >= AROUND_S)
    for i in np.flatnonzero(candidates).tolist():
        near = (next_s > gaps.onset_s[i] - AROUND_S) & (gaps.onset_s < next_s[i] + AROUND_S)
        near[i] = False
        ends[i] = gaps.gap_s[i] > gaps.gap_s[near].max(initial=0.0)
    return ends


def ends_in_a_rest(gaps: Gaps) -> NDArray[np.bool_]:
    """Which gaps are rests: another definition, which compares nothing."""
    ends: NDArray[np.bool_] = gaps.quiet_s >= REST_S
    return ends


def calls_in(notes: Notes, ends: Callable[[Gaps], NDArray[np.bool_]] = ends_phrase) -> list[Span]:
    """Each phrase up to its end, or the last `CALL_S` of it, if it has `FEWEST_CHORDS`.

    Args:
        notes: The performance.
        ends: Which gaps end a phrase.
    """
    gaps = gaps_of(notes)
    calls, begin = [], 0
    for end in np.flatnonzero(ends(gaps)).tolist():
        recent = int(np.searchsorted(gaps.onset_s, gaps.onset_s[end] - CALL_S))
        first = max(begin, recent)
        if end - first + 1 >= FEWEST_CHORDS:
            calls.append(Span(int(gaps.first[first]), int(gaps.last[end]) + 1))
        begin = end + 1
    return calls
