"""What turns messages into samples, and the choice of one."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from improv_core.errors import SoundError
from improv_core.midi_files import DRUM_CHANNEL
from improv_daemon.rendering.options import Samples, VoiceChoice
from improv_daemon.soundfonts import INSTALL_HINT, find_soundfont, load_fluidsynth

MIDI_CHANNELS: Final = 16


class Instrument(Protocol):
    """Sounds when asked, as fast as the machine can.

    Attributes:
        description: What it is, for the musician.
    """

    description: str

    def send(self, channel: int, data: tuple[int, ...]) -> None:
        """Take a MIDI message, whose first byte names no channel; it is heard from the next pull on."""

    def pull(self, frames: int) -> Samples:
        """The next so many frames, shape (frames, 2); +-1 is full scale, and may be exceeded."""

    def close(self) -> None:
        """Free what it holds."""


@contextmanager
def open_instrument(
    choice: VoiceChoice,
    sample_rate: int,
    *,
    channels: int = MIDI_CHANNELS,
    drum_channels: frozenset[int] = frozenset({DRUM_CHANNEL}),
) -> Iterator[Instrument]:
    """The instrument of a choice.

    Args:
        choice: Which one.
        sample_rate: Frames a second.
        channels: How many it has; each has an instrument, a pedal and a place of its own.
        drum_channels: Those that play percussion.

    Raises:
        SoundError: What is chosen is not there; the sentence says what to install.
    """
    instrument = _opened(choice, sample_rate, channels, drum_channels)
    try:
        yield instrument
    finally:
        instrument.close()


def why_piano(choice: VoiceChoice) -> str:
    """Why the built-in piano plays though it was not asked for, in a sentence; empty where it does not."""
    if choice.voice != "auto" or choice.soundfont is not None:
        return ""
    try:
        load_fluidsynth()
        _soundfont(choice)
    except SoundError as missing:
        return f"The built-in piano plays: {missing}"
    return ""


def _opened(
    choice: VoiceChoice, sample_rate: int, channels: int, drum_channels: frozenset[int]
) -> Instrument:
    if choice.voice == "piano":
        return _Keys(_piano(sample_rate, choice.reverb), drum_channels)
    try:
        return _fluidsynth(choice, sample_rate, channels, drum_channels)
    except SoundError:
        if choice.voice == "soundfont" or choice.soundfont is not None:
            raise
    return _Keys(_piano(sample_rate, choice.reverb), drum_channels)


def _fluidsynth(
    choice: VoiceChoice, sample_rate: int, channels: int, drum_channels: frozenset[int]
) -> Instrument:
    from improv_daemon.rendering.fluidsynth_voice import FluidSynthVoice

    return FluidSynthVoice(
        _soundfont(choice),
        sample_rate,
        reverb=choice.reverb,
        channels=channels,
        drum_channels=drum_channels,
    )


def _soundfont(choice: VoiceChoice) -> Path:
    soundfont = find_soundfont(choice.soundfont or "")
    if soundfont is None:
        raise SoundError(f"No soundfont was found: {INSTALL_HINT}.")
    return soundfont


def _piano(sample_rate: int, reverb: float) -> Instrument:
    module = importlib.import_module("improv_daemon.piano")
    piano: Instrument = module.Piano(sample_rate=sample_rate, reverb=reverb)
    return piano


class _Keys:
    """An instrument that has no percussion: what is meant for drums is left out.

    Args:
        instrument: All the rest is its.
        drum_channels: What goes there is left out.
    """

    def __init__(self, instrument: Instrument, drum_channels: frozenset[int]) -> None:
        self._instrument = instrument
        self._drums = drum_channels
        self.description = instrument.description
        self.pull = instrument.pull
        self.close = instrument.close

    def send(self, channel: int, data: tuple[int, ...]) -> None:
        if channel not in self._drums:
            self._instrument.send(channel, data)
