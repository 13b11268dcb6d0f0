"""FluidSynth without a driver: it renders when asked."""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from improv_core.errors import SoundError
from improv_daemon.rendering.options import Samples
from improv_daemon.soundfonts import load_fluidsynth

GAIN: Final = 0.5
"""As loud as it plays live where `sound.gain` is as it comes."""
BLOCK: Final = 64
"""FluidSynth hears messages at the beginning of blocks of so many frames."""

_POLYPHONY: Final = 512
_MELODIC, _DRUM = 0, 1
_LAST_BANK, _PROGRAMS = 128, 128
_PROGRAM: Final = 0xC0
_LOG_LEVELS: Final = 5
_REVERB_SEND, _ALL = 91, 127


class FluidSynthVoice:
    """A General MIDI synthesiser with a soundfont's instruments.

    Args:
        soundfont: An .sf2 or .sf3 file.
        sample_rate: Frames a second.
        reverb: How much of the room is heard, 0..1.
        channels: How many it has.
        drum_channels: Those that play percussion.

    Raises:
        SoundError: The library is missing, or the soundfont cannot be loaded.
    """

    def __init__(
        self,
        soundfont: Path,
        sample_rate: int,
        *,
        reverb: float,
        channels: int = 16,
        drum_channels: frozenset[int] = frozenset({9}),
    ) -> None:
        self.description = f"FluidSynth ({soundfont.name})"
        self._synth = _new_synth(sample_rate, reverb, channels)
        self._write = _function("fluid_synth_write_float", _WRITE)
        try:
            self._font = self._load(soundfont)
            for channel in range(channels):
                kind = _DRUM if channel in drum_channels else _MELODIC
                _tell("fluid_synth_set_channel_type", self._synth, channel, kind)
                self._choose_first(channel, _LAST_BANK if kind == _DRUM else 0)
                self._synth.cc(channel, _REVERB_SEND, _ALL)
        except BaseException:
            self.close()
            raise

    def send(self, channel: int, data: tuple[int, ...]) -> None:
        """Take a MIDI message; program changes stay within the soundfont."""
        _SENDS[data[0]](self._synth, channel, data)
        if data[0] == _PROGRAM and self._synth.program_info(channel)[0] != self._font:
            self._choose_first(channel)

    def pull(self, frames: int) -> Samples:
        """The next so many frames."""
        samples = np.empty((frames, 2), np.float32)
        at = samples.ctypes.data
        self._write(self._synth.synth, frames, at, 0, 2, at, 1, 2)
        return samples

    def close(self) -> None:
        """Free the synthesiser and the soundfont."""
        if self._synth is not None:
            self._synth.delete()
            self._synth = None

    def _load(self, soundfont: Path) -> int:
        font: int = self._synth.sfload(str(soundfont))
        if font < 0:
            raise SoundError(f"{soundfont} is not a soundfont that FluidSynth can read.")
        return font

    def _choose_first(self, channel: int, bank: int = 0) -> None:
        """A piano, or what a soundfont without one has: nobody wants to hear nothing."""
        if self._synth.program_select(channel, self._font, bank, 0) != 0:
            self._synth.program_select(channel, self._font, *_first_preset(self._synth, self._font))


def _new_synth(sample_rate: int, reverb: float, channels: int) -> Any:  # noqa: ANN401 - no types there
    settings: dict[str, int | float] = {
        "synth.chorus.active": 0,  # it makes a piano swim, and costs a tenth of the time
        "synth.reverb.active": int(reverb > 0),
        "synth.reverb.level": math.sqrt(reverb),  # even steps to the ear
        "synth.reverb.room-size": 0.5,
        "synth.reverb.damp": 0.3,
        "synth.reverb.width": 0.8,
        "synth.polyphony": _POLYPHONY,
        # Only the samples of the instruments that are chosen are read: a third of the memory.
        "synth.dynamic-sample-loading": 1,
    }
    # FluidSynth takes channels by the sixteen.
    channels = -(-channels // 16) * 16
    _silence_log()
    return load_fluidsynth().Synth(gain=GAIN, samplerate=float(sample_rate), channels=channels, **settings)


def _first_preset(synth: Any, font: int) -> tuple[int, int]:  # noqa: ANN401 - no types there
    for bank in range(_LAST_BANK + 1):
        for program in range(_PROGRAMS):
            if synth.sfpreset_name(font, bank, program) is not None:
                return bank, program
    return 0, 0


_INT, _POINTER = ctypes.c_int, ctypes.c_void_p
_WRITE = (_INT, _POINTER, _INT, _INT, _POINTER, _INT, _INT)


@functools.cache
def _function(name: str, arguments: tuple[type, ...]) -> Callable[..., object]:
    """One of the library's that the binding does not know: of a synth and arguments."""
    named = [(f"argument{place}", kind, 1) for place, kind in enumerate(arguments)]
    found = load_fluidsynth().cfunc(name, _INT, ("synth", _POINTER, 1), *named)
    return found if found is not None else lambda *_: None


@functools.cache
def _silence_log() -> None:
    """FluidSynth writes a line for each voice that it has to steal, about which nobody can do anything."""
    arguments = (("level", _INT, 1), ("function", _POINTER, 1), ("data", _POINTER, 1))
    set_function = load_fluidsynth().cfunc("fluid_set_log_function", _POINTER, *arguments)
    for level in range(_LOG_LEVELS):
        set_function(level, None, None)


def _tell(name: str, synth: Any, *numbers: int) -> None:  # noqa: ANN401 - no types there
    _function(name, (_INT,) * len(numbers))(synth.synth, *numbers)


_SENDS: dict[int, Callable[[Any, int, tuple[int, ...]], object]] = {
    0x80: lambda synth, channel, data: synth.noteoff(channel, data[1]),
    0x90: lambda synth, channel, data: synth.noteon(channel, data[1], data[2]),
    0xA0: lambda synth, channel, data: _tell("fluid_synth_key_pressure", synth, channel, *data[1:]),
    0xB0: lambda synth, channel, data: synth.cc(channel, data[1], data[2]),
    0xC0: lambda synth, channel, data: synth.program_change(channel, data[1]),
    0xD0: lambda synth, channel, data: _tell("fluid_synth_channel_pressure", synth, channel, data[1]),
    0xE0: lambda synth, channel, data: synth.pitch_bend(channel, (data[1] | data[2] << 7) - 8192),
}
