"""The modes of every string of the piano: where they lie, how long they ring, how the hammer excites them.

Each partial of the lower strings has two modes, as a struck string has: one that the bridge takes up quickly,
and a weaker one a little beside it that rings on (G. Weinreich, "Coupled piano strings", JASA 62, 1977).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LOWEST, HIGHEST = 21, 108
PART_FRAMES: Final = 64
BLOCK_FRAMES: Final = 16 * PART_FRAMES
"""Frames that are computed at once, at most."""

FIRST_UNDAMPED: Final = 90  # from F#6 on no string has a damper
_HIGHEST_HZ, _MOST_PARTIALS, _DOUBLED = 9000.0, 72, 14
_LATE_SHARE, _LATE_RATE = 0.22, 0.36
_LATE_BESIDE_HZ = 0.11

Complexes = NDArray[np.complex64]
Turns = NDArray[np.complex128]
Reals = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class KeyModes:
    """The modes of a key's strings, those first that ring longest.

    Attributes:
        key: 0..127; beyond a piano's keys it sounds like its outermost, transposed.
        hz: Frequency of each mode, shape (modes,).
        rate: Its decay, in nepers a second, shape (modes,).
        share: The part of its partial's amplitude that it has, shape (modes,).
        place: Gains on the left and on the right, shape (2, modes).
        struck: How the place of the hammer along the string weighs it, shape (modes,).
        phase: At the blow, in radians, shape (modes,).
        sample_rate: Frames a second.
    """

    key: int
    hz: NDArray[np.float64]
    rate: NDArray[np.float64]
    share: NDArray[np.float64]
    place: NDArray[np.float64]
    struck: NDArray[np.float64]
    phase: NDArray[np.float64]
    sample_rate: int

    def turned(self, ratio: float = 1.0) -> Turns:
        """What a frame does to each mode's state, with all frequencies multiplied by a ratio."""
        return np.asarray(np.exp((2j * np.pi * self.hz * ratio - self.rate) / self.sample_rate))


def fundamental_hz(key: float) -> float:
    """Equal temperament with a piano's stretch: the extremes lie outside (O. L. Railsback, 1938)."""
    stretch_cents = 16.0 * ((key - 64.5) / 43.5) ** 3
    return 440.0 * 2 ** ((key - 69) / 12 + stretch_cents / 1200)


def inharmonicity(key: float) -> float:
    """B of f_p = p f_0 sqrt(1 + B p^2), typical of a grand.

    Source: F. Rigaud, B. David, L. Daudet, "A parametric model and estimation techniques for the
    inharmonicity and tuning of the piano", JASA 133, 2013.
    """
    return math.exp(0.0926 * key - 13.64) + math.exp(-0.0847 * key - 5.82)


