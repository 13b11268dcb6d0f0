"""Peak and loudness of a sound, measured while it goes by."""

from __future__ import annotations

import functools
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_daemon.rendering.options import SILENCE_DB, Levels, Samples

_HOP_S: Final = 0.1
_HOPS_IN_GATE: Final = 4
_ABSOLUTE_GATE: Final = -70.0
_RELATIVE_GATE: Final = -10.0
_OFFSET: Final = -0.691
_BLOCK: Final = 8192
"""The filters' response has faded to nothing after as many frames, up to 192 kHz."""


class Meter:
    """Takes stereo samples, and tells length, peak and integrated loudness (ITU-R BS.1770-4).

    Loudness is that of blocks of 400 ms, a new one every 100 ms, of which those below -70 LUFS and those
    more than 10 below the mean of the rest do not count.

    Args:
        sample_rate: Frames a second.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._hop = round(_HOP_S * sample_rate)
        self._frames = 0
        self._peak = 0.0
        self._waiting: list[Samples] = []
        self._waiting_frames = 0
        self._before = np.zeros((_BLOCK, 2), np.float32)
        self._tail = np.zeros(0)
        self._hops: list[NDArray[np.float64]] = []

    @property
    def peak(self) -> float:
        """Of the loudest sample so far."""
        return self._peak

    def add(self, samples: Samples) -> None:
        """Take the next samples, shape (frames, 2)."""
        self._frames += len(samples)
        if len(samples):
            self._peak = max(self._peak, float(samples.max()), -float(samples.min()))
        self._waiting.append(samples)
        self._waiting_frames += len(samples)
        if self._waiting_frames >= _BLOCK:
            waiting = np.concatenate(self._waiting)
            whole = len(waiting) // _BLOCK * _BLOCK
            for start in range(0, whole, _BLOCK):
                self._measure(waiting[start : start + _BLOCK])
            self._waiting, self._waiting_frames = [waiting[whole:]], len(waiting) - whole

    def levels(self, gain: float = 1.0) -> Levels:
        """What came of all samples, as if they were multiplied by ``gain``."""
        hops = [*self._hops, *self._rest()]
        energies = np.concatenate(hops) if hops else np.zeros(0)
        peak = self._peak * gain
        return Levels(
            length_s=self._frames / self._rate,
            peak_dbfs=max(SILENCE_DB, 20 * math.log10(peak)) if peak > 0 else SILENCE_DB,
            loudness_lufs=_integrated(energies * gain**2),
        )

    def _rest(self) -> list[NDArray[np.float64]]:
        """The hops of what waits, without counting it: more may come."""
        waiting = np.concatenate([*self._waiting, np.zeros((0, 2), np.float32)])
        power = np.concatenate([self._tail, self._power(waiting)])
        return [_by_hop(power, self._hop)[0]]

    def _measure(self, block: Samples) -> None:
        power = np.concatenate([self._tail, self._power(block)])
        self._before = block
        energies, self._tail = _by_hop(power, self._hop)
        self._hops.append(energies)

    def _power(self, block: Samples) -> NDArray[np.float64]:
        """K-weighted, of both channels together."""
        joined = np.zeros((2 * _BLOCK, 2), np.float32)
        joined[:_BLOCK] = self._before
        joined[_BLOCK : _BLOCK + len(block)] = block
        spectrum = np.fft.rfft(joined, axis=0) * _response(self._rate)
        weighted = np.fft.irfft(spectrum, 2 * _BLOCK, axis=0)[_BLOCK : _BLOCK + len(block)]
        return np.asarray(np.square(weighted).sum(axis=1), np.float64)


def _by_hop(power: NDArray[np.float64], hop: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    whole = len(power) // hop * hop
    return power[:whole].reshape(-1, hop).mean(axis=1), power[whole:]


def _integrated(hops: NDArray[np.float64]) -> float:
    if len(hops) < _HOPS_IN_GATE:
        return SILENCE_DB
    energies = np.convolve(hops, np.full(_HOPS_IN_GATE, 1 / _HOPS_IN_GATE), mode="valid")
    loud = energies[energies > _energy(_ABSOLUTE_GATE)]
    if not len(loud):
        return SILENCE_DB
    gate = loud.mean() * 10 ** (_RELATIVE_GATE / 10)
    return _OFFSET + 10 * math.log10(loud[loud > gate].mean())


def _energy(lufs: float) -> float:
    return float(10 ** ((lufs - _OFFSET) / 10))


@functools.cache
def _response(sample_rate: int) -> NDArray[np.complex64]:
    """The K-weighting's, at the frequencies of a transform of two blocks, shape (frequencies, 1).

    The standard gives its filters at 48 kHz only; for any rate they are those of De Man, "Evaluation of
    Implementations of the EBU R128 Loudness Measurement" (2018).
    """
    z = np.exp(-1j * np.linspace(0, np.pi, _BLOCK + 1))
    response = _shelf(sample_rate, z) * _high_pass(sample_rate, z)
    return response.astype(np.complex64)[:, None]


def _shelf(sample_rate: int, z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    q, k = 0.7071752369554196, math.tan(math.pi * 1681.974450955533 / sample_rate)
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    top = (high + band * k / q + k * k) + 2 * (k * k - high) * z + (high - band * k / q + k * k) * z**2
    return np.asarray(top / _bottom(k, q, z))


def _high_pass(sample_rate: int, z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    q, k = 0.5003270373238773, math.tan(math.pi * 38.13547087602444 / sample_rate)
    # Not divided by the first coefficient of the denominator: the standard's numerator is 1, -2, 1.
    return (1 - 2 * z + z**2) * (1 + k / q + k * k) / _bottom(k, q, z)


def _bottom(k: float, q: float, z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    return (1 + k / q + k * k) + 2 * (k * k - 1) * z + (1 - k / q + k * k) * z**2
