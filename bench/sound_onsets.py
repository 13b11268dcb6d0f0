"""Where notes begin in a sound, found by ear, and how they agree with the notes that should be there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.floating]

_WINDOW_S: Final = 0.046
_HOP_S: Final = 0.005
_AROUND_S: Final = 0.1
"""A peak has to stand out of so much before and after it."""
_CHORD_S: Final = 0.04
"""Onsets closer than this are heard as one."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How onsets by ear agree with those that should be there.

    Attributes:
        expected: Onsets that should be heard, chords counted once.
        found: Of these, how many are.
        heard: Onsets by ear.
        without_cause: Of these, how many no note explains.
        offsets_s: By how much those found come after the note.
    """

    expected: int
    found: int
    heard: int
    without_cause: int
    offsets_s: tuple[float, ...]


def onsets_by_ear(sound: Samples, sample_rate: int, sensitivity: float = 0.08) -> NDArray[np.float64]:
    """Seconds at which something begins: peaks of the spectral flux of log magnitudes (Dixon, DAFx 2006).

    Args:
        sound: Shape (frames,) or (frames, channels).
        sample_rate: Frames a second.
        sensitivity: How far a peak must stand above the mean around it, of the loudest ones' usual height.
    """
    mono = np.asarray(sound, dtype=np.float64)
    mono = mono if mono.ndim == 1 else mono.mean(axis=1)
    hop, width = round(_HOP_S * sample_rate), round(_WINDOW_S * sample_rate)
    flux = _flux(mono, hop, width)
    if not len(flux):
        return flux
    around = round(_AROUND_S / _HOP_S)
    mean = np.convolve(flux, np.full(2 * around + 1, 1 / (2 * around + 1)), mode="same")
    least = sensitivity * float(np.percentile(flux, 99.5))
    padded = np.pad(flux, 6, constant_values=-np.inf)
    is_peak = flux >= np.lib.stride_tricks.sliding_window_view(padded, 13).max(axis=1)
    # A step shows first where the window's second half begins to hold it.
    return (np.flatnonzero(is_peak & (flux > mean + least)) * hop + width / 2) / sample_rate


def _flux(mono: NDArray[np.float64], hop: int, width: int) -> NDArray[np.float64]:
    window, flux, last = np.hanning(width), [], None
    frames = np.lib.stride_tricks.sliding_window_view(mono, width)[::hop] if len(mono) >= width else mono[:0]
    for begin in range(0, len(frames), 2000):
        spectrum = np.log1p(1000 * np.abs(np.fft.rfft(frames[begin : begin + 2000] * window, axis=1)) / width)
        before = spectrum[:1] if last is None else last
        steps = np.diff(np.concatenate((before, spectrum)), axis=0)
        flux.append(np.maximum(steps, 0).sum(axis=1))
        last = spectrum[-1:]
    return np.concatenate(flux) if flux else np.zeros(0)


def agreement(onsets_s: Sequence[float], by_ear_s: Sequence[float], within_s: float = 0.03) -> Agreement:
    """Pair what should be heard with what is, each with the nearest."""
    expected = _chords(sorted(onsets_s))
    heard = np.sort(np.asarray(by_ear_s, dtype=np.float64))
    offsets = (
        [float(heard[np.argmin(np.abs(heard - at_s))] - at_s) for at_s in expected] if len(heard) else []
    )
    near = [offset for offset in offsets if abs(offset) <= within_s]
    every = np.asarray(sorted(onsets_s))
    caused = [len(every) > 0 and float(np.abs(every - at_s).min()) <= within_s for at_s in heard.tolist()]
    return Agreement(len(expected), len(near), len(heard), caused.count(False), tuple(near))


def _chords(onsets_s: Sequence[float]) -> list[float]:
    first: list[float] = []
    for at_s in onsets_s:
        if not first or at_s - first[-1] > _CHORD_S:
            first.append(at_s)
    return first
