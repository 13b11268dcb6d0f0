"""The piano: messages in, samples out."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from improv_daemon.piano.channel import Channel
from improv_daemon.piano.limiting import SoftLimiter
from improv_daemon.piano.noises import Noises, click, knock
from improv_daemon.piano.room import Room
from improv_daemon.piano.strings import BLOCK_FRAMES, Reals
from improv_daemon.piano.sympathy import bank_of
from improv_daemon.piano.voice import strings_of

_LEVEL: Final = 0.135
_ROOM_LEVEL: Final = 0.135
_CLICK_LEVEL: Final = 0.12
_LIMITED_FRAMES: Final = 256  # as quickly as this it turns down
_HIGH_CLICKS: Final = frozenset({34, 76})


class Piano:
    """A grand for each channel, in one room; other programs than pianos play the piano, too.

    Attributes:
        description: What it is, for the musician.
        other_programs: How often another instrument was asked for.
    """

    def __init__(
        self,
        sample_rate: int = 48000,
        reverb: float = 0.3,
        *,
        gain: float = 0.5,
        click_channel: int | None = None,
    ) -> None:
        """
        Args:
            sample_rate: Frames a second.
            reverb: How much of the room is heard, 0..1.
            gain: Loudness; at the same value it is about as loud as FluidSynth.
            click_channel: The channel on which every note is a metronome's click.

        Raises:
            ValueError: The sample rate or the reverb is out of range.
        """
        if not 8000 <= sample_rate <= 192000:
            raise ValueError(f"sample_rate must be in 8000..192000, got {sample_rate}")
        if not 0 <= reverb <= 1:
            raise ValueError(f"reverb must be in 0..1, got {reverb}")
        self.description = "the built-in piano"
        self.other_programs = 0
        self._rate = sample_rate
        self._gain = _LEVEL * gain / 0.5
        self._click_channel = click_channel
        self._channels: dict[int, Channel] = {}
        self._clicks = Noises()
        self._room = Room(sample_rate, _ROOM_LEVEL * math.sqrt(reverb))
        self._limiter = SoftLimiter(sample_rate)

    @property
    def voices(self) -> int:
        """How many strings sound."""
        return sum(len(channel.voices) for channel in self._channels.values())

    def prepare(self) -> None:
        """Compute every key's strings and noises now, so that no first note waits for its own."""
        for key in range(128):
            strings_of(key, self._rate)
            knock(key, self._rate)
        bank_of(self._rate)
        for high in (False, True):
            click(high, self._rate)

    def send(self, channel: int, data: tuple[int, ...]) -> None:
        """Take a MIDI message, whose first byte names no channel; it is heard from the next pull on."""
        if channel == self._click_channel:
            if data[0] == 0x90 and data[2] > 0:
                loud = _CLICK_LEVEL * (data[2] / 127) ** 2
                self._clicks.start(click(data[1] in _HIGH_CLICKS, self._rate), loud)
            return
        if data[0] == 0xC0 and data[1] > 7:
            self.other_programs += 1
        if channel not in self._channels:
            self._channels[channel] = Channel(self._rate)
        self._channels[channel].send(data)

    def pull(self, frames: int) -> Reals:
        """The next so many frames, shape (frames, 2), float32; always within +-1."""
        pulled = np.empty((frames, 2), np.float32)
        for at in range(0, frames, BLOCK_FRAMES):
            block = self._block(min(BLOCK_FRAMES, frames - at))
            pulled[at : at + block.shape[1]] = block.T
        return pulled

    def close(self) -> None:
        """Free what it holds."""
        self._channels.clear()

    def _block(self, frames: int) -> Reals:
        samples = np.zeros((2, frames), np.float32)
        for channel in self._channels.values():
            if (sounding := channel.sound(frames)) is not None:
                samples += sounding
        samples *= np.float32(self._gain)
        self._clicks.add_to(samples)
        self._room.add_to(samples)
        for at in range(0, frames, _LIMITED_FRAMES):
            self._limiter.limit(samples[:, at : at + _LIMITED_FRAMES])
        return samples
