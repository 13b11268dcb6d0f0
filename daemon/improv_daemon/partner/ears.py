"""What improv hears of the player, and whom it tells: improviser, turn-taker, pulse."""

from __future__ import annotations

from typing import Final

from improv_core.improvising import Improvising
from improv_core.notes import SUSTAIN_CONTROLLER
from improv_core.pulse import PulseTracker
from improv_core.representation import Pulse
from improv_core.turns import TurnTaker
from improv_daemon.wire import Played

_ALL_SOUND_OFF: Final = 120
_ALL_NOTES_OFF: Final = 123


class Ears:
    """Takes the player's messages; only notes and controllers say anything to those behind.

    Args:
        improviser: Hears every note.
        turns: Says when the player's turn is over.

    Attributes:
        pitches: What was played in the turn so far.
        last_s: When something was played last; None before that.
    """

    def __init__(self, improviser: Improvising, turns: TurnTaker) -> None:
        self._improviser, self.turns = improviser, turns
        self._pulses = PulseTracker()
        self.pitches: list[int] = []
        self.last_s: float | None = None

    def take(self, event: Played) -> None:
        """Hear a message."""
        if len(event.data) != 3:
            return
        self.last_s = event.at_s
        status, *rest = event.data
        kind = status & 0xF0
        if is_note_on(event.data):
            self._press(rest[0], rest[1], event.at_s)
        elif kind in (0x80, 0x90):
            self._release(rest[0], event.at_s)
        elif kind == 0xB0 and rest[0] == SUSTAIN_CONTROLLER:
            self._improviser.move_pedal(rest[1])
        elif kind == 0xB0 and rest[0] in (_ALL_SOUND_OFF, _ALL_NOTES_OFF):
            for pitch in self.turns.keys_down:
                self._release(pitch, event.at_s)

    def begin(self) -> None:
        """What comes from now on is a new call."""
        self.turns.begin()
        self.pitches = []

    def pulse(self, now_s: float) -> Pulse | None:
        """The player's beats, on the clock of the messages; None while they are not clear."""
        estimate = self._pulses.estimate(now_s)
        return estimate.pulse if estimate is not None and estimate.clear else None

    def _press(self, pitch: int, velocity: int, at_s: float) -> None:
        self._improviser.press(pitch, velocity, at_s)
        self._pulses.onset(at_s, velocity)
        self.turns.press(pitch, at_s)
        self.pitches.append(pitch)

    def _release(self, pitch: int, at_s: float) -> None:
        self._improviser.release(pitch, at_s)
        self.turns.release(pitch, at_s)


def is_note_on(data: tuple[int, ...]) -> bool:
    """Whether a message strikes a key; velocity 0 lets it go."""
    return len(data) == 3 and data[0] & 0xF0 == 0x90 and data[2] > 0
