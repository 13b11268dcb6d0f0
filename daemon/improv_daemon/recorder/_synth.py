"""FluidSynth without a driver: it renders when asked, as fast as the machine can."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from improv_core.errors import SoundError
from improv_daemon.quiet import quiet_stderr
from improv_daemon.soundfonts import load_fluidsynth


class Synth(Protocol):
    """What is used of the binding's synth; it never raises, and answers -1 or nothing on failure.

    Attributes:
        synth: What the library itself calls it.
    """

    synth: object

    def sfload(self, filename: str) -> int:
        """Load a soundfont; its number."""

    def program_select(self, chan: int, sfid: int, bank: int, preset: int) -> int:
        """Choose an instrument; 0 when there is one."""

    def noteon(self, chan: int, key: int, vel: int) -> object:
        """Key down."""

    def noteoff(self, chan: int, key: int) -> object:
        """Key up."""

    def cc(self, chan: int, ctrl: int, val: int) -> object:
        """Move a controller."""

    def pitch_bend(self, chan: int, val: int) -> object:
        """Bend, -8192..8191."""

    def program_change(self, chan: int, prg: int) -> object:
        """Choose another instrument of the bank, 0..127."""

    def get_samples(self, len: int) -> NDArray[np.int16]:
        """So many frames of interleaved stereo."""

    def delete(self) -> None:
        """Free it."""


_Send = Callable[[Synth, int, tuple[int, ...]], object]


@functools.cache
def _function(name: str, numbers: int) -> Callable[..., object]:
    """One of the library's that the binding does not know: of a synth, a channel and so many numbers."""
    arguments = [(f"number{i}", ctypes.c_int, 1) for i in range(numbers + 1)]
    found = load_fluidsynth().cfunc(name, ctypes.c_int, ("synth", ctypes.c_void_p, 1), *arguments)
    return found if found is not None else lambda *arguments: None


def _pressing(name: str, numbers: int) -> _Send:
    def press(synth: Synth, channel: int, data: tuple[int, ...]) -> object:
        return _function(name, numbers)(synth.synth, channel, *data[1:])

    return press


_SENDS: dict[int, _Send] = {
    0x80: lambda synth, channel, data: synth.noteoff(channel, data[1]),
    0x90: lambda synth, channel, data: synth.noteon(channel, data[1], data[2]),
    0xA0: _pressing("fluid_synth_key_pressure", 2),
    0xB0: lambda synth, channel, data: synth.cc(channel, data[1], data[2]),
    0xC0: lambda synth, channel, data: synth.program_change(channel, data[1]),
    0xD0: _pressing("fluid_synth_channel_pressure", 1),
    0xE0: lambda synth, channel, data: synth.pitch_bend(channel, (data[1] | data[2] << 7) - 8192),
}


def send(synth: Synth, channel: int, data: tuple[int, ...]) -> None:
    """Let a synth have a message, whose first byte names no channel, on one of the synth's channels."""
    _SENDS[data[0]](synth, channel, data)


@contextmanager
def offline_synth(
    soundfont: Path, *, gain: float, sample_rate: int, channels: int
) -> Iterator[tuple[Synth, int]]:
    """A synth that nothing drives, and the number of its soundfont.

    Raises:
        SoundError: The library is missing, or the soundfont cannot be loaded.
    """
    fluidsynth = load_fluidsynth()
    with quiet_stderr():
        # Chorus makes a piano swim, and costs a tenth of the time.
        synth: Synth = fluidsynth.Synth(
            gain=float(gain), samplerate=float(sample_rate), channels=channels, **{"synth.chorus.active": 0}
        )
    try:
        with quiet_stderr():
            font = synth.sfload(str(soundfont))
        if font < 0:
            raise SoundError(f"{soundfont} is not a soundfont that FluidSynth can read.")
        yield synth, font
    finally:
        synth.delete()
