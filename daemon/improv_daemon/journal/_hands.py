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
_BENT: Final = (BEND, 0)


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
    pedals: set[int] = field(default_factory=set)
    bend: tuple[int, ...] = BEND_CENTRE
    doubts_s: dict[tuple[int, int], float] = field(default_factory=dict)

    def take(self, data: tuple[int, ...], at_s: float) -> None:
        status, *values = data
        if status in (NOTE_ON, NOTE_OFF):
            self._take_key(values[0], is_struck=status == NOTE_ON and values[1] > 0, at_s=at_s)
        elif status == CONTROL and values[0] in _PEDALS:
            self.doubts_s.pop((CONTROL, values[0]), None)
            (self.pedals.add if values[1] >= PEDAL_DOWN_FROM else self.pedals.discard)(values[0])
        elif status == BEND:
            self.doubts_s.pop(_BENT, None)
            self.bend = tuple(values)
        self.sent.append((at_s, data))

    def _take_key(self, pitch: int, *, is_struck: bool, at_s: float) -> None:
        doubt_s = self.doubts_s.pop((NOTE_OFF, pitch), None)
        if not is_struck:
            self.down.pop(pitch, None)
            return
        if doubt_s is not None:
            self.sent.append((doubt_s, (NOTE_OFF, pitch, 0)))
        self.down[pitch] = at_s

    def doubt(self, at_s: float) -> None:
        """Whether what is held now is still held after this nobody knows, until more is heard of it."""
        for pitch, onset_s in self.down.items():
            self.doubts_s.setdefault((NOTE_OFF, pitch), max(onset_s, at_s))
        for controller in self.pedals:
            self.doubts_s.setdefault((CONTROL, controller), at_s)
        if self.bend != BEND_CENTRE:
            self.doubts_s.setdefault(_BENT, at_s)

    def end(self, at_s: float) -> None:
        """Everything comes up: what nothing was heard of since `doubt` then, the rest now."""
        for pitch, onset_s in list(self.down.items()):
            self.take((NOTE_OFF, pitch, 0), max(onset_s, self.doubts_s.get((NOTE_OFF, pitch), at_s)))
        for controller in sorted(self.pedals):
            self.take((CONTROL, controller, 0), self.doubts_s.get((CONTROL, controller), at_s))
        if self.bend != BEND_CENTRE:
            self.take((BEND, *BEND_CENTRE), self.doubts_s.get(_BENT, at_s))


class Hand:
    """Collects what was played; times count from the session's start."""

    def __init__(self) -> None:
        self._parts: dict[Owner, _Part] = {}

    def send(self, owner: Owner, data: tuple[int, ...], at_s: float) -> None:
        """A message of a channel, whose status leaves the channel out."""
        self._parts.setdefault(owner, _Part()).take(data, at_s)

    def doubt(self, at_s: float) -> None:
        """Something is missing until then: what is held and never heard of again comes up there."""
        for part in self._parts.values():
            part.doubt(at_s)

    def end(self, at_s: float) -> None:
        """The session is over: keys and pedals come up, and what is bent straightens."""
        for part in self._parts.values():
            part.end(at_s)

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
