"""Strings that nobody struck, but that ring along because no damper lies on them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_daemon.piano.strings import (
    HIGHEST,
    LOWEST,
    PART_FRAMES,
    Complexes,
    Future,
    Reals,
    damping_rate,
    excitation,
    modes_of,
    parts_of,
    step_of,
)

_PARTIALS: Final = 3
_KEYS: Final = np.arange(LOWEST, HIGHEST + 1)
_HIGHEST_HZ, _BANDWIDTH_HZ = 3500.0, 2.0
_COUPLING: Final = 0.3
_QUICKER: Final = 1.5  # than what has been struck: there is nothing but the part that rings on
_FADED: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Bank:
    """The lowest modes of every key's strings, which all pianos of a sample rate share.

    Attributes:
        owner: The key of each mode, shape (modes,).
        turn: A frame's change of each.
        future: What becomes of them.
        coupling: How much each of a piano's keys drives each mode, shape (keys, modes).
        launch: Place and phase of each mode when it begins, shape (2, modes).
        damping: Nepers a second that each one's damper takes.
    """

    owner: NDArray[np.int64]
    turn: NDArray[np.complex128]
    future: Future
    coupling: Reals
    launch: Complexes
    damping: Reals


class Resonances:
    """All that sounds drives strings that are free, where frequencies meet."""

    def __init__(self, sample_rate: int) -> None:
        """
        Args:
            sample_rate: Frames a second.
        """
        self._rate = sample_rate
        self._bank = bank_of(sample_rate)
        self._state = np.zeros((2, len(self._bank.owner)), np.complex64)
        self._ringing, self._hushed = False, False

    def hush(self) -> None:
        """Be silent after the next block."""
        self._hushed = True

    def sound(self, levels: Reals, damped: Reals, frames: int, into: Reals) -> None:
        """Take up what sounds, and add the next frames.

        Args:
            levels: Root mean square of each of the 128 keys' own sound in this block.
            damped: How much of its damper lies on each of the 128 keys' strings, 0..1.
            frames: At most a block.
            into: Shape (2, frames).
        """
        lifted = 1 - damped[self._bank.owner]
        driven = bool(lifted.any() and levels.any())
        if driven or self._ringing:
            ringing = self._rung(levels, lifted, frames)
            if self._hushed:
                ringing *= np.linspace(1, 0, frames, dtype=np.float32)
                self._state[:] = 0
            into += ringing
        self._hushed = False

    def _rung(self, levels: Reals, lifted: Reals, frames: int) -> Reals:
        bank = self._bank
        active = np.flatnonzero((lifted > 0) | self._state.any(axis=0))
        all_of_them = len(active) == len(lifted)
        future = bank.future if all_of_them else _some(bank.future, active)
        state, free = np.take(self._state, active, axis=1), lifted[active]
        drive = (
            (levels[LOWEST : HIGHEST + 1] @ bank.coupling)[active] * free * (_COUPLING * frames / self._rate)
        )
        size = np.abs(state)
        # In phase with what rings already, or a string would be stopped as often as driven.
        direction = np.where(size > 1e-12, state / np.maximum(size, 1e-12), bank.launch[:, active])
        taken = direction * np.abs(bank.launch[:, active]) * drive
        parts = parts_of(frames)
        kept = np.exp(-bank.damping[active] * (1 - free) * (PART_FRAMES / self._rate)).astype(np.float32)
        through = np.arange(1, parts + 1, dtype=np.float32)[:, None]
        # From part to part, so that neither what drives nor a damper is heard as a step.
        rising = state[:, None] + taken[:, None] * (through / parts)
        rising *= future.powers[:parts] * kept ** (through - 1)
        last = (state + taken) * kept ** (frames / PART_FRAMES)
        last *= future.powers[parts] if frames % PART_FRAMES == 0 else step_of(bank.turn[active], frames)
        # What nobody hears would become so small at last that processors take very long over it.
        last[np.abs(last) < _FADED] = 0
        self._state[:, active] = last
        self._ringing = bool(last.any())
        return future.sound(rising, frames)


def _some(future: Future, chosen: NDArray[np.int64]) -> Future:
    rows = future.table.reshape(-1, 2, PART_FRAMES)[chosen].reshape(-1, PART_FRAMES)
    return Future(rows, np.take(future.powers, chosen, axis=1))


@functools.cache
def bank_of(sample_rate: int) -> Bank:
    """Every key's."""
    owner, hz, rate, place = [], [], [], []
    for key in _KEYS:
        modes = modes_of(int(key), sample_rate)
        chosen = [at for at in range(min(_PARTIALS, len(modes.hz))) if modes.hz[at] < _HIGHEST_HZ]
        owner += [int(key)] * len(chosen)
        hz += [modes.hz[at] for at in chosen]
        rate += [_QUICKER * modes.rate[at] for at in chosen]
        place += [modes.place[:, at] for at in chosen]
    owners, all_hz = np.array(owner), np.array(hz)
    turn = np.exp((2j * np.pi * all_hz - np.array(rate)) / sample_rate)
    phase = np.random.default_rng(7).uniform(0, 2 * np.pi, len(owners))
    launch = np.asarray(np.array(place).T * np.exp(1j * phase), np.complex64)
    damping = np.array([damping_rate(int(key)) for key in owners], np.float32)
    coupling = np.stack([_driven(int(key), sample_rate, owners, all_hz) for key in _KEYS])
    return Bank(owners, turn, Future.of(turn), coupling.astype(np.float32), launch, damping)


def _driven(
    key: int, sample_rate: int, owners: NDArray[np.int64], hz: NDArray[np.float64]
) -> NDArray[np.float64]:
    modes = modes_of(key, sample_rate)
    strength = excitation(modes, 0.6)
    apart = (hz[:, None] - modes.hz[None, :]) / _BANDWIDTH_HZ
    driven = (strength / (1 + apart**2)).sum(axis=1)
    return np.asarray(np.where(owners == key, 0, driven))
