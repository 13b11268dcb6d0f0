"""What improv hears of the player, and whom it tells: improviser, turn-taker, pulse."""

from __future__ import annotations

from collections import deque
from typing import Final

from improv_core.bars import Bars, TempoSource, ruling_bars
from improv_core.clock import MidiClock
from improv_core.improvising import Improvising
from improv_core.kept_tempo import KeptTempo
from improv_core.notes import PEDAL_DOWN_FROM, SUSTAIN_CONTROLLER
from improv_core.pulse import PulseTracker
from improv_core.representation import Pulse
from improv_core.tapping import TapTempo
from improv_core.turns import TurnTaker
from improv_daemon.wire import Played

PITCHES_KEPT: Final = 512
"""Of a turn that goes on and on the latest so many pitches are known."""

_SYSTEM: Final = 0xF0
_ALL_SOUND_OFF: Final = 120
_ALL_NOTES_OFF: Final = 123


class Ears:
    """Takes the player's messages; only notes and controllers say anything to those behind.

    Args:
        improviser: Hears every note.
        turns: Says when the player's turn is over.

    Attributes:
        pitches: What was played in the turn so far, the latest `PITCHES_KEPT`.
        last_s: When something was played last, or done since; None before anything was played.
        by_model: Whether the model says when it expects no note any more.
        follow_clock: Whether MIDI clock counts.
        tempo_bpm: The tempo that is set, 0 for none; beats count from the first note of what is played.
        beats_per_bar: Of the bars.
        kept: A tempo that goes on whoever plays.
    """

    def __init__(self, improviser: Improvising, turns: TurnTaker) -> None:
        self._improviser, self.turns = improviser, turns
        self._pulses, self._clock, self._taps = PulseTracker(), MidiClock(), TapTempo()
        self.pitches: deque[int] = deque(maxlen=PITCHES_KEPT)
        self.last_s: float | None = None
        self.by_model = self.follow_clock = True
        self.tempo_bpm, self.beats_per_bar, self.kept = 0.0, 4, KeptTempo()
        self._begun_s: float | None = None

    def keep_time(self, event: Played) -> bool:
        """Take a message of the system, as of MIDI clock: nobody plays it; returns whether it is one."""
        if not event.data or event.data[0] < _SYSTEM:
            return False
        self._clock.message(event.data, event.at_s, event.source)
        return True

    def tap(self, at_s: float) -> None:
        """The musician taps the tempo."""
        self._taps.tap(at_s)

    def forget_taps(self) -> None:
        """The tempo is no longer as tapped."""
        self._taps.clear()

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

    def stir(self, at_s: float) -> None:
        """Something is done, if not played: the silence is over, if there was one."""
        if self.last_s is not None:
            self.last_s = max(self.last_s, at_s)

    def begin(self) -> None:
        """What comes from now on is a new call."""
        self.turns.begin()
        self.pitches.clear()
        self._improviser.end_phrase()
        self._begun_s = None

    def pulse(self, now_s: float) -> Pulse | None:
        """The beats, on the clock of the messages: of MIDI clock, as tapped, kept or set, or the player's."""
        ruling = self.tempo(now_s)
        return None if ruling is None else ruling[1].pulse

    def tempo(self, now_s: float) -> tuple[TempoSource, Bars] | None:
        """The bars that anybody may go by, and who says so; None while there are none."""
        return self.told_tempo(now_s) or self.bars(now_s, self.beats_per_bar)

    def told_tempo(self, now_s: float) -> tuple[TempoSource, Bars] | None:
        """The same, but for what is only estimated from the playing: that takes a while."""
        begun_s = self._begun_s if self.tempo_bpm else None
        tempo_bpm = 0.0 if begun_s is None else self.tempo_bpm
        return self._told(now_s, self.beats_per_bar, tempo_bpm, begun_s)

    @property
    def clock_source(self) -> str:
        """The input that MIDI clock comes from."""
        return self._clock.source

    @property
    def is_song_stopped(self) -> bool:
        """Whether MIDI clock has said stop, and counts."""
        return self.follow_clock and self._clock.stopped

    def bars(
        self, now_s: float, beats_per_bar: int, *, tempo_bpm: float = 0.0, begin_s: float | None = None
    ) -> tuple[TempoSource, Bars] | None:
        """The bars to play by; see `improv_core.bars.ruling_bars`."""
        told = self._told(now_s, beats_per_bar, tempo_bpm, begin_s)
        if told is not None:
            return told  # the player's pulse takes a while to find, and this is asked at every tick
        played = self._pulses.estimate(now_s)
        return ruling_bars(now_s, beats_per_bar, played=played, begin_s=begin_s)

    def _told(
        self, now_s: float, beats_per_bar: int, tempo_bpm: float, begin_s: float | None
    ) -> tuple[TempoSource, Bars] | None:
        return ruling_bars(
            now_s,
            beats_per_bar,
            clock=self._clock if self.follow_clock else None,
            tapped=self._taps.pulse,
            kept=self.kept.pulse,
            tempo_bpm=tempo_bpm,
            begin_s=begin_s,
        )

    def _press(self, pitch: int, velocity: int, at_s: float) -> None:
        self._begun_s = at_s if self._begun_s is None else self._begun_s
        self._improviser.press(pitch, velocity, at_s)
        self._pulses.onset(at_s, velocity)
        self.turns.press(pitch, at_s)
        if self.by_model:
            self.turns.expect(self._improviser.expectation())
        self.pitches.append(pitch)

    def _release(self, pitch: int, at_s: float) -> None:
        self._improviser.release(pitch, at_s)
        self.turns.release(pitch, at_s)


def is_note_on(data: tuple[int, ...]) -> bool:
    """Whether a message strikes a key; velocity 0 lets it go."""
    return len(data) == 3 and data[0] & 0xF0 == 0x90 and data[2] > 0


def is_pedal_up(data: tuple[int, ...]) -> bool:
    """Whether a message lets the sustain pedal go."""
    return (
        len(data) == 3
        and data[0] & 0xF0 == 0xB0
        and data[1] == SUSTAIN_CONTROLLER
        and data[2] < PEDAL_DOWN_FROM
    )
