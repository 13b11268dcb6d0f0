"""What can be measured of sound: length, level, peaks; and the soundfont that tests render with."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from conftest import require
from numpy.typing import NDArray

from improv_core.errors import SoundError
from improv_daemon.soundfonts import find_soundfont, load_fluidsynth


@dataclass(frozen=True, slots=True)
class Sound:
    """Samples between -1 and 1, shape (frames, 2)."""

    samples: NDArray[np.float64]
    sample_rate: int

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate

    @property
    def peak(self) -> float:
        return float(np.abs(self.samples).max(initial=0.0))

    @property
    def rms(self) -> float:
        return float(np.sqrt(np.mean(self.samples**2)))

    def between(self, start_s: float, end_s: float) -> Sound:
        start, end = round(start_s * self.sample_rate), round(end_s * self.sample_rate)
        return Sound(self.samples[start:end], self.sample_rate)

    def first_above(self, level: float) -> float:
        """When the first sample louder than ``level`` comes, in seconds."""
        return int(np.argmax(np.abs(self.samples).max(axis=1) > level)) / self.sample_rate


def installed_soundfont() -> Path:
    """A soundfont that FluidSynth can render with here, or the test is skipped (strict runs: fails)."""
    try:
        load_fluidsynth()
    except SoundError as missing:
        require(None, str(missing))
    soundfont = find_soundfont()
    require(soundfont, "no soundfont: apt install timgm6mb-soundfont")
    assert soundfont is not None
    return soundfont


def sound_of(samples: NDArray[np.int16], sample_rate: int) -> Sound:
    return Sound(samples.reshape(-1, 2).astype(np.float64) / 32_768.0, sample_rate)


def sound_of_floats(samples: NDArray[np.float32], sample_rate: int) -> Sound:
    return Sound(samples.reshape(-1, 2).astype(np.float64), sample_rate)


def decoded(path: Path) -> Sound:
    """A sound file of any kind, as libsndfile decodes it."""
    require(importlib.util.find_spec("soundfile"), "no decoder: pip install soundfile")
    import soundfile

    samples, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
    return sound_of_floats(samples, sample_rate)


def decoded_mp3(path: Path) -> Sound:
    """An MP3 as a player decodes it."""
    require(importlib.util.find_spec("miniaudio"), "no MP3 decoder: pip install miniaudio")
    import miniaudio

    audio = miniaudio.decode_file(str(path), nchannels=2, sample_rate=44_100)
    return sound_of(np.array(audio.samples, dtype=np.int16), audio.sample_rate)
