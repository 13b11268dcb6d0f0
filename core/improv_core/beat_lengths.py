"""How long the beats of a performance were at each moment, from what came before and after it; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.pulse import PulseTracker
from improv_core.tempogram import BEATS_S, FloatArray, Tempogram

FRAME_S: Final = 0.25
"""From frame to frame."""

# Tried on the validation splits of POP909 and piano-midi.de.
_CHANGE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Onsets:
    """What began when.

    Attributes:
        at_s: Ascending, (onsets,).
        weight: How loud, 1 for a velocity of 64, (onsets,).
    """

    at_s: FloatArray
    weight: FloatArray

    @property
    def backwards(self) -> Onsets:
        """The same in a time that runs the other way."""
        return Onsets(-self.at_s[::-1], self.weight[::-1])


def beat_lengths(onsets: Onsets, frames_s: FloatArray) -> FloatArray:
    """The length of the beat at each frame, (frames,).

    A Fourier tempogram looks both ways, and of all paths through what it says the best is taken (Viterbi); a
    change of tempo costs by how much it is.
    """
    before, after = _scores(onsets, frames_s), _scores(onsets.backwards, -frames_s[::-1])[::-1]
    return BEATS_S[_steadiest(before + after)]


def confidence(onsets: Onsets, frames_s: FloatArray) -> FloatArray:
    """How sure `PulseTracker` is at each frame, of what came before or of what came after, (frames,)."""
    return np.maximum(_confidence(onsets, frames_s), _confidence(onsets.backwards, -frames_s[::-1])[::-1])


def _scores(onsets: Onsets, frames_s: FloatArray) -> FloatArray:
    """What the onsets before each frame say of each length, (frames, lengths)."""
    tempogram, scores = Tempogram(), np.zeros((len(frames_s), len(BEATS_S)))
    done = 0
    for i, end in enumerate(np.searchsorted(onsets.at_s, frames_s, side="right").tolist()):
        for one in range(done, end):
            tempogram.add(float(onsets.at_s[one]), float(onsets.weight[one]))
        if end > done:
            tempogram.score()
        if tempogram.scores is not None:
            scores[i] = tempogram.scores
        done = end
    return scores


def _steadiest(scores: FloatArray) -> NDArray[np.int64]:
    """The path through the scores that is worth most, a change costing by how much it changes."""
    count = scores.shape[1]
    place = np.arange(count)
    cost = _CHANGE * np.abs(place[:, None] - place[None, :]) * math.log(BEATS_S[1] / BEATS_S[0])
    worth = scores[0]
    came = np.zeros(scores.shape, dtype=np.int64)
    for i in range(1, len(scores)):
        each = worth[None, :] - cost
        came[i] = each.argmax(axis=1)
        worth = each[place, came[i]] + scores[i] * FRAME_S
        worth -= worth.max()
    path = np.zeros(len(scores), dtype=np.int64)
    path[-1] = worth.argmax()
    for i in range(len(scores) - 1, 0, -1):
        path[i - 1] = came[i, path[i]]
    return path


def _confidence(onsets: Onsets, frames_s: FloatArray) -> FloatArray:
    tracker, known = PulseTracker(), np.zeros(len(frames_s))
    done = 0
    for i, end in enumerate(np.searchsorted(onsets.at_s, frames_s, side="right").tolist()):
        for one in range(done, end):
            tracker.onset(float(onsets.at_s[one]), round(float(onsets.weight[one]) * 64))
        done = end
        estimate = tracker.estimate(float(frames_s[i]))
        known[i] = 0.0 if estimate is None else estimate.confidence
    return known
