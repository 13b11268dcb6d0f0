"""A small room around the piano: convolution with an impulse response that is made, not recorded."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_daemon.piano.strings import Reals

_PART_S: Final = 0.0107
_LENGTH_S: Final = 0.95
_BRIGHT_S, _DARK_HZ = 0.35, 4500.0
_BANDS: Final = ((0, 250, 0.85), (250, 1000, 0.75), (1000, 4000, 0.55), (4000, 20000, 0.32))
"""Hertz from and to, and the reverberation time (60 dB) in seconds."""


class Room:
    """Uniformly partitioned overlap-save convolution, one part late, which is the room's first delay."""

    def __init__(self, sample_rate: int, level: float) -> None:
        """
        Args:
            sample_rate: Frames a second.
            level: Of the reverberation beside the sound itself; 0: none.
        """
        self._part = 2 ** round(np.log2(_PART_S * sample_rate))
        response = impulse_response(sample_rate) * level
        parts = -(-response.shape[1] // self._part)
        padded = np.zeros((2, parts * self._part), np.float32)
        padded[:, : response.shape[1]] = response
        split = padded.reshape(2, parts, self._part)
        responses = np.fft.rfft(split, 2 * self._part, axis=2).astype(np.complex64)
        self._near = round(_BRIGHT_S * sample_rate / self._part)
        self._bins = min(self._part + 1, round(_DARK_HZ / sample_rate * 2 * self._part))
        self._bright, self._dark = responses[:, : self._near], responses[:, self._near :, : self._bins].copy()
        # Each spectrum stands in it twice, so that those of the last parts always lie side by side.
        self._spectra = np.zeros((2 * parts, self._part + 1), np.complex64)
        self._parts = parts
        self._before = np.zeros(2 * self._part, np.float32)
        self._wet = np.zeros((2, self._part), np.float32)
        self._filled, self._newest, self._quiet = 0, 0, parts
        self._off = level <= 0

    def add_to(self, samples: Reals) -> None:
        """Add what the room gives back; shape (2, frames)."""
        at = 0
        while not self._off and at < samples.shape[1]:
            count = min(samples.shape[1] - at, self._part - self._filled)
            span = slice(self._filled, self._filled + count)
            part = samples[:, at : at + count]
            self._before[self._part + span.start : self._part + span.stop] = part[0] + part[1]
            part += self._wet[:, span]
            self._filled, at = self._filled + count, at + count
            if self._filled == self._part:
                self._convolve()

    def _convolve(self) -> None:
        parts = self._parts
        loud = bool(np.any(np.abs(self._before[self._part :]) > 1e-7))
        self._quiet = 0 if loud else self._quiet + 1
        self._newest = (self._newest - 1) % parts
        self._spectra[self._newest :: parts] = np.fft.rfft(self._before) if self._quiet < 2 else 0
        if self._quiet <= parts:
            past = self._spectra[self._newest : self._newest + parts]
            # A quarter of einsum's time, with numbers as many as these.
            total = (self._bright * past[: self._near]).sum(axis=1)
            total[:, : self._bins] += (self._dark * past[self._near :, : self._bins]).sum(axis=1)
            self._wet[:] = np.fft.irfft(total, axis=1)[:, self._part :]
        else:
            self._wet[:] = 0
        self._before[: self._part] = self._before[self._part :]
        self._filled = 0


def impulse_response(sample_rate: int) -> NDArray[np.float64]:
    """Noise that decays faster the higher it is, after a few early reflections; the energy is one a side.

    Returns:
        Shape (2, frames); left and right are independent, and their sum is as loud as either times sqrt 2.
    """
    dice = np.random.default_rng(20)
    frames = round(_LENGTH_S * sample_rate)
    seconds = np.arange(frames) / sample_rate
    spectrum = np.fft.rfft(dice.standard_normal((2, frames)), axis=1)
    hz = np.fft.rfftfreq(frames, 1 / sample_rate)
    response = np.zeros((2, frames))
    for low_hz, high_hz, decay_s in _BANDS:
        band = np.fft.irfft(spectrum * ((hz >= low_hz) & (hz < high_hz)), frames, axis=1)
        response += band * np.exp(-np.log(1000) * seconds / decay_s)
    response *= 1 - np.exp(-seconds / 0.012)
    for side in range(2):
        for delay_s in dice.uniform(0.002, 0.045, 7):
            response[side, round(delay_s * sample_rate)] += (
                dice.choice((-1, 1)) * 2.5 * np.exp(-delay_s / 0.03)
            )
    response *= np.clip((_LENGTH_S - seconds) / 0.2, 0, 1)
    return np.asarray(response / np.sqrt(np.sum(response**2, axis=1, keepdims=True)))
