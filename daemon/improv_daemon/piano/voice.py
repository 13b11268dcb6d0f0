"""A string that has been struck."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from improv_daemon.piano.strings import (
    BLOCK_FRAMES,
    Complexes,
    KeyModes,
    Reals,
    damping_rate,
    excitation,
    modes_of,
    step_of,
    table_of,
)

_RESTRUCK_RATE: Final = 45.0
_SILENT: Final = 3e-4
_FADED: Final = 1e-5
_LOOKS_EVERY: Final = 8
_FRAMES: Final = np.arange(BLOCK_FRAMES, dtype=np.float32)
_STEPS_KEPT: Final = 8


@dataclass(frozen=True, slots=True)
class Strings:
    """What is computed once for a key.

    Attributes:
        modes: Its modes.
        table: Their frames of a block; see `table_of`.
        damping: Nepers a second that its damper takes.
        attack: How a blow begins, shape (frames,).
        launch: Place and phase of each mode at the blow, shape (2, modes).
        steps: What numbers of frames that were asked for do to the modes' states.
    """

    modes: KeyModes
    table: Reals
    damping: float
    attack: Reals
    launch: Complexes
    steps: dict[int, Complexes] = field(default_factory=dict)

    def step_of(self, frames: int) -> Complexes:
        """What so many frames do to the modes' states."""
        if (step := self.steps.get(frames)) is None:
            if len(self.steps) >= _STEPS_KEPT:
                self.steps.clear()
            step = self.steps[frames] = step_of(self.modes.turned(), frames)
        return step


@functools.cache
def strings_of(key: int, sample_rate: int) -> Strings:
    """The strings of a key."""
    modes = modes_of(key, sample_rate)
    table = table_of(modes.turned())
    # The hammer stays on heavy strings for milliseconds, on light ones for less than one.
    contact_s = 0.0026 * 2 ** (-(key - 36) / 30)
    frames = max(8, min(BLOCK_FRAMES, round(contact_s * sample_rate)))
    attack = 0.5 - 0.5 * np.cos(np.pi * (np.arange(frames) + 0.5) / frames)
    launch = np.ascontiguousarray(modes.place * np.exp(1j * modes.phase), np.complex64)
    return Strings(modes, table, damping_rate(key), attack.astype(np.float32), launch)


class Voice:
    """Rings from the blow on until it is silent.

    Attributes:
        key: Which.
        level: Of the last block, root mean square.
        silent: Whether nothing is to be heard any more.
    """

    __slots__ = ("_begun", "_blocks", "_restruck", "_state", "key", "level", "silent", "strings")

    def __init__(self, strings: Strings, amplitude: float, velocity: float, softness: float) -> None:
        """
        Args:
            strings: The key's.
            amplitude: Of the blow.
            velocity: 0..1, which makes it bright.
            softness: 0..1, of the soft pedal.
        """
        modes = strings.modes
        self.strings = strings
        self.key = modes.key
        self.silent = False
        self.level = 0.0
        self._begun, self._blocks = 0, 0
        self._restruck = False
        force = excitation(modes, velocity, softness) * amplitude
        self._state = np.ascontiguousarray(strings.launch * force, np.complex64)

    def let_go(self) -> None:
        """Another blow falls on the string: what rang before fades."""
        self._restruck = True

    def sound(self, frames: int, damped: float, ratio: float, into: Reals) -> None:
        """Add the next frames to what sounds.

        Args:
            frames: At most a block.
            damped: How much of the damper lies on the string, 0..1.
            ratio: What bending makes of the frequencies.
            into: Shape (2, frames).
        """
        table, step = self._turning(frames, ratio)
        count = self._state.shape[1]
        rows = table[: 2 * count, :frames]
        samples = np.empty((2, frames), np.float32)
        state = self._state.view(np.float32)
        # Twice one row goes by far quicker than both at once, for which the table would be copied.
        np.dot(state[0], rows, out=samples[0])
        np.dot(state[1], rows, out=samples[1])
        self._state *= step[:count]
        if self._begun < len(self.strings.attack):
            self._begin(samples)
        rate = _RESTRUCK_RATE if self._restruck else self.strings.damping * damped
        if rate > 0:
            fall = -rate / self.strings.modes.sample_rate
            samples *= np.exp(_FRAMES[:frames] * np.float32(fall))
            self._state *= math.exp(fall * frames)
        into += samples
        flat = samples.ravel()
        self.level = math.sqrt(float(np.dot(flat, flat)) / len(flat))
        self._blocks += 1
        if self._blocks % _LOOKS_EVERY == 1:
            self._leave_out()

    def _leave_out(self) -> None:
        """Modes that have faded are computed no longer; those that ring longest stand first."""
        sizes = np.abs(self._state).max(axis=0)
        heard = np.flatnonzero(sizes > _FADED)
        count = int(heard[-1]) + 1 if len(heard) else 0
        if count < len(sizes):
            self._state = np.ascontiguousarray(self._state[:, :count])
        self.silent = float(sizes.sum()) < _SILENT

    def _turning(self, frames: int, ratio: float) -> tuple[Reals, Complexes]:
        if ratio != 1.0:
            turn = self.strings.modes.turned(ratio)
            return table_of(turn, frames), step_of(turn, frames)
        return self.strings.table, self.strings.step_of(frames)

    def _begin(self, samples: Reals) -> None:
        attack = self.strings.attack[self._begun : self._begun + samples.shape[1]]
        samples[:, : len(attack)] *= attack
        self._begun += samples.shape[1]
