"""Strings that nobody struck, but that ring along because no damper lies on them."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np

from improv_daemon.piano.strings import (
    BLOCK_FRAMES,
    HIGHEST,
    LOWEST,
    Complexes,
    Reals,
    damping_rate,
    excitation,
    modes_of,
    step_of,
    table_of,
)

_PARTIALS: Final = 3
_KEYS: Final = np.arange(LOWEST, HIGHEST + 1)
_HIGHEST_HZ, _BANDWIDTH_HZ = 3500.0, 2.0
_COUPLING: Final = 1.1
_SILENT: Final = 3e-6


class Resonances:
    """The lowest modes of every key's strings, which all that sounds drives where frequencies meet."""

    def __init__(self, sample_rate: int) -> None:
        """
        Args:
            sample_rate: Frames a second.
        """
        self._rate = sample_rate
        self._owner, self._turn, self._coupling, self._launch, self._damping = _bank(sample_rate)
        self._table = table_of(self._turn)
        self._step, self._step_frames = step_of(self._turn, BLOCK_FRAMES), BLOCK_FRAMES
        self._state = np.zeros((2, len(self._owner)), np.complex64)
        self._ringing = False

    def sound(self, levels: Reals, damped: Reals, frames: int, into: Reals) -> None:
        """Take up what sounds, and add the next frames.

        Args:
            levels: Root mean square of each of the 128 keys' own sound in this block.
            damped: How much of its damper lies on each of the 128 keys' strings, 0..1.
            frames: At most a block.
            into: Shape (2, frames).
        """
        lifted = 1 - damped[self._owner]
        if not self._ringing and (not lifted.any() or not levels.any()):
            return
        self._take_up(levels, lifted, frames)
        ringing = self._rung(self._state, frames)
        if not lifted.all():
            keeps = np.exp(-self._damping * (1 - lifted) * (frames / self._rate)).astype(np.float32)
            self._state *= keeps
            fade = np.linspace(0, 1, frames, dtype=np.float32)
            ringing += fade * (self._rung(self._state, frames) - ringing)
        into += ringing
        if frames != self._step_frames:
            self._step, self._step_frames = step_of(self._turn, frames), frames
        self._state *= self._step
        self._ringing = float(np.abs(self._state).sum()) > _SILENT
        if not self._ringing:
            self._state[:] = 0

    def _take_up(self, levels: Reals, lifted: Reals, frames: int) -> None:
        drive = levels[LOWEST : HIGHEST + 1] @ self._coupling
        drive *= lifted * (_COUPLING * frames / self._rate)
        size = np.abs(self._state)
        # In phase with what rings already, or a string would be stopped as often as driven.
        direction = np.where(size > 1e-9, self._state / np.maximum(size, 1e-9), self._launch)
        self._state += direction * np.abs(self._launch) * drive

    def _rung(self, state: Complexes, frames: int) -> Reals:
        samples = np.empty((2, frames), np.float32)
        sides = state.view(np.float32)
        for side in range(2):
            np.dot(sides[side], self._table[:, :frames], out=samples[side])
        return samples


@functools.cache
def _bank(
    sample_rate: int,
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], Complexes, Reals, Complexes, Reals]:
    """Whose each mode is, what a frame does to it, how keys drive them, their places and dampers."""
    owner, hz, rate, place = [], [], [], []
    for key in _KEYS:
        modes = modes_of(int(key), sample_rate)
        chosen = [at for at in range(min(_PARTIALS, len(modes.hz))) if modes.hz[at] < _HIGHEST_HZ]
        owner += [int(key)] * len(chosen)
        hz += [modes.hz[at] for at in chosen]
        rate += [0.5 * modes.rate[at] for at in chosen]
        place += [modes.place[:, at] for at in chosen]
    owners, all_hz = np.array(owner), np.array(hz)
    turn = np.exp((2j * np.pi * all_hz - np.array(rate)) / sample_rate).astype(np.complex64)
    phase = np.random.default_rng(7).uniform(0, 2 * np.pi, len(owners))
    launch = np.asarray(np.array(place).T * np.exp(1j * phase), np.complex64)
    damping = np.array([damping_rate(int(key)) for key in owners], np.float32)
    coupling = np.stack([_driven(int(key), sample_rate, owners, all_hz) for key in _KEYS])
    return owners, turn, coupling.astype(np.float32), launch, damping


def _driven(
    key: int, sample_rate: int, owners: np.ndarray[tuple[int], np.dtype[np.int64]], hz: np.ndarray
) -> np.ndarray:
    modes = modes_of(key, sample_rate)
    strength = excitation(modes, 0.6)
    apart = (hz[:, None] - modes.hz[None, :]) / _BANDWIDTH_HZ
    driven = (strength / (1 + apart**2)).sum(axis=1)
    return np.asarray(np.where(owners == key, 0, driven))
