"""FluidSynth without a driver: it renders when asked, as fast as the machine can."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from improv_core.errors import SoundError
from improv_daemon.quiet import quiet_stderr
from improv_daemon.soundfonts import load_fluidsynth


class Synth(Protocol):
    """What is used of the binding's synth; it never raises, and answers -1 or nothing on failure."""

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

    def get_samples(self, len: int) -> NDArray[np.int16]:
        """So many frames of interleaved stereo."""

    def delete(self) -> None:
        """Free it."""


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
