"""Which lengths of the beat go with the onsets of the last seconds: a Fourier tempogram that decays.

The idea is the predominant local pulse of Grosche and Müller ("Extracting predominant local pulse information
from music recordings", IEEE TASLP 2011), here with a window that looks back only, so that an onset costs the
same however long somebody has played.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

BEATS_S: Final[FloatArray] = np.geomspace(0.25, 1.5, 110)
"""Lengths of the beat that are told apart."""

WINDOW_S: Final = 4.0
"""What is so old counts 1/e."""

SMOOTHING_S: Final = 4.0
"""Scores follow what is played with this time constant."""

_STEP_HZ: Final = 0.04  # a line of the tempogram is as wide, with that window
_LINES: Final = 310
_MULTIPLES: Final = np.array([1 / 4, 1 / 3, 1 / 2, 1, 3 / 2, 2, 3, 4, 6, 8])
"""A length is judged by how periodic the onsets are in these multiples of its rate."""

# Fitted as by python -m bench.pulse --fit, but to other pieces of the training splits: it prints others.
_BY_COHERENCE: Final = np.array([0.3, -0.31, -0.34, -0.52, -1.19, 4.85, 3.48, 5.73, -0.31, 3.2])
_BY_LENGTH: Final = np.array([1.39, -1.34, -2.9])
_USUAL_BEAT_S: Final = 0.6

_PLACE: Final[FloatArray] = _MULTIPLES[:, None] / BEATS_S / _STEP_HZ
_LINE: Final = np.minimum(_PLACE.astype(np.int64), _LINES - 2)
_BEYOND: Final[FloatArray] = np.clip(_PLACE - _LINE, 0.0, 1.0)
_TURNS: Final = -2j * np.pi * _STEP_HZ * np.arange(_LINES)
_POWERS: Final[FloatArray] = np.stack([np.log(BEATS_S / _USUAL_BEAT_S) ** power for power in (1, 2, 3)])
_STEP: Final = math.log(BEATS_S[1] / BEATS_S[0])


class Tempogram:
    """How periodic the onsets are at each rate, and what that says of each length of the beat."""

    __slots__ = ("_begun_s", "_last_s", "_lines", "_scored_s", "_squares", "_weight", "scores")

    def __init__(self) -> None:
        self._lines = np.zeros(_LINES, dtype=np.complex128)
        self._weight = self._squares = 0.0
        self._begun_s = self._last_s = self._scored_s = 0.0
        self.scores: FloatArray | None = None

    def add(self, at_s: float, weight: float) -> None:
        """One onset; a little older than the latest is welcome too."""
        if not self._weight:
            self._begun_s = self._last_s = at_s
        decay = math.exp(-max(0.0, at_s - self._last_s) / WINDOW_S)
        self._lines *= decay
        self._lines += weight * np.exp(_TURNS * (at_s - self._begun_s))
        self._weight = self._weight * decay + weight
        self._squares = self._squares * decay**2 + weight**2
        self._last_s = max(self._last_s, at_s)

    def coherences(self) -> FloatArray:
        """At each multiple of the rate of each length 0..1, shape (multiples, lengths).

        It is 1 where all onsets fall on one phase, 0 where they fall anywhere, however few they are.
        """
        power = self._lines.real**2 + self._lines.imag**2 - self._squares
        most = max(self._weight**2 - self._squares, 0.05 * self._weight**2)
        line = np.sqrt(np.clip(power / most, 0.0, 1.0))
        between: FloatArray = line[_LINE] * (1.0 - _BEYOND) + line[_LINE + 1] * _BEYOND
        return between

    def score(self) -> FloatArray:
        """Take the onsets so far into `scores`, logarithms of odds for each length, shape (lengths,)."""
        now = judged(self.coherences(), _BY_COHERENCE, _BY_LENGTH)
        follow = 1.0 - math.exp(-(self._last_s - self._scored_s) / SMOOTHING_S)
        self.scores = now if self.scores is None else self.scores + follow * (now - self.scores)
        self._scored_s = self._last_s
        return self.scores


def judged(coherences: FloatArray, by_coherence: FloatArray, by_length: FloatArray) -> FloatArray:
    """Scores from coherences and from how usual each length is, shape (lengths,)."""
    scores: FloatArray = by_coherence @ coherences + by_length @ _POWERS
    return scores


def highest(scores: FloatArray) -> tuple[int, float]:
    """Where the scores are highest, and the length of the beat there in seconds, between those told apart."""
    peak = int(scores.argmax())
    if not 0 < peak < len(scores) - 1:
        return peak, float(BEATS_S[peak])
    left, top, right = scores[peak - 1 : peak + 2].tolist()
    bend = left - 2 * top + right
    aside = 0.5 * (left - right) / bend if bend < 0 else 0.0
    return peak, float(BEATS_S[peak]) * math.exp(_STEP * aside)
