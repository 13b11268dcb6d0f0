"""How long the beats of a performance were at each moment, from what came before and after it; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.pulse import LOUDNESS, PulseTracker
from improv_core.tempogram import BEATS_S, FloatArray

FRAME_S: Final = 0.25
"""From frame to frame."""

# Tried on the validation splits of POP909 and piano-midi.de.
_CHANGE: Final = 60.0
_AROUND_S: Final = 8.0
_SELDOM: Final = 4


@dataclass(frozen=True, slots=True)
class Onsets:
    """What began when.

    Attributes:
        at_s: Ascending, (onsets,).
        weight: How loud, 1 for a velocity of 64, (onsets,).
    """

    at_s: FloatArray
    weight: FloatArray


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long beats are at each of some moments.

    Attributes:
        frames_s: The moments, `FRAME_S` apart, (frames,).
        beat_s: The length of the beat, (frames,).
        confidence: How sure `PulseTracker` is there, of what came before and of what came after, (frames,).
    """

    frames_s: FloatArray
    beat_s: FloatArray
    confidence: FloatArray


def beat_lengths(onsets: Onsets) -> Lengths:
    """The lengths of the beat from the first onset to the last.

    A Fourier tempogram looks both ways, and of all paths through what it says the best is taken (Viterbi); a
    change of tempo costs by how much it is.
    """
    at_s = onsets.at_s - onsets.at_s[0]
    count = math.ceil(at_s[-1] / FRAME_S) + 1
    frames_s = np.arange(count) * FRAME_S
    before, sure_before = _followed(at_s, onsets.weight, frames_s)
    after, sure_after = _followed(frames_s[-1] - at_s[::-1], onsets.weight[::-1], frames_s)
    window = np.ones(min(count, round(_AROUND_S / FRAME_S)))
    sure = np.convolve(sure_before + sure_after[::-1], window, "same")
    sure /= 2 * np.convolve(np.ones(count), window, "same")
    beat_s = BEATS_S[_steadiest(before + after[::-1])]
    return Lengths(onsets.at_s[0] + frames_s, beat_s, sure)


def _followed(at_s: FloatArray, weight: FloatArray, frames_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What is known of the onsets before each frame: scores (frames, lengths), and how sure (frames,)."""
    tracker, scores, sure = PulseTracker(), np.zeros((len(frames_s), len(BEATS_S))), np.zeros(len(frames_s))
    onsets = list(zip(at_s.tolist(), np.rint(weight * LOUDNESS).astype(int).tolist(), strict=True))
    done, confidence = 0, 0.0
    for i, end in enumerate(np.searchsorted(at_s, frames_s, side="right").tolist()):
        for onset_s, velocity in onsets[done:end]:
            tracker.onset(onset_s, velocity)
        done = end
        if tracker.scores is not None:
            scores[i] = tracker.scores
        if i % _SELDOM == 0:
            estimate = tracker.estimate(float(frames_s[i]))
            confidence = 0.0 if estimate is None else estimate.confidence
        sure[i] = confidence
    return scores, sure


def _steadiest(scores: FloatArray) -> NDArray[np.int64]:
    """The path through the scores that is worth most, a change costing by how much it changes."""
    count = scores.shape[1]
    place = np.arange(count)
    cost = _CHANGE * np.abs(place[:, None] - place[None, :]) * math.log(BEATS_S[1] / BEATS_S[0])
    worth = scores[0]
    came = np.zeros(scores.shape, dtype=np.int16)
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
