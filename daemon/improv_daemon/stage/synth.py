"""The live synth: FluidSynth through pyfluidsynth, on the computer's audio output."""

from __future__ import annotations

import os
import sys
from typing import Any

from improv_core.errors import SoundError
from improv_daemon.soundfonts import INSTALL_HINT, find_soundfont, load_fluidsynth
from improv_daemon.stage.config import StageConfig

PLAYER_CHANNEL = 0
_DRIVERS = {
    "darwin": ("coreaudio",),
    "win32": ("wasapi", "dsound"),
    "linux": ("pipewire", "pulseaudio", "alsa", "jack"),
}
_BEND_CENTRE = 0x2000


class LiveSynth:
    """Two pianos: the player's on channel 0, improv's on its own."""

    def __init__(self, synth: Any, description: str) -> None:  # noqa: ANN401 - no types there
        self._synth = synth
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
            channels=16,
            **{"synth.chorus.active": 0, "audio.period-size": 256, "audio.periods": 3},
        )
        number = synth.sfload(str(soundfont))
        if number < 0:
            synth.delete()
            raise SoundError(f"{soundfont}: FluidSynth cannot load this soundfont; name another one.")
        for channel in (PLAYER_CHANNEL, config.channel - 1):
            synth.program_select(channel, number, 0, 0)
        driver = _start(fluidsynth, synth, config)
        return cls(synth, f"FluidSynth ({driver}, {soundfont.name})")

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

    def close(self) -> None:
        """Stop the audio."""
        self._synth.delete()


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
