"""The live synth: FluidSynth through pyfluidsynth, on the computer's audio output."""

from __future__ import annotations

import ctypes
import functools
import math
import os
import sys
from collections.abc import Callable
from typing import Any

from improv_core.errors import SoundError
from improv_daemon.soundfonts import INSTALL_HINT, find_soundfont, load_fluidsynth
from improv_daemon.stage.beats_out import CLICK_CHANNEL
from improv_daemon.stage.config import StageConfig

_DRUMS = 128
_DRIVERS = {
    "darwin": ("coreaudio",),
    "win32": ("wasapi", "dsound"),
    "linux": ("pipewire", "pulseaudio", "alsa", "jack"),
}
_BEND_CENTRE = 0x2000
_CHANNELS = 16
_REVERB_SEND, _ALL = 91, 127


def players_channel(config: StageConfig) -> int:
    """The player's channel in the synth, 0..15: another than improv's."""
    return 0 if config.channel != 1 else 1


class LiveSynth:
    """Two instruments, pianos to begin with, on a channel each, and percussion for clicks."""

    def __init__(self, synth: Any, number: int, description: str) -> None:  # noqa: ANN401 - no types there
        """
        Args:
            synth: The binding's, which plays already.
            number: The soundfont's in it.
            description: What it is, for the musician.
        """
        self._synth = synth
        self._number = number
        self.description = description

    @classmethod
    def open(cls, config: StageConfig) -> LiveSynth:
        """Load the soundfont and start the audio.

        Raises:
            SoundError: The library, a soundfont or an audio output is missing; what to install.
        """
        soundfont = find_soundfont(config.soundfont)
        fluidsynth = _load_fluidsynth()
        if soundfont is None:
            raise SoundError(f"No sound: no soundfont is installed; {INSTALL_HINT}.")
        synth = fluidsynth.Synth(
            gain=float(config.gain),
            samplerate=48000.0,
            channels=_CHANNELS,
            # Only the samples of the instruments that are chosen are read: of a large soundfont a quarter of
            # the memory, and a start without a wait. Choosing another takes some milliseconds.
            **{"synth.dynamic-sample-loading": 1},
            **_room(config.reverb),
            **{"synth.chorus.active": 0, "audio.period-size": 256, "audio.periods": 3},
        )
        number = synth.sfload(str(soundfont))
        if number < 0:
            synth.delete()
            raise SoundError(f"{soundfont}: FluidSynth cannot load this soundfont; name another one.")
        if config.channel - 1 != CLICK_CHANNEL and synth.program_select(CLICK_CHANNEL, number, _DRUMS, 0) < 0:
            synth.program_select(CLICK_CHANNEL, number, 0, 0)
        for channel in (players_channel(config), config.channel - 1):
            synth.program_select(channel, number, 0, 0)
        for channel in range(_CHANNELS):
            synth.cc(channel, _REVERB_SEND, _ALL)
        driver = _start(fluidsynth, synth, config)
        return cls(synth, number, f"FluidSynth ({driver}, {soundfont.name})")

    def send(self, message: tuple[int, ...]) -> None:
        """Sound one channel message."""
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        if kind == 0x90:
            self._synth.noteon(channel, message[1], message[2])
        elif kind == 0x80:
            self._synth.noteoff(channel, message[1])
        elif kind == 0xB0:
            self._synth.cc(channel, message[1], message[2])
        elif kind == 0xE0:
            self._synth.pitch_bend(channel, (message[1] | message[2] << 7) - _BEND_CENTRE)
        elif kind == 0xC0:
            # Chosen by number: a change of program would fall back to another soundfont's, or to silence.
            self._synth.program_select(channel, self._number, 0, message[1])
        elif kind in _PRESSURES:
            _pressure(*_PRESSURES[kind])(self._synth.synth, channel, *message[1:])

    def close(self) -> None:
        """Stop the audio."""
        self._synth.delete()


_PRESSURES = {0xA0: ("fluid_synth_key_pressure", 2), 0xD0: ("fluid_synth_channel_pressure", 1)}


@functools.cache
def _pressure(name: str, numbers: int) -> Callable[..., object]:
    """One of the library's functions that the binding does not know: of a synth, a channel and numbers."""
    arguments = [(f"number{place}", ctypes.c_int, 1) for place in range(numbers + 1)]
    found = load_fluidsynth().cfunc(name, ctypes.c_int, ("synth", ctypes.c_void_p, 1), *arguments)
    return found if found is not None else lambda *_: None


def _room(reverb: float) -> dict[str, float]:
    """The same room as in the files; what channels send to it by themselves is inaudible."""
    return {
        "synth.reverb.active": int(reverb > 0),
        "synth.reverb.level": math.sqrt(reverb),  # even steps to the ear
        "synth.reverb.room-size": 0.5,
        "synth.reverb.damp": 0.3,
        "synth.reverb.width": 0.8,
    }


def _load_fluidsynth() -> Any:  # noqa: ANN401 - no types there
    try:
        return load_fluidsynth()
    except SoundError as missing:
        raise SoundError(f"No sound: {missing}") from None


def _start(fluidsynth: Any, synth: Any, config: StageConfig) -> str:  # noqa: ANN401 - no types there
    os.environ.setdefault("JACK_NO_START_SERVER", "1")  # libjack would start one with whatever settings
    known = _DRIVERS.get(sys.platform, _DRIVERS["linux"])
    synth.setting("audio.jack.id", config.name)
    synth.setting("audio.jack.autoconnect", 1)
    for driver in known if config.driver == "auto" else (config.driver,):
        synth.setting("audio.driver", driver)
        # pyfluidsynth's own start() also opens a MIDI port, and does not say when there is no audio.
        if synth.get_setting("audio.driver") == driver:
            synth.audio_driver = fluidsynth.new_fluid_audio_driver(synth.settings, synth.synth)
        if synth.audio_driver:
            return driver
    synth.delete()
    if config.driver == "auto":
        raise SoundError("No sound: there is no audio output here; MIDI goes on without it.")
    raise SoundError(
        f'No sound: FluidSynth has no audio driver "{config.driver}" that works here; '
        f'set sound.driver to "auto" or one of {", ".join(known)}.'
    )
