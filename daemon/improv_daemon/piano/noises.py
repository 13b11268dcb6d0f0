"""What is not a string: the hammer's knock on the frame, the key that falls back, a metronome's click."""

from __future__ import annotations

import functools

import numpy as np

from improv_daemon.piano.strings import Reals

_KNOCK_S, _CLICK_S = 0.09, 0.035
_REGISTERS = 12  # keys that share a knock


class Noises:
    """Short sounds that are mixed in as they were made."""

    def __init__(self) -> None:
        self._running: list[tuple[Reals, float, int]] = []

    def start(self, noise: Reals, gain: float) -> None:
        """Begin at the next frame; the oldest gives way when there are very many.

        Args:
            noise: Shape (2, frames).
            gain: Of it.
        """
        self._running.append((noise, gain, 0))
        del self._running[:-128]

    def add_to(self, samples: Reals) -> None:
        """Add the next frames; shape (2, frames)."""
        frames = samples.shape[1]
        still: list[tuple[Reals, float, int]] = []
        for noise, gain, at in self._running:
            part = noise[:, at : at + frames]
            samples[:, : part.shape[1]] += part * np.float32(gain)
            if at + frames < noise.shape[1]:
                still.append((noise, gain, at + frames))
        self._running = still

    def clear(self) -> None:
        """Nothing is to be heard any more."""
        self._running.clear()


def knock(key: int, sample_rate: int) -> Reals:
    """Of a key's hammer; the peak is about one, shape (2, frames)."""
    return _knock(key // _REGISTERS, sample_rate)


@functools.cache
def _knock(register: int, sample_rate: int) -> Reals:
    dice = np.random.default_rng(100 + register)
    seconds = np.arange(round(_KNOCK_S * sample_rate)) / sample_rate
    sound = np.zeros((2, len(seconds)))
    for low, high, count, decay_s in ((70, 260, 6, 0.022), (260, 1100, 10, 0.010), (1100, 4200, 14, 0.004)):
        shift = 2 ** ((register - 5) * 0.22)
        for hz in dice.uniform(low, high, count) * shift:
            ring = np.sin(2 * np.pi * hz * seconds) * np.exp(-seconds / decay_s) / np.sqrt(count)
            sound += dice.uniform(0.5, 1.0, (2, 1)) * dice.choice((-1, 1)) * ring
    sound *= np.clip((_KNOCK_S - seconds) / 0.02, 0, 1)
    return np.asarray(sound / np.abs(sound).max(), np.float32)


@functools.cache
def click(high: bool, sample_rate: int) -> Reals:
    """A wood block's, shape (2, frames)."""
    seconds = np.arange(round(_CLICK_S * sample_rate)) / sample_rate
    hz = 1650 if high else 1100
    sound = np.sin(2 * np.pi * hz * seconds) + 0.4 * np.sin(2 * np.pi * 2.71 * hz * seconds)
    sound *= np.exp(-seconds / 0.006) * np.clip(seconds / 0.0004, 0, 1)
    return np.repeat(sound[None].astype(np.float32), 2, axis=0)
