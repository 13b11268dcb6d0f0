"""One MIDI channel of the piano: keys, pedals and place."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from improv_daemon.piano.noises import Noises, knock
from improv_daemon.piano.strings import HIGHEST, LOWEST, Reals
from improv_daemon.piano.sympathy import Resonances
from improv_daemon.piano.voice import Voice, strings_of

MOST_VOICES: Final = 96
_BEND_SEMITONES, _BEND_CENTRE = 2.0, 8192
_VOLUME, _PAN, _EXPRESSION, _SUSTAIN, _SOSTENUTO, _SOFT = 7, 10, 11, 64, 66, 67
_SOUND_OFF, _RESET, _NOTES_OFF = 120, 121, 123
_LYING, _LIFTED = 36, 84
"""Pedal values up to which dampers lie fully on the strings, and from which they do not touch them."""

_VELOCITY_POWER: Final = 1.9
_KNOCK_LEVEL, _RELEASE_LEVEL = 0.16, 0.012


class Channel:
    """Takes messages, sounds blocks."""

    def __init__(self, sample_rate: int) -> None:
        """
        Args:
            sample_rate: Frames a second.
        """
        self._rate = sample_rate
        self.voices: list[Voice] = []
        self._noises = Noises()
        self._resonances = Resonances(sample_rate)
        self._levels = np.zeros(128, np.float32)
        self._damped = np.ones(128, np.float32)
        self._gains = (1.0, 1.0)
        self._volume, self._pan = 100, 64
        self._sostenuto, self._silent = False, True
        self._held: set[int] = set()
        self._kept: set[int] = set()
        self._reset()
        self._gains = self._wanted_gains()
        self._controllers: dict[int, Callable[[int], None]] = {
            _SUSTAIN: self._move_sustain,
            _SOSTENUTO: self._move_sostenuto,
            _SOUND_OFF: lambda _: self._silence(),
            _RESET: lambda _: self._reset(),
        }

    def send(self, data: tuple[int, ...]) -> None:
        """Take a message, whose first byte names no channel; what is none of a piano's is left out."""
        match data:
            case (0x90, key, velocity) if velocity > 0:
                self._strike(key, velocity)
            case (0x80 | 0x90, key, _):
                self._release(key)
            case (0xB0, controller, value):
                self._control(controller, value)
            case (0xE0, low, high):
                self._ratio = 2 ** (_BEND_SEMITONES * ((low | high << 7) / _BEND_CENTRE - 1) / 12)

    def sound(self, frames: int) -> Reals | None:
        """The next frames, at most a block, shape (2, frames); None: there is nothing to hear."""
        samples = np.zeros((2, frames), np.float32)
        self._levels[:] = 0
        self._damped[:] = self._contact
        self._damped[list(self._held | self._kept)] = 0
        for voice in self.voices:
            voice.sound(frames, float(self._damped[voice.key]), self._ratio, samples)
            self._levels[voice.key] += 0.0 if voice.fading else voice.level
        self.voices = [voice for voice in self.voices if not voice.silent]
        self._resonances.sound(self._levels, self._damped, frames, samples)
        self._noises.add_to(samples)
        wanted = self._wanted_gains()
        was_silent, self._silent = self._silent, not samples.any()
        if self._silent:
            return None
        if was_silent:
            self._gains = wanted
        for side, (begun, end) in enumerate(zip(self._gains, wanted, strict=True)):
            samples[side] *= (
                np.float32(end) if begun == end else np.linspace(begun, end, frames, dtype=np.float32)
            )
        self._gains = wanted
        return samples

    def _strike(self, key: int, velocity: int) -> None:
        for voice in self.voices:
            if voice.key == key:
                voice.let_go()
        self._held.add(key)
        strings = strings_of(key, self._rate)
        force = velocity / 127
        amplitude = level_of(key) * force**_VELOCITY_POWER * (1 - 0.25 * self._softness)
        self.voices.append(Voice(strings, amplitude, force, self._softness))
        self._noises.start(knock(key, self._rate), _KNOCK_LEVEL * amplitude * (0.35 + 0.65 * force))
        if len(self.voices) > MOST_VOICES:
            self.voices.remove(min(self.voices[:-8], key=lambda voice: voice.level))

    def _release(self, key: int) -> None:
        if key in self._held:
            self._held.remove(key)
            if self._levels[key] > 0:
                self._noises.start(knock(key, self._rate), _RELEASE_LEVEL * level_of(key))

    def _control(self, controller: int, value: int) -> None:
        if controller == _VOLUME:
            self._volume = value
        elif controller == _PAN:
            self._pan = value
        elif controller == _EXPRESSION:
            self._expression = value
        elif controller == _SOFT:
            self._softness = value / 127
        elif controller >= _NOTES_OFF:
            for key in sorted(self._held):
                self._release(key)
        elif controller in self._controllers:
            self._controllers[controller](value)

    def _move_sustain(self, value: int) -> None:
        lying = (_LIFTED - value) / (_LIFTED - _LYING)
        self._contact = max(0.0, min(1.0, lying)) ** 2

    def _move_sostenuto(self, value: int) -> None:
        down = value >= 64
        if not down:
            self._kept.clear()
        elif not self._sostenuto:
            self._kept |= self._held
        self._sostenuto = down

    def _silence(self) -> None:
        for voice in self.voices:
            voice.let_go()
        self._held.clear()
        self._kept.clear()
        self._noises.clear()
        self._resonances.hush()

    def _reset(self) -> None:
        """What controller 121 sets back; volume and place stay."""
        self._expression, self._softness = 127, 0.0
        self._contact, self._ratio = 1.0, 1.0
        self._sostenuto = False
        self._kept.clear()

    def _wanted_gains(self) -> tuple[float, float]:
        loud = (self._volume / 127) ** 2 * (self._expression / 127) ** 2
        angle = max(0.0, (self._pan - 1) / 126) * math.pi / 2
        return loud * math.sqrt(2) * math.cos(angle), loud * math.sqrt(2) * math.sin(angle)


def level_of(key: int) -> float:
    """How loud a key is beside the others at the same velocity."""
    place = (min(max(key, LOWEST), HIGHEST) - 60) / 44
    return float(10 ** ((-2.0 * place - 4.0 * place**2) / 20))
