"""What one who plays did, message by message; what is still held at the end is let go there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from improv_core.midi_files import BEND, BEND_CENTRE, KEY_PRESSURE, PRESSURE, PROGRAM, ChannelMessage
from improv_core.midi_lines import Timed
from improv_core.notes import PEDAL_DOWN_FROM, ControlChange, Note, Performance

Owner = tuple[str, int]
"""Port and MIDI channel, 0..15."""

EVERYBODY: Final[Owner] = ("", -1)
"""What is told of the whole part counts for all of it."""

NOTE_OFF, NOTE_ON, CONTROL = 0x80, 0x90, 0xB0
LENGTHS: Final = {NOTE_OFF: 3, NOTE_ON: 3, KEY_PRESSURE: 3, CONTROL: 3, PROGRAM: 2, PRESSURE: 2, BEND: 3}
"""Of each message of a channel."""

_MESSAGES: Final = (KEY_PRESSURE, PROGRAM, PRESSURE, BEND)
_PEDALS: Final = (64, 66, 67)


@dataclass(frozen=True, slots=True)
class Voice:
    """What came from one port on one channel.

    Attributes:
        source: The port's name.
        channel: 0..15.
        performance: Notes and controllers.
        messages: Bends, pressures and programs, by time.
        sent: All of it as it came, by time, statuses without the channel; and note-offs before keys that were
            struck again while they were down, and where nothing more is known of a key.
    """

    source: str
    channel: int
    performance: Performance
    messages: tuple[ChannelMessage, ...]
    sent: tuple[Timed, ...]

    @classmethod
    def of(cls, owner: Owner, sent: Iterable[Timed]) -> Voice:
        """Pair the keys of what was sent."""
        by_time = tuple(_plain(sorted(sent, key=lambda timed: timed[0])))
        controls = (ControlChange(data[1], data[2], at_s) for at_s, data in by_time if data[0] == CONTROL)
        messages = (ChannelMessage(data, at_s) for at_s, data in by_time if data[0] in _MESSAGES)
        return cls(*owner, Performance.of(_notes(by_time), controls), tuple(messages), by_time)


@dataclass(slots=True)
class _Part:
    """One owner's."""

    sent: list[Timed] = field(default_factory=list)
    down: dict[int, float] = field(default_factory=dict)
    values: dict[int, int] = field(default_factory=dict)
    bend: tuple[int, ...] = BEND_CENTRE

    def take(self, data: tuple[int, ...], at_s: float) -> None:
        status, *values = data
        if status == NOTE_ON and values[1]:
            self.down[values[0]] = at_s
        elif status in (NOTE_ON, NOTE_OFF):
            self.down.pop(values[0], None)
        elif status == CONTROL:
            self.values[values[0]] = values[1]
        elif status == BEND:
            self.bend = tuple(values)
        self.sent.append((at_s, data))

    def release_all(self, at_s: float) -> None:
        for pitch, onset_s in list(self.down.items()):
            self.take((NOTE_OFF, pitch, 0), max(onset_s, at_s))


class Hand:
    """Collects what was played; times count from the session's start."""

    def __init__(self) -> None:
        self._parts: dict[Owner, _Part] = {}

    def send(self, owner: Owner, data: tuple[int, ...], at_s: float) -> None:
        """A message of a channel, whose status leaves the channel out."""
        self._parts.setdefault(owner, _Part()).take(data, at_s)

    def release_all(self, at_s: float) -> None:
        """Every key comes up."""
        for part in self._parts.values():
            part.release_all(at_s)

    def end(self, at_s: float) -> None:
        """The session is over: keys and pedals come up, and what is bent straightens."""
        self.release_all(at_s)
        for part in self._parts.values():
            for controller, value in list(part.values.items()):
                if controller in _PEDALS and value >= PEDAL_DOWN_FROM:
                    part.take((CONTROL, controller, 0), at_s)
            if part.bend != BEND_CENTRE:
                part.take((BEND, *BEND_CENTRE), at_s)

    @property
    def performance(self) -> Performance:
        """All of it."""
        all_of_it = [Voice.of(owner, part.sent).performance for owner, part in self._parts.items()]
        notes = (note for one in all_of_it for note in one.notes)
        return Performance.of(notes, (control for one in all_of_it for control in one.controls))

    def voices(self) -> tuple[Voice, ...]:
        """Of each port and channel that struck a note, in the order of their first; at least one.

        What comes from elsewhere, a pedal board, say, counts for those on its channel, or for all where there
        are none, as it does where it sounds.
        """
        struck_s = {
            owner: min(on) for owner, part in self._parts.items() if (on := list(_struck_s(part.sent)))
        }
        players = sorted(struck_s, key=lambda owner: struck_s[owner])
        return tuple(Voice.of(owner, self._heard_by(owner, players)) for owner in players or [("", 0)])

    def _heard_by(self, owner: Owner, players: list[Owner]) -> Iterator[Timed]:
        channels = {channel for _, channel in players}
        for by, part in self._parts.items():
            if by not in players and (by[1] == owner[1] or by[1] not in channels):
                # No key of this one ever went down, so the note-offs of it are somebody else's.
                yield from (timed for timed in part.sent if timed[1][0] not in (NOTE_ON, NOTE_OFF))
        if owner in self._parts:
            yield from self._parts[owner].sent


def _struck_s(sent: Iterable[Timed]) -> Iterator[float]:
    return (at_s for at_s, data in sent if data[0] == NOTE_ON and data[2])


def _plain(sent: Iterable[Timed]) -> Iterator[Timed]:
    """Each key comes up before it is struck again, and at last."""
    down: set[int] = set()
    at_s = 0.0
    for at_s, data in sent:
        if data[0] == NOTE_ON and data[2]:
            if data[1] in down:
                yield at_s, (NOTE_OFF, data[1], 0)
            down.add(data[1])
        elif data[0] in (NOTE_ON, NOTE_OFF):
            down.discard(data[1])
        yield at_s, data
    yield from ((at_s, (NOTE_OFF, pitch, 0)) for pitch in sorted(down))


def _notes(sent: Iterable[Timed]) -> Iterator[Note]:
    down: dict[int, tuple[int, float]] = {}
    for at_s, data in sent:
        if data[0] == NOTE_ON and data[2]:
            down[data[1]] = (data[2], at_s)
        elif data[0] in (NOTE_ON, NOTE_OFF) and data[1] in down:
            velocity, onset_s = down.pop(data[1])
            yield Note(data[1], velocity, onset_s, at_s - onset_s)
