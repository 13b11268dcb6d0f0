"""The player's messages on the channels of one synthesiser. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from improv_core.midi_files import BEND, DRUM_CHANNEL, KEY_PRESSURE, PRESSURE, PROGRAM

IMPROV_CHANNEL: Final = 1
NOTE_OFF: Final = 0x80
NOTE_ON: Final = 0x90
CONTROL: Final = 0xB0
PEDALS: Final = (64, 66, 67)

Message = tuple[int, tuple[int, ...]]
"""Channel of the synthesiser, and a MIDI message whose first byte names none."""

_LENGTH: Final = {
    **{NOTE_OFF: 3, NOTE_ON: 3, CONTROL: 3},
    **{KEY_PRESSURE: 3, PROGRAM: 2, PRESSURE: 2, BEND: 3},
}
_CHANNELS: Final = frozenset(range(16))
_ALL_SOUND_OFF: Final = 120


class Players:
    """Where the player's channels sound: the first on the first, drums on theirs, others where there is room.

    Two keyboards on one channel share it; of a key that both hold, the last to let go ends the note.
    """

    def __init__(self) -> None:
        self._channels: dict[int, int] = {}
        self._down: dict[tuple[int, int], set[str]] = {}
        self._told: dict[tuple[int, int, int], tuple[int, ...]] = {}

    @property
    def channels(self) -> tuple[int, ...]:
        """Those of the synthesiser that are the player's."""
        return tuple(dict.fromkeys(self._channels.values()))

    def pedals(self) -> Iterator[tuple[int, int]]:
        """Channel of the synthesiser and controller of every pedal that is down."""
        for (channel, kind, number), data in self._told.items():
            if kind == CONTROL and number in PEDALS and data[2] > 0:
                for place in self._places(channel):
                    yield place, number

    def opens(self, data: tuple[int, ...]) -> int | None:
        """The synthesiser's channel that this message, the first note of its own, opens; None for no such."""
        channel = data[0] & 0x0F
        if not _strikes(data) or channel in self._channels:
            return None
        self._channels[channel] = self._free(channel)
        return self._channels[channel]

    def told_before(self, data: tuple[int, ...]) -> Iterator[Message]:
        """What counts for the channel of this message already."""
        channel = data[0] & 0x0F
        for (by, *_), told in list(self._told.items()):
            if by == channel or by not in self._channels:
                yield self._channels[channel], told

    def play(self, data: tuple[int, ...], source: str) -> Iterator[Message]:
        """What a whole message of the player's comes to."""
        kind, channel = data[0] & 0xF0, data[0] & 0x0F
        if _strikes(data):
            self._down.setdefault((channel, data[1]), set()).add(source)
            yield self._channels[channel], (kind, *data[1:])
        elif kind in (NOTE_ON, NOTE_OFF):
            yield from self._release(channel, data[1], source)
        elif kind != CONTROL or data[1] < _ALL_SOUND_OFF:
            yield from self._tell(channel, (kind, *data[1:]))

    def release_all(self) -> Iterator[Message]:
        """Every key comes up."""
        for channel, pitch in self._down:
            yield self._channels[channel], (NOTE_OFF, pitch, 0)
        self._down.clear()

    def _release(self, channel: int, pitch: int, source: str) -> Iterator[Message]:
        holding = self._down.get((channel, pitch), set())
        if source not in holding:
            return
        holding.remove(source)
        if not holding:
            del self._down[channel, pitch]
            yield self._channels[channel], (NOTE_OFF, pitch, 0)

    def _tell(self, channel: int, data: tuple[int, ...]) -> Iterator[Message]:
        if data[0] != KEY_PRESSURE:
            what = (channel, data[0], data[1] if data[0] == CONTROL else 0)
            self._told.pop(what, None)  # the latest is the last: a bank is chosen before a program of it
            self._told[what] = data
        for place in self._places(channel):
            yield place, data

    def _places(self, channel: int) -> list[int]:
        """A pedal board on a channel of its own counts for all, as it does where it sounds."""
        return [self._channels[channel]] if channel in self._channels else list(self.channels)

    def _free(self, channel: int) -> int:
        if channel == DRUM_CHANNEL:
            return DRUM_CHANNEL
        free = _CHANNELS - {IMPROV_CHANNEL, DRUM_CHANNEL, *self._channels.values()}
        wanted = 0 if 0 in free else channel
        return wanted if wanted in free else min(free, default=0)


def is_of_a_channel(data: tuple[int, ...]) -> bool:
    """Whether this is a whole message of a channel."""
    return (
        bool(data) and len(data) == _LENGTH.get(data[0] & 0xF0) and all(0 <= byte <= 127 for byte in data[1:])
    )


def _strikes(data: tuple[int, ...]) -> bool:
    return data[0] & 0xF0 == NOTE_ON and data[2] > 0
