"""Where the player's beat is, from the onsets as they come; pure, and never from what is yet to come."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from improv_core.representation.asking import Pulse
from improv_core.tempogram import BEATS_S, FloatArray, Tempogram, highest

CLEAR_FROM: Final = 0.75
"""With this confidence the beat is clear."""

FORGET_AFTER_S: Final = 8.0
"""After so long a silence nothing is known."""

LOUDNESS: Final = 64.0
"""An onset of this velocity weighs 1."""

_LOCK_EVERY_S: Final = 0.25
_NOTES: Final = 128
_CHORD_S: Final = 0.05
_FEWEST: Final = 2.5

# Tried on the validation split of POP909.
_RECENT_S: Final = 3.5
_SAME_TEMPO: Final = 0.5
_SAME_PHASE: Final = 0.2
_ON_THE_BEAT_S: Final = 0.04
_RIGID: Final = 0.02
_ROUNDS: Final = 2
_HARMONICS: Final = (1, 2, 4)
_BY_HARMONIC: Final = np.array([1.0, 1.0, 0.5])
_PHASES: Final[FloatArray] = np.arange(48) / 48
_COMB: Final = _BY_HARMONIC[:, None] * np.exp(-2j * np.pi * np.outer(_HARMONICS, _PHASES))

# Fitted: python -m bench.pulse --fit
_CERTAINTY: Final = np.array([2.56, 0.63, 1.73, 0.44, 0.10, 0.23, -0.12, -2.74])


@dataclass(frozen=True, slots=True)
class PulseEstimate:
    """Where the beats seem to be.

    Attributes:
        pulse: The beats; its origin is the one nearest to the latest onset.
        confidence: How likely the next beat is one, within 70 ms and 17.5 % of the beat; of beats that are
            counted twice as fast those half-way between are right as well.
    """

    pulse: Pulse
    confidence: float

    @property
    def clear(self) -> bool:
        """Whether to play on it."""
        return self.confidence >= CLEAR_FROM


@dataclass(frozen=True, slots=True)
class _Lock:
    """A beat at ``origin_s`` and one each ``beat_s``; it has been so since ``since_s``."""

    origin_s: float
    beat_s: float
    since_s: float
    traits: tuple[float, ...]


class PulseTracker:
    """Finds length and phase of the beat, and says how sure it is.

    The tempogram proposes lengths; a comb over the latest onsets finds the phase, which leans towards the one
    before; a weighted line through the onsets near beats and half beats then gives both exactly. What was
    locked to stays unless something else is clearly better (the phase locking of Large and Kolen, "Resonance
    and the perception of musical meter", Connection Science 1994, in discrete steps).
    """

    def __init__(self) -> None:
        self._tempogram = Tempogram()
        self._at_s, self._weight, self._strikes = np.zeros(_NOTES), np.zeros(_NOTES), np.zeros(_NOTES)
        self._count = 0
        self._last_s = self._chord_s = self._locked_s = -math.inf
        self._lock: _Lock | None = None

    @property
    def scores(self) -> FloatArray | None:
        """What the onsets so far say of each of `BEATS_S`, see `Tempogram`; None before there are any."""
        return self._tempogram.scores

    def onset(self, at_s: float, velocity: int) -> None:
        """The player strikes a key; a little before the latest onset is welcome too."""
        if at_s - self._last_s > FORGET_AFTER_S:
            self._tempogram, self._count, self._lock = Tempogram(), 0, None
            self._chord_s = self._locked_s = -math.inf
        weight = velocity / LOUDNESS
        place = self._count % _NOTES
        self._at_s[place], self._weight[place] = at_s, weight
        self._strikes[place] = at_s - self._chord_s > _CHORD_S
        self._chord_s = at_s if self._strikes[place] else self._chord_s
        self._count += 1
        self._last_s = max(self._last_s, at_s)
        self._tempogram.add(at_s, weight)
        if self._last_s - self._locked_s >= _LOCK_EVERY_S:
            self._locked_s = self._last_s
            self._tempogram.score()
            self._lock = self._locked()

    def estimate(self, now_s: float) -> PulseEstimate | None:
        """Where the beats are; None before there are a few onsets, and after a long silence."""
        silence_s = now_s - self._last_s
        lock = self._locked() if silence_s <= FORGET_AFTER_S else None
        if lock is None:
            return None
        traits = self.traits(lock, max(0.0, silence_s))
        confidence = 1.0 / (1.0 + math.exp(-float(_CERTAINTY @ traits)))
        return PulseEstimate(Pulse(lock.origin_s * 1e3, lock.beat_s * 1e3), confidence)

    def traits(self, lock: _Lock, silence_s: float) -> FloatArray:
        """What the confidence is judged by."""
        age = math.log1p((self._last_s - lock.since_s) / lock.beat_s)
        return np.array([*lock.traits, age, silence_s, 1.0])

    def _locked(self) -> _Lock | None:
        scores = self._tempogram.scores
        known = min(self._count, _NOTES)
        at_s = self._at_s[:known] - self._last_s
        recent = np.exp(at_s / _RECENT_S)
        strikes = float(self._strikes[:known] @ recent)
        if scores is None or strikes < _FEWEST:
            return None
        weight = self._weight[:known] * recent
        total = float(weight.sum())
        favoured = self._favoured(scores)
        peak, beat_s = highest(favoured)
        phase = self._phase(at_s, weight / total, beat_s)
        phase, beat_s = _aligned(at_s, weight, phase, beat_s)
        odds = np.exp(favoured - favoured[peak])
        sure = float(odds[max(0, peak - 3) : peak + 4].sum() / odds.sum())
        origin_s = self._last_s + (phase - round(phase)) * beat_s
        traits = (*_agreement(at_s, weight / total, phase, beat_s), math.log(strikes), math.log(sure))
        return _Lock(origin_s, beat_s, self._since_s(origin_s, beat_s), traits)

    def _favoured(self, scores: FloatArray) -> FloatArray:
        if self._lock is None:
            return scores
        return scores + _SAME_TEMPO * np.exp(-0.5 * (np.log(BEATS_S / self._lock.beat_s) / 0.03) ** 2)

    def _phase(self, at_s: FloatArray, share: FloatArray, beat_s: float) -> float:
        """Of the beat after the latest onset, in beats 0..1: where a comb takes up most onsets."""
        once = np.exp(2j * np.pi / beat_s * at_s)
        twice = once * once
        sums = np.array([share @ once, share @ twice, share @ (twice * twice)])
        found = (sums @ _COMB).real
        if self._lock is not None and abs(math.log(self._lock.beat_s / beat_s)) < 0.1:
            before = (self._lock.origin_s - self._last_s) / beat_s
            found += _SAME_PHASE * np.cos(2 * np.pi * (_PHASES - before))
        return float(_PHASES[int(found.argmax())])

    def _since_s(self, origin_s: float, beat_s: float) -> float:
        lock = self._lock
        if lock is not None and abs(math.log(beat_s / lock.beat_s)) < 0.05:
            apart = (origin_s - lock.origin_s) / beat_s
            if abs(apart - round(apart)) < 0.12:
                return lock.since_s
        return self._last_s


def _aligned(at_s: FloatArray, weight: FloatArray, phase: float, beat_s: float) -> tuple[float, float]:
    """Phase and length of the line through the onsets near beats and half beats; far ones hardly count."""
    proposed_s = beat_s
    for _ in range(_ROUNDS):
        halves = np.rint((at_s / beat_s - phase) * 2)
        beside_s = at_s - (halves / 2 + phase) * beat_s
        near = weight * np.exp(-0.5 * (beside_s / _ON_THE_BEAT_S) ** 2)
        total = float(near.sum())
        if total <= 0.0:
            break
        beats = halves / 2
        mean, mean_s = float(near @ beats) / total, float(near @ at_s) / total
        spread, rigid = beats - mean, _RIGID * total
        beat_s = float(near @ (spread * (at_s - mean_s)) + rigid * proposed_s)
        beat_s /= float(near @ (spread * spread)) + rigid
        phase = mean_s / beat_s - mean
    return phase, beat_s


def _agreement(
    at_s: FloatArray, share: FloatArray, phase: float, beat_s: float
) -> tuple[float, float, float]:
    """How well the onsets agree on the beat, on halves and on quarters of it; 1 where all fall on one."""
    once = np.exp(2j * np.pi * (at_s / beat_s - phase))
    twice = once * once
    return float((share @ once).real), float((share @ twice).real), float((share @ (twice * twice)).real)
