"""A journal's entries as what a synthesiser is told, one after the other, while the journal grows. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from improv_core.midi_files import PROGRAM
from improv_core.withholding import Withholding
from improv_daemon import wire
from improv_daemon.journal import Entry, Gap
from improv_daemon.keeper.players import CONTROL, IMPROV_CHANNEL, NOTE_OFF, NOTE_ON, Players, is_of_a_channel

PLACES: Final = {"player": 52, "improv": 76}
"""Where the two stand, lightly apart, as values of controller 10; a pan that is set goes before."""

_VOLUME, _PAN, _SUSTAIN = 7, 10, 64
_CENTRE: Final = 64


@dataclass(frozen=True, slots=True)
class Told:
    """A message to a synthesiser.

    Attributes:
        at_s: Seconds since the session's start.
        channel: 0..15.
        data: A MIDI message whose first byte names no channel.
    """

    at_s: float
    channel: int
    data: tuple[int, ...]


class Sounding:
    """Turns entries into messages, as both players were heard: improv on the second channel.

    What the player does to tell improv something is left out, and so are planned notes that never sounded.

    Args:
        start_s: When the session began (monotonic), from where times count.
    """

    def __init__(self, start_s: float) -> None:
        self._start_s = start_s
        self._withholding = Withholding()
        self._players = Players()
        self._down: dict[int, tuple[int, int]] = {}
        self._is_pedal_down = False
        self._voices: dict[str, wire.SetVoice] = {}
        self.notes = 0
        """How many have been struck."""

    def begin(self) -> list[Told]:
        """What there is to tell before anything sounds."""
        return [Told(0.0, IMPROV_CHANNEL, (CONTROL, _PAN, PLACES["improv"]))]

    def take(self, entry: Entry) -> list[Told]:
        """What an entry comes to, in order."""
        return list(self._taken(entry))

    def end(self, end_s: float) -> list[Told]:
        """Every key and pedal that is still down comes up.

        Args:
            end_s: When (monotonic).
        """
        at_s = self._since(end_s)
        pedals = [*self._players.pedals(), *([(IMPROV_CHANNEL, _SUSTAIN)] if self._is_pedal_down else [])]
        ups = [Told(at_s, channel, (CONTROL, pedal, 0)) for channel, pedal in pedals]
        return [*self._let_go(at_s), *ups]

    def _taken(self, entry: Entry) -> Iterator[Told]:
        match entry.message:
            case wire.Played(data, at_s, source):
                yield from self._played(data, self._since(at_s), source)
            case wire.Sounded() as note:
                at_s = self._since(note.at_s)
                # One key cannot sound twice: a re-struck note ends where the next one begins.
                yield from self._release(note.pitch, at_s)
                self._down[note.pitch] = (note.turn, note.index)
                self.notes += 1
                yield Told(at_s, IMPROV_CHANNEL, (NOTE_ON, note.pitch, note.velocity))
            case wire.Released() as note if self._down.get(note.pitch) == (note.turn, note.index):
                yield from self._release(note.pitch, self._since(note.at_s))
            case wire.PedalMoved(value=value, at_s=at_s):
                self._is_pedal_down = value > 0
                yield Told(self._since(at_s), IMPROV_CHANNEL, (CONTROL, _SUSTAIN, value))
            case wire.SetVoice(part=part) as voice if part in PLACES:
                before, self._voices[part] = self._voices.get(part), voice
                for channel in self._players.channels if part == "player" else (IMPROV_CHANNEL,):
                    yield from _voiced(voice, before, channel, self._since(entry.now_s))
            case wire.Withhold(places, keys, programs):
                self._withholding.withhold(places, keys, programs=programs)
            case Gap():
                yield from self._let_go(self._since(entry.now_s))

    def _played(self, data: tuple[int, ...], at_s: float, source: str) -> Iterator[Told]:
        if not is_of_a_channel(data) or self._withholding.withholds(data):
            return
        opened = self._players.opens(data)
        if opened is not None:
            yield Told(at_s, opened, (CONTROL, _PAN, PLACES["player"]))
            if "player" in self._voices:
                yield from _voiced(self._voices["player"], None, opened, at_s)
            yield from (Told(at_s, *message) for message in self._players.told_before(data))
        for channel, message in self._players.play(data, source):
            self.notes += message[0] == NOTE_ON
            yield Told(at_s, channel, message)

    def _release(self, pitch: int, at_s: float) -> Iterator[Told]:
        if self._down.pop(pitch, None) is not None:
            yield Told(at_s, IMPROV_CHANNEL, (NOTE_OFF, pitch, 0))

    def _let_go(self, at_s: float) -> Iterator[Told]:
        yield from (Told(at_s, *message) for message in self._players.release_all())
        for pitch in list(self._down):
            yield from self._release(pitch, at_s)

    def _since(self, at_s: float) -> float:
        return max(0.0, at_s - self._start_s)


def _voiced(voice: wire.SetVoice, before: wire.SetVoice | None, channel: int, at_s: float) -> Iterator[Told]:
    """How a part is set to sound, in so far as it is other than before."""
    was = before or wire.SetVoice(voice.part, 0, 0.0, 0)
    if voice.program not in (0, was.program):
        yield Told(at_s, channel, (PROGRAM, voice.program - 1))
    if voice.volume not in (0, was.volume):
        yield Told(at_s, channel, (CONTROL, _VOLUME, voice.volume))
    if voice.pan != was.pan:
        place = max(0, min(127, round(_CENTRE + _CENTRE * voice.pan)))
        yield Told(at_s, channel, (CONTROL, _PAN, place if voice.pan else PLACES[voice.part]))
