"""What one who plays did: keys paired, and what is still held at the end let go there."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Final

from improv_core.midi_files import BEND, BEND_CENTRE, ChannelMessage
from improv_core.notes import PEDAL_DOWN_FROM, ControlChange, Note, Performance

Owner = tuple[str, int]
"""Port and MIDI channel, 0..15."""

EVERYBODY: Final[Owner] = ("", -1)
"""What is told of the whole part counts for all of it."""

_PEDALS: Final = (64, 66, 67)


@dataclass(frozen=True, slots=True)
class Voice:
    """What came from one port on one channel.

    Attributes:
        source: The port's name.
        channel: 0..15.
        performance: Notes and controllers.
        messages: Bends, pressures and programs, by time.
    """

    source: str
    channel: int
    performance: Performance
    messages: tuple[ChannelMessage, ...]


class Hand:
    """Collects what was played; times count from the session's start."""

    def __init__(self) -> None:
        self._down: dict[Hashable, tuple[Owner, int, int, float]] = {}
        self._notes: list[tuple[Owner, Note]] = []
        self._controls: list[tuple[Owner, ControlChange]] = []
        self._messages: list[tuple[Owner, ChannelMessage]] = []

    def press(self, owner: Owner, key: Hashable, pitch: int, velocity: int, at_s: float) -> None:
        """A key goes down; if it was down, it comes up first."""
        self.release(key, at_s)
        self._down[key] = (owner, pitch, velocity, at_s)

    def release(self, key: Hashable, at_s: float) -> None:
        """A key comes up, if it was down."""
        if key in self._down:
            owner, pitch, velocity, onset_s = self._down.pop(key)
            self._notes.append((owner, Note(pitch, velocity, onset_s, max(0.0, at_s - onset_s))))

    def release_pitch(self, pitch: int, at_s: float) -> None:
        """Every key of this pitch comes up."""
        for key in [key for key, (_, down, _, _) in self._down.items() if down == pitch]:
            self.release(key, at_s)

    def release_all(self, at_s: float) -> None:
        """Every key comes up."""
        for key in list(self._down):
            self.release(key, at_s)

    def control(self, owner: Owner, controller: int, value: int, at_s: float) -> None:
        """A controller moves."""
        self._controls.append((owner, ControlChange(controller, value, at_s)))

    def tell(self, owner: Owner, data: tuple[int, ...], at_s: float) -> None:
        """A bend, a pressure or a program; see `improv_core.midi_files.ChannelMessage`."""
        self._messages.append((owner, ChannelMessage(data, at_s)))

    def end(self, at_s: float) -> None:
        """The session is over: keys and pedals come up, and what is bent straightens."""
        self.release_all(at_s)
        pedals = {(owner, c.controller): c.value for owner, c in self._controls if c.controller in _PEDALS}
        for (owner, pedal), value in pedals.items():
            if value >= PEDAL_DOWN_FROM:
                self.control(owner, pedal, 0, at_s)
        bends = {owner: m.data[1:] for owner, m in self._messages if m.data[0] == BEND}
        for owner, bend in bends.items():
            if bend != BEND_CENTRE:
                self.tell(owner, (BEND, *BEND_CENTRE), at_s)

    @property
    def performance(self) -> Performance:
        """All of it."""
        return Performance.of((note for _, note in self._notes), (control for _, control in self._controls))

    def voices(self) -> tuple[Voice, ...]:
        """Of each port and channel that struck a note, in the order of their first; at least one.

        What comes from elsewhere, a pedal board, say, counts for those on its channel, or for all where there
        are none, as it does where it sounds.
        """
        players = list(dict.fromkeys(owner for owner, _ in sorted(self._notes, key=lambda n: n[1].onset_s)))
        return tuple(self._voice(owner, _heard_by(owner, players)) for owner in players or [("", 0)])

    def _voice(self, owner: Owner, hears: Callable[[Owner], bool]) -> Voice:
        def of(told: list[tuple[Owner, ControlChange]]) -> Iterator[ControlChange]:
            return (control for by, control in told if hears(by))

        messages = sorted((m for by, m in self._messages if hears(by)), key=lambda message: message.at_s)
        notes = (note for by, note in self._notes if by == owner)
        return Voice(*owner, Performance.of(notes, of(self._controls)), tuple(messages))


def _heard_by(owner: Owner, players: list[Owner]) -> Callable[[Owner], bool]:
    channels = {channel for _, channel in players}

    def hears(by: Owner) -> bool:
        if by in players:
            return by == owner
        return by[1] == owner[1] or by[1] not in channels

    return hears
