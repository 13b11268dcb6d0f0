"""The beats among onsets that keep to the lengths of the beat best; pure."""

from __future__ import annotations

from typing import Final

import numpy as np

from improv_core.beat_lengths import Onsets
from improv_core.tempogram import BEATS_S, FloatArray

NEAR_S: Final = 0.05
"""What begins so near to a beat is on it."""

# Tried on the validation splits of POP909 and piano-midi.de.
_TIGHT: Final = 100.0
_STEP_S: Final = 0.02
_ACCENT_S: Final = 0.02
_SHORTEST, _LONGEST = 0.6, 1.6
_LINE_BEATS: Final = 2.0
_REACH: Final = 6
_UNHEARD: Final = 0.2


def beat_path(onsets: Onsets, beat_s: FloatArray, grid_s: FloatArray) -> FloatArray:
    """The times of the beats, ascending, (beats,).

    They are moments at which much begins, about as far apart as the beat is long; the best sequence is found
    by dynamic programming (D. Ellis, "Beat tracking by dynamic programming", Journal of New Music
    Research 36(1), 2007). Each is then moved to where the onsets on it are, and those of the beats around it.

    Args:
        onsets: Among which.
        beat_s: The length of the beat at each moment of the grid, (moments,).
        grid_s: As `grid` makes it.
    """
    accent, steps = _accents(onsets, grid_s), beat_s / _STEP_S
    worth, came = np.zeros(len(grid_s)), np.full(len(grid_s), -1, dtype=np.int64)
    least = np.maximum(1, (_SHORTEST * steps).astype(np.int64)).tolist()
    most = (_LONGEST * steps).astype(np.int64).tolist()
    log_gaps, log_steps = np.log(np.arange(1, max(most) + 2)), np.log(steps).tolist()
    for i, begins in enumerate(accent.tolist()):
        first, end = max(0, i - most[i]), i - least[i] + 1
        worth[i] = begins
        if end > first:
            off = log_gaps[i - end : i - first][::-1] - log_steps[i]
            before = worth[first:end] - _TIGHT * off * off
            best = int(before.argmax())
            if before[best] > 0:
                worth[i] += before[best]
                came[i] = first + best
    tail = max(1, int(steps[-1]))
    place, path = len(worth) - tail + int(worth[-tail:].argmax()), list[int]()
    while place >= 0:
        path.append(place)
        place = int(came[place])
    return _on_lines(onsets, grid_s[path[::-1]])


def grid(first_s: float, last_s: float) -> FloatArray:
    """Moments from somewhat before the first beat to somewhat after the last."""
    return np.arange(first_s - BEATS_S[-1], last_s + BEATS_S[-1], _STEP_S)


def _accents(onsets: Onsets, grid_s: FloatArray) -> FloatArray:
    """How much begins near each moment, in standard deviations, (moments,)."""
    accent = np.zeros(len(grid_s))
    place = np.rint((onsets.at_s - grid_s[0]) / _STEP_S).astype(np.int64)
    within = (place >= 0) & (place < len(accent))
    np.add.at(accent, place[within], onsets.weight[within])
    aside_s = np.arange(-6, 7) * _STEP_S
    near: FloatArray = np.convolve(np.sqrt(accent), np.exp(-0.5 * (aside_s / _ACCENT_S) ** 2), mode="same")
    return near / max(float(near.std()), 1e-9)


def _on_lines(onsets: Onsets, beats_s: FloatArray) -> FloatArray:
    """Each beat on the straight line through those around it, where those are that begin on them."""
    heard_s, heard = beats_s.copy(), np.full(len(beats_s), _UNHEARD)
    begin, end = (np.searchsorted(onsets.at_s, beats_s + aside_s) for aside_s in (-NEAR_S, NEAR_S))
    for i in np.flatnonzero(end > begin):
        on_it = slice(begin[i], end[i])
        heard_s[i], heard[i] = np.average(onsets.at_s[on_it], weights=onsets.weight[on_it]), 1.0
    placed = beats_s.copy()
    for place in range(len(beats_s)):
        around = slice(max(0, place - _REACH), place + _REACH + 1)
        aside = np.arange(len(beats_s))[around] - place
        near = heard[around] * np.exp(-0.5 * (aside / _LINE_BEATS) ** 2)
        middle, mean_s = near @ aside / near.sum(), near @ heard_s[around] / near.sum()
        spread = aside - middle
        each_s = (near * spread) @ (heard_s[around] - mean_s) / max((near * spread) @ spread, 1e-9)
        placed[place] = mean_s - middle * each_s
    return np.maximum.accumulate(placed)
