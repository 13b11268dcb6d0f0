"""A string that has been struck."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from improv_daemon.piano.strings import (
    BLOCK_FRAMES,
    PART_FRAMES,
    Complexes,
    Future,
    KeyModes,
    Reals,
    damping_rate,
    excitation,
    modes_of,
    parts_of,
    step_of,
)

_FADING_RATE: Final = 45.0
_FAINT, _SILENT = 4e-4, 4e-5
"""Sums of the modes' amplitudes: below the first, some 85 dB below full scale, a voice is faded out."""
_FADED: Final = 3e-5
"""The amplitude at which nobody hears a mode any more, some 105 dB below full scale."""

_LOOKS_EVERY_FRAMES: Final = 2048
_FRAMES: Final = np.arange(BLOCK_FRAMES, dtype=np.float32)
_STEPS_KEPT: Final = 8


@dataclass(frozen=True, slots=True)
class Strings:
    """What is computed once for a key.

    Attributes:
        modes: Its modes.
        future: What becomes of them.
        damping: Nepers a second that its damper takes.
        attack: How a blow begins, shape (frames,).
        launch: Place and phase of each mode at the blow, shape (2, modes).
        steps: What numbers of frames that were asked for do to the modes' states.
        bent: What becomes of them when bent, by the ratio of frequencies, the last that was asked for.
    """

    modes: KeyModes
    future: Future
    damping: float
    attack: Reals
    launch: Complexes
    steps: dict[int, Complexes] = field(default_factory=dict)
    bent: dict[float, Future] = field(default_factory=dict)

    def future_of(self, ratio: float) -> Future:
        """What becomes of the modes with all frequencies multiplied by a ratio."""
        if ratio == 1.0:
            return self.future
        if (future := self.bent.get(ratio)) is None:
            self.bent.clear()
            future = self.bent[ratio] = Future.of(self.modes.turned(ratio))
        return future

    def step_of(self, frames: int, ratio: float) -> Complexes:
        """What so many frames do to the modes' states."""
        parts, rest = divmod(frames, PART_FRAMES)
        if not rest:
            return np.asarray(self.future_of(ratio).powers[parts])
        if ratio != 1.0:
            return step_of(self.modes.turned(ratio), frames)
        if (step := self.steps.get(frames)) is None:
            if len(self.steps) >= _STEPS_KEPT:
                self.steps.clear()
            step = self.steps[frames] = step_of(self.modes.turned(), frames)
        return step


@functools.cache
def strings_of(key: int, sample_rate: int) -> Strings:
    """The strings of a key."""
    modes = modes_of(key, sample_rate)
    # The hammer stays on heavy strings for milliseconds, on light ones for less than one.
    contact_s = 0.0026 * 2 ** (-(key - 36) / 30)
    frames = max(8, min(BLOCK_FRAMES, round(contact_s * sample_rate)))
    attack = 0.5 - 0.5 * np.cos(np.pi * (np.arange(frames) + 0.5) / frames)
    launch = np.ascontiguousarray(modes.place * np.exp(1j * modes.phase), np.complex64)
    return Strings(modes, Future.of(modes.turned()), damping_rate(key), attack.astype(np.float32), launch)


class Voice:
    """Rings from the blow on until it is silent.

    Attributes:
        key: Which.
        level: Of the last block, root mean square; before the first, what is to come.
        fading: Whether it has been let go of; then it drives no other strings.
        silent: Whether nothing is to be heard any more.
    """

    __slots__ = ("_begun", "_looks_at", "_state", "fading", "key", "level", "silent", "strings")

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
        self._begun, self._looks_at = 0, 0
        self.fading = False
        force = excitation(modes, velocity, softness) * amplitude
        self.level = math.sqrt(float(np.sum(force**2)) / 4)
        self._state = np.ascontiguousarray(strings.launch * force, np.complex64)

    def let_go(self) -> None:
        """Another blow falls on the string: what rang before fades."""
        self.fading = True

    def sound(self, frames: int, damped: float, ratio: float, into: Reals) -> None:
        """Add the next frames to what sounds.

        Args:
            frames: At most a block.
            damped: How much of the damper lies on the string, 0..1.
            ratio: What bending makes of the frequencies.
            into: Shape (2, frames).
        """
        future = self.strings.future_of(ratio)
        count = self._state.shape[1]
        samples = future.sound(self._state[:, None] * future.powers[: parts_of(frames), :count], frames)
        self._state *= self.strings.step_of(frames, ratio)[:count]
        if self._begun < len(self.strings.attack):
            self._begin(samples)
        self._begun += frames
        rate = _FADING_RATE if self.fading else self.strings.damping * damped
        if rate > 0:
            fall = -rate / self.strings.modes.sample_rate
            samples *= np.exp(_FRAMES[:frames] * np.float32(fall))
            self._state *= math.exp(fall * frames)
        into += samples
        flat = samples.ravel()
        self.level = math.sqrt(float(np.dot(flat, flat)) / len(flat))
        if self._begun > self._looks_at:
            self._looks_at = self._begun + _LOOKS_EVERY_FRAMES
            self._leave_out()

    def _leave_out(self) -> None:
        """Modes that have faded are computed no longer; those that ring longest stand first."""
        sizes = np.abs(self._state).max(axis=0)
        heard = np.flatnonzero(sizes > _FADED)
        count = int(heard[-1]) + 1 if len(heard) else 0
        if count < len(sizes):
            self._state = np.ascontiguousarray(self._state[:, :count])
        left = float(sizes.sum())
        self.fading |= left < _FAINT
        self.silent = left < _SILENT

    def _begin(self, samples: Reals) -> None:
        attack = self.strings.attack[self._begun : self._begun + samples.shape[1]]
        samples[:, : len(attack)] *= attack