def decay_rate(key: float, hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Nepers a second in which the quick part of a partial decays."""
    base = 0.85 * 2 ** ((key - 36) / 34)
    return base + 0.22 * (hz / 1000) ** 1.25


def damping_rate(key: int) -> float:
    """Nepers a second that a damper takes from a string on which it lies."""
    if key >= FIRST_UNDAMPED:
        return 0.0
    return 11.0 + 22.0 * max(0.0, min(1.0, (key - 21) / 60))


@functools.cache
def modes_of(key: int, sample_rate: int) -> KeyModes:
    """The modes of a key."""
    stiffness = inharmonicity(min(max(key, LOWEST), HIGHEST))
    first_hz = fundamental_hz(key)
    partials = np.arange(1, _MOST_PARTIALS + 1, dtype=np.float64)
    hz = first_hz * partials * np.sqrt((1 + stiffness * partials**2) / (1 + stiffness))
    kept = hz < min(max(_HIGHEST_HZ, 2.2 * first_hz), 0.45 * sample_rate)
    partials, hz = partials[kept], hz[kept]
    rate = decay_rate(key, hz)
    place = _places(key, len(hz))
    struck = 0.25 + 0.75 * np.abs(np.sin(np.pi * partials / 8.3))
    # A string starts from rest, so with a sine; spread around that, the partials' peaks do not add up.
    phase = np.random.default_rng(key).uniform(-1.5, 1.5, len(hz)) - np.pi / 2
    doubled = slice(0, min(_DOUBLED, len(hz)))
    share = np.where(partials <= _DOUBLED, 1 - _LATE_SHARE, 1.0)
    # Every key beats at its own pace, as strings are tuned by hand.
    beside_hz = (
        _LATE_BESIDE_HZ * np.random.default_rng(1000 + key).uniform(0.5, 1.3) * (1 + 0.15 * partials[doubled])
    )
    rates = np.concatenate((rate, rate[doubled] * _late_rate(key)))
    order = np.argsort(rates, kind="stable")
    return KeyModes(
        key,
        np.concatenate((hz, hz[doubled] + beside_hz))[order],
        rates[order],
        np.concatenate((share, np.full(len(hz[doubled]), _LATE_SHARE)))[order],
        np.concatenate((place, place[::-1, doubled]), axis=1)[:, order],
        np.concatenate((struck, struck[doubled]))[order],
        np.concatenate((phase, phase[doubled]))[order],
        sample_rate,
    )


def _late_rate(key: int) -> float:
    """Of the quick decay; the heaviest and the lightest strings give up soonest what is left."""
    return _LATE_RATE + 0.25 * max(0.0, min(1.0, (60 - key) / 39)) + 0.3 * max(0.0, min(1.0, (key - 84) / 18))


def _places(key: int, partials: int) -> NDArray[np.float64]:
    """Low strings to the left, as the one who plays hears them; partials spread around that."""
    centre = 0.32 * (min(max(key, LOWEST), HIGHEST) - 64.5) / 43.5
    spread = np.random.default_rng(key).uniform(-0.22, 0.22, partials)
    angle = (1 + np.clip(centre + spread, -1, 1)) * np.pi / 4
    return np.stack((np.cos(angle), np.sin(angle)))


def excitation(modes: KeyModes, velocity: float, softness: float = 0.0) -> NDArray[np.float64]:
    """How strongly a hammer sets off each mode; the squares of the partials' amplitudes sum to one.

    Args:
        modes: The key's.
        velocity: 0..1.
        softness: 0..1, of the soft pedal.
    """
    if not len(modes.hz):
        return modes.hz
    octave = (modes.key - 60) / 12
    edge_hz = 1200 * 2 ** (0.3 * max(octave, -0.25 * octave)) * 2 ** (3.0 * (velocity - 0.6) - 0.5 * softness)
    above = (modes.hz / modes.hz.min()) ** -0.35
    spectrum = modes.struck * above / (1 + (modes.hz / edge_hz) ** 2) ** 1.05
    firsts = spectrum[modes.share >= 0.5]
    return np.asarray(spectrum * modes.share / math.sqrt(float(np.sum(firsts**2))))


@dataclass(frozen=True, slots=True)
class Future:
    """What becomes of states, so far ahead as a block goes.

    A product of two small matrices: states where each part begins, and what a state does within a part.

    Attributes:
        table: What each mode gives in the frames of a part, for a state of one; see `table_of`.
        powers: What becomes of each state until each part begins, shape (parts + 1, modes).
    """

    table: Reals
    powers: Complexes

    @classmethod
    def of(cls, turn: Turns) -> Future:
        """Of a frame's change of each state."""
        powers = np.empty((BLOCK_FRAMES // PART_FRAMES + 1, len(turn)), np.complex128)
        powers[0] = 1
        powers[1:] = turn**PART_FRAMES
        return cls(table_of(turn), np.cumprod(powers, axis=0).astype(np.complex64))

    def sound(self, beginnings: Complexes, frames: int) -> Reals:
        """Samples, shape (2, frames), out of states at the beginning of each part.

        Args:
            beginnings: Shape (2, parts, modes); of modes no more than there are here, the first.
            frames: At most all of the parts'.
        """
        sides, parts, modes = beginnings.shape
        flat = np.ascontiguousarray(beginnings).view(np.float32).reshape(sides * parts, 2 * modes)
        return np.asarray((flat @ self.table[: 2 * modes]).reshape(sides, -1)[:, :frames])


def parts_of(frames: int) -> int:
    """How many parts of a block so many frames begin."""
    return -(-frames // PART_FRAMES)


def table_of(turn: Turns) -> Reals:
    """What each mode gives in the frames of a part, for a state of one.

    Args:
        turn: A frame's change of each state.

    Returns:
        Shape (2 * modes, frames), real and (negative) imaginary rows by turns: the float view of the states
        times this gives samples.
    """
    powers = turn[:, None] ** np.arange(PART_FRAMES)
    table = np.empty((2 * len(turn), PART_FRAMES), np.float32)
    table[0::2] = powers.real
    table[1::2] = -powers.imag
    return table


def step_of(turn: Turns, frames: int) -> Complexes:
    """What that many frames do to each state."""
    return np.asarray(turn**frames, np.complex64)
