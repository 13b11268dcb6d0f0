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
_SILENT: Final = 2e-5
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
            step = self.steps[frames] = step_of(self.table, frames)
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
    # A string starts from rest, so with a sine; a phase of its own for each mode keeps the peak low.
    phase = np.random.default_rng(key).uniform(-0.6, 0.6, len(modes.hz)) - np.pi / 2
    launch = np.asarray(modes.place * np.exp(1j * phase), np.complex64)
    return Strings(modes, table, damping_rate(key), attack.astype(np.float32), launch)


class Voice:
    """Rings from the blow on until it is silent.

    Attributes:
        key: Which.
        held: Whether the key is down.
        kept: Whether the sostenuto pedal holds the damper.
        level: Of the last block, root mean square.
        silent: Whether nothing is to be heard any more.
    """

    __slots__ = ("_begun", "_restruck", "_state", "held", "kept", "key", "level", "silent", "strings")

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
        self.held, self.kept, self.silent = True, False, False
        self.level = 0.0
        self._begun = 0
        self._restruck = False
        force = excitation(modes, velocity, softness) * amplitude
        self._state = np.asarray(strings.launch * force, np.complex64)

    def let_go(self) -> None:
        """Another blow falls on the string: what rang before fades."""
        self._restruck = True
        self.held = self.kept = False

    def sound(self, frames: int, damped: float, ratio: float, into: Reals) -> None:
        """Add the next frames to what sounds.

        Args:
            frames: At most a block.
            damped: How much of the damper lies on the string, 0..1.
            ratio: What bending makes of the frequencies.
            into: Shape (2, frames).
        """
        table, step = self._turning(frames, ratio)
        samples = np.dot(self._state.view(np.float32), table[:, :frames])
        self._state *= step
        if self._begun < len(self.strings.attack):
            self._begin(samples)
        rate = _RESTRUCK_RATE if self._restruck else self.strings.damping * damped
        if rate > 0:
            seconds = np.arange(frames, dtype=np.float32) / self.strings.modes.sample_rate
            samples *= np.exp(-rate * seconds)
            self._state *= math.exp(-rate * frames / self.strings.modes.sample_rate)
        into += samples
        flat = samples.ravel()
        self.level = math.sqrt(float(np.dot(flat, flat)) / len(flat))
        self.silent = self.level < _SILENT and float(np.abs(self._state).sum()) < 4 * _SILENT

    def _turning(self, frames: int, ratio: float) -> tuple[Reals, Complexes]:
        if ratio != 1.0:
            table = table_of(self.strings.modes.turned(ratio), frames)
            return table, step_of(table, frames)
        return self.strings.table, self.strings.step_of(frames)

    def _begin(self, samples: Reals) -> None:
        attack = self.strings.attack[self._begun : self._begun + samples.shape[1]]
        samples[:, : len(attack)] *= attack
        self._begun += samples.shape[1]
