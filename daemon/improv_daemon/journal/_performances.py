"""What was played and what improv answered, from a journal."""

from __future__ import annotations

from collections import deque
from typing import Final

from improv_core.midi_files import PROGRAM
from improv_core.notes import Performance
from improv_core.withholding import Withholding
from improv_daemon import wire
from improv_daemon.journal._hands import CONTROL, EVERYBODY, LENGTHS, NOTE_OFF, NOTE_ON, Hand, Voice
from improv_daemon.journal._reader import Journal

_SUSTAIN, _VOLUME, _PAN = 64, 7, 10
_IMPROV: Final = ("improv", 1)


def performances(journal: Journal) -> tuple[Performance, Performance]:
    """The player's and improv's performance, as they sounded; times count from the session's start.

    Notes and pedals still held at the end are closed there; those held where lines are missing, and never
    heard of again, are closed behind these. Controllers of the player are kept, but for knobs and gestures,
    which told improv something. Of improv, what was sounded counts, not what was planned.
    """
    player, improv = _hands(journal)
    return player.performance, improv.performance


def voices(journal: Journal) -> tuple[tuple[Voice, ...], Voice]:
    """The same, with bends, pressures, programs and how the parts were set to sound.

    Returns:
        The player's, one for each port and channel, at least one, or just one where what came by two ways was
        merged; and improv's.
    """
    player, improv = _hands(journal)
    (one,) = improv.voices()
    return player.voices(), one


def _hands(journal: Journal) -> tuple[Hand, Hand]:
    start_s = journal.header.now_s
    player, improv = _Player(one_voice=_routes_met(journal)), _Improv()
    sound = {"player": _Sound(player), "improv": _Sound(improv)}
    losses_s = deque(loss.to_s for loss in journal.losses)
    for entry in journal.entries:
        now_s = max(0.0, entry.now_s - start_s)
        while losses_s and losses_s[0] <= entry.now_s:
            lost_s = max(0.0, losses_s.popleft() - start_s)
            player.doubt(lost_s)
            improv.doubt(lost_s)
        match entry.message:
            case wire.Played(data=data, at_s=at_s, source=source):
                player.play(data, max(0.0, at_s - start_s), source)
            case wire.Sounded() as note:
                improv.sound(note, max(0.0, note.at_s - start_s))
            case wire.Released() as note:
                improv.release(note, max(0.0, note.at_s - start_s))
            case wire.PedalMoved(value=value, at_s=at_s):
                improv.send(_IMPROV, (CONTROL, _SUSTAIN, value), max(0.0, at_s - start_s))
            case wire.SetVoice(part=part) as voice if part in sound:
                sound[part].set(voice, now_s)
            case wire.Withhold(places, keys, programs):
                player.withholding.withhold(places, keys, programs=programs)
    for hand in (player, improv):
        hand.end(journal.end_s - start_s)
    return player, improv


def _routes_met(journal: Journal) -> bool:
    """Whether anything came by two ways, so that a key may have come in here now and there then."""
    counts = (entry.message for entry in journal.entries if isinstance(entry.message, wire.Counts))
    return any(one.merged for one in counts)


class _Player(Hand):
    """Takes the player's MIDI messages.

    Args:
        one_voice: From wherever they come, they are of one voice.
    """

    def __init__(self, *, one_voice: bool) -> None:
        super().__init__()
        self._one_voice = one_voice
        self.withholding = Withholding()
        """What of them is no music."""

    def play(self, data: tuple[int, ...], at_s: float, source: str) -> None:
        """Whatever is no message of a channel is left out."""
        if not data or not 0x80 <= data[0] < 0xF0 or max(data[1:], default=128) > 127:
            return
        if self.withholding.withholds(data):
            return
        status, channel = data[0] & 0xF0, data[0] & 0x0F
        if len(data) == LENGTHS[status]:
            self.send(("", 0) if self._one_voice else (source, channel), (status, *data[1:]), at_s)


class _Improv(Hand):
    """Takes what the stage says of improv's notes."""

    def __init__(self) -> None:
        super().__init__()
        self._sounding: dict[int, tuple[int, int]] = {}

    def sound(self, note: wire.Sounded, at_s: float) -> None:
        """One key cannot sound twice: a re-struck note ends where the next one begins."""
        self._sounding[note.pitch] = (note.turn, note.index)
        self.send(_IMPROV, (NOTE_ON, note.pitch, note.velocity), at_s)

    def release(self, note: wire.Released, at_s: float) -> None:
        """It ends, unless its key has been struck again."""
        if self._sounding.get(note.pitch) == (note.turn, note.index):
            del self._sounding[note.pitch]
            self.send(_IMPROV, (NOTE_OFF, note.pitch, 0), at_s)


class _Sound:
    """How a part was set to sound.

    Args:
        hand: Of the part.
    """

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self._program = self._volume = 0
        self._pan = 0.0

    def set(self, voice: wire.SetVoice, at_s: float) -> None:
        """What is other than before is told."""
        if voice.program not in (0, self._program):
            self._hand.send(EVERYBODY, (PROGRAM, voice.program - 1), at_s)
        if voice.volume not in (0, self._volume):
            self._hand.send(EVERYBODY, (CONTROL, _VOLUME, voice.volume), at_s)
        if voice.pan != self._pan:
            place = max(0, min(127, round(64 + 64 * voice.pan)))
            self._hand.send(EVERYBODY, (CONTROL, _PAN, place), at_s)
        self._program, self._volume, self._pan = voice.program, voice.volume, voice.pan
