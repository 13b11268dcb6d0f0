"""Something that was played goes round, or comes once more: the same notes and the same pedal."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

from improv_core.bars import TempoSource
from improv_daemon.partner.policy import Ensemble
from improv_daemon.partner.takes import KEPT_S, Take, TakenNote
from improv_daemon.wire import CancelTurn, Command, FinishTurn, MovePedal, PlayNote

AHEAD_S: Final = 0.2
"""Notes go to the stage so long before they are due."""

SHORTEST_ROUND_S: Final = 0.25

_OVER_BEATS: Final = 0.25
"""A round may be so much shorter than what goes round, rather than a beat longer."""

_TURNS: Final = 100
"""The stage forgets about turns long ago: after so many others the notes belong to a new one."""

_KEPT_TURNS: Final = 3


@dataclass(frozen=True, slots=True)
class Beats:
    """Where beats are, and which of them a round may begin with.

    Attributes:
        origin_s: One that it may begin with.
        beat_s: From beat to beat.
        every: It may begin with every so manieth beat from there.
        follows: Whether it goes on to follow them.
    """

    origin_s: float
    beat_s: float
    every: int
    follows: bool

    def nearest_s(self, at_s: float) -> float:
        """The beat nearest to a moment."""
        return self.origin_s + round((at_s - self.origin_s) / self.beat_s) * self.beat_s

    def phase_s(self, at_s: float) -> float:
        """How far a moment is from where a round may begin, below what lies between two of these."""
        return (at_s - self.origin_s) % (self.every * self.beat_s)


def beats_of(ensemble: Ensemble, now_s: float, begun_s: float) -> Beats | None:
    """The beats, where they are clear.

    Args:
        ensemble: Whose ears.
        now_s: When.
        begun_s: Where the bars of a tempo that is only set begin.
    """
    time = ensemble.settings.time
    ruling = ensemble.ears.bars(now_s, time.beats_per_bar, tempo_bpm=time.tempo_bpm, begin_s=begun_s)
    if ruling is None:
        return None
    source, bars = ruling
    every = 1 if source is TempoSource.PLAYED else bars.beats_per_bar
    follows = source in (TempoSource.CLOCK, TempoSource.TAPPED)
    return Beats(bars.pulse.origin_ms / 1e3, bars.pulse.beat_ms / 1e3, every, follows)


class Repetition:
    """Plays a take, once or round and round.

    Where a beat is clear a round is so many whole beats, or bars where it is known where these are, and keeps
    its place in them; MIDI clock and taps lead it from round to round. Else it has its natural length.

    Args:
        ensemble: Whose turns are counted.
        take: What is played.
        now_s: When that is wanted.
        goes_round: Whether it begins again at its end.
    """

    def __init__(self, ensemble: Ensemble, take: Take, now_s: float, *, goes_round: bool) -> None:
        self._all = ensemble
        self._take = take.latest(KEPT_S) if goes_round else take
        self.goes_round, self.is_over = goes_round, False
        self._next, self._speed, self._count = 0, 1.0, 0
        self._start_s, self._period_s = now_s, max(SHORTEST_ROUND_S, self._take.natural_s)
        self._beats = beats_of(ensemble, now_s, self._take.begun_s) if goes_round else None
        self._beats_a_round = 0
        if goes_round:
            self._start_s = self._first_s(now_s)
        end_s = self._period_s if goes_round else max(self._take.natural_s, self._take.end_s)
        self._events = _events_of(self._take, end_s)
        self._turns: deque[int] = deque([ensemble.next_turn()], maxlen=_KEPT_TURNS)

    def _first_s(self, now_s: float) -> float:
        if self._beats is None:
            seamless_s = self._take.begun_s + self._period_s
            return max(now_s, seamless_s)
        beats, take = self._beats, self._take
        wanted = (take.last_onset_s + min(take.notes[-1].duration_s, beats.beat_s)) / beats.beat_s
        whole = max(1, math.ceil(wanted - _OVER_BEATS))
        self._beats_a_round = beats.every * math.ceil(whole / beats.every)
        self._period_s = max(SHORTEST_ROUND_S, self._beats_a_round * beats.beat_s)
        wait_s = (beats.phase_s(take.begun_s) - beats.phase_s(now_s)) % (beats.every * beats.beat_s)
        return now_s + wait_s

    # --- the clock ----------------------------------------------------------------------------------

    def next_wakeup_s(self) -> float:
        """When there is something to do."""
        return self._due_s() - (AHEAD_S if self.goes_round or self._next < len(self._events) else 0.0)

    def _due_s(self) -> float:
        if self._next < len(self._events):
            return self._start_s + self._events[self._next][0] * self._speed
        return self._start_s + (self._period_s if self.goes_round else self._take.end_s)

    def wake(self, now_s: float) -> list[Command]:
        """What is near by now."""
        commands: list[Command] = []
        while not self.is_over and self.next_wakeup_s() <= now_s:
            if self._next < len(self._events):
                commands += self._command(now_s)
            elif self.goes_round:
                commands += self._go_round(now_s)
            else:
                self.is_over = True
        return commands

    def _command(self, now_s: float) -> list[Command]:
        at_s, _, what = self._events[self._next]
        self._next += 1
        at_s = self._start_s + at_s * self._speed
        if isinstance(what, int):
            return [MovePedal(self._turn, what, at_s)]
        longest_s = self._period_s if self.goes_round else math.inf
        release_s = at_s + min(what.duration_s * self._speed, longest_s)
        if release_s < now_s:
            return []  # nobody was awake when it was due
        self._count += 1
        return [PlayNote(self._turn, self._count, what.pitch, what.velocity, at_s, release_s)]

    def _go_round(self, now_s: float) -> list[Command]:
        self._start_s += self._period_s
        if self._start_s < now_s - self._period_s:
            self._start_s += self._period_s * math.floor((now_s - self._start_s) / self._period_s)
        self._next = 0
        if self._beats is not None and self._beats.follows:
            self._follow(self._beats, now_s)
        return []

    def _follow(self, before: Beats, now_s: float) -> None:
        """The tempo may be another."""
        beats = beats_of(self._all, now_s, self._take.begun_s)
        if beats is None or not beats.follows:
            return
        late_s = self._take.begun_s - before.nearest_s(self._take.begun_s)
        self._speed *= beats.beat_s / (self._period_s / self._beats_a_round)
        self._period_s = max(SHORTEST_ROUND_S, self._beats_a_round * beats.beat_s)
        self._start_s = beats.nearest_s(self._start_s - late_s) + late_s

    @property
    def _turn(self) -> int:
        if self._all.turns - self._turns[-1] > _TURNS:
            self._turns.append(self._all.next_turn())
        return self._turns[-1]

    # --- the end ------------------------------------------------------------------------------------

    def finish(self) -> list[Command]:
        """It begins no note more; what sounds comes to its end."""
        return [FinishTurn(turn) for turn in self._turns]

    def cancel(self) -> list[Command]:
        """It is silent at once."""
        return [CancelTurn(turn) for turn in self._turns]


def _events_of(take: Take, end_s: float) -> list[tuple[float, int, TakenNote | int]]:
    """Notes and pedal by time; the pedal comes up at the end."""
    events: list[tuple[float, int, TakenNote | int]] = [(note.onset_s, 1, note) for note in take.notes]
    events += [(min(at_s, end_s), 0, value) for at_s, value in take.pedal]
    if take.pedal and take.pedal[-1][1]:
        events.append((end_s, 0, 0))
    return sorted(events, key=lambda event: event[:2])
