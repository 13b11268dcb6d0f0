"""Follows MIDI clock: where the song is, smoothed against the jitter of the pulses; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.pulse_count import PulseCount
from improv_core.representation.asking import Pulse
from improv_core.timekeeping import PULSES_A_BEAT as PULSES_A_BEAT

PULSES_A_SIXTEENTH: Final = 6
"""A song position counts so many pulses."""

MEMORY: Final = 5 * PULSES_A_BEAT
"""Tempo and place are those of the straight line through so many latest pulses."""

SILENT_AFTER_S: Final = 0.5
"""A clock whose pulses stay away for so long has gone; at 20 beats a minute they come every 0.125 s."""

FloatArray = NDArray[np.float64]

_SONG_POSITION, _PULSE, _START, _CONTINUE, _STOP = 0xF2, 0xF8, 0xFA, 0xFB, 0xFC
_LATEST: Final = 8
_ENOUGH: Final = 3 * _LATEST
_SURE: Final = 5.0
_LEAST_JITTER_S: Final = 0.0003
_BETWEEN: Final = 0.25
_BEYOND: Final = 0.5
_AT_A_STOP: Final = 2
_SHORTEST_S: Final = 0.001  # at 2,500 beats a minute
_NONE: Final[FloatArray] = np.empty((0, 2))


@dataclass(frozen=True, slots=True)
class _Line:
    """Pulse n comes at ``at_s + (n - middle) * each_s``, give or take ``jitter_s``."""

    middle: float
    at_s: float
    each_s: float
    jitter_s: float
    count: int
    spread: float

    @classmethod
    def through(cls, pulses: FloatArray) -> _Line:
        number, at_s = pulses.T
        count = len(pulses)
        middle, mean_s = float(number.sum()) / count, float(at_s.sum()) / count
        aside, aside_s = number - middle, at_s - mean_s
        spread = float(aside @ aside)
        each_s = float(aside @ aside_s) / spread
        rest_s = aside_s - each_s * aside
        return cls(middle, mean_s, each_s, math.sqrt(float(rest_s @ rest_s) / count), count, spread)

    def moved_to(self, pulses: FloatArray) -> _Line:
        """The same tempo through other pulses."""
        middle, at_s = (float(mean) for mean in pulses.mean(axis=0))
        return replace(self, middle=middle, at_s=at_s)

    def time_s(self, number: float) -> float:
        return self.at_s + (number - self.middle) * self.each_s

    def number(self, at_s: float) -> float:
        return self.middle + (at_s - self.at_s) / self.each_s

    def is_left_by(self, latest: FloatArray) -> bool:
        """Whether these later pulses keep another time, beyond what jitter explains."""
        number, at_s = (float(total) / len(latest) for total in latest.sum(axis=0))
        noise = 1 / len(latest) + 1 / self.count + (number - self.middle) ** 2 / self.spread
        jitter_s = max(self.jitter_s, _LEAST_JITTER_S)
        return abs(at_s - self.time_s(number)) > _SURE * jitter_s * math.sqrt(noise)


class MidiClock:
    """Tempo and song position of a MIDI clock.

    - Start: the next pulse is beat 0. Continue: the next pulse is where the song was left, or where a song
      position message has put it. Stop: no pulse and no place until it goes on; the tempo is kept up.
    - A clock that is heard without a start runs from its first pulse, which counts as beat 0.
    - A song position that comes while it runs, as from a program that loops, holds from the next pulse on.
    - Lost pulses do not lose the place: whether some were lost or the tempo has changed is decided, a few
      pulses later, by what explains them best (`improv_core.pulse_count`).
    - Another tempo is followed within some `_LATEST` pulses; until then the old one holds.
    - After a silence, or a start that falls between two pulses, what came before says nothing of the tempo
      any more, and pulses count on from where they were.
    - Of several sources the first is followed until it falls silent.
    """

    def __init__(self) -> None:
        self._count = PulseCount(MEMORY)
        self._came = _NONE
        self._doubtful = False
        self._number = -1
        self._next: int | None = None
        self._source: str | None = None
        self._heard_s = self._pulse_s = -math.inf
        self._line: _Line | None = None
        self._known: _Line | None = None
        self._told = self._begins = False
        self.running = False
        """Whether the song goes on."""

    def message(self, data: Sequence[int], at_s: float, source: str = "") -> None:
        """Take a MIDI message that came in then; those that are not of the clock are ignored."""
        if not data or data[0] not in (_SONG_POSITION, _PULSE, _START, _CONTINUE, _STOP):
            return
        if self._source not in (None, source) and not self.silent(at_s):
            return
        self._source = source
        if data[0] == _PULSE:
            self._pulse(at_s)
            return
        self._heard_s = max(self._heard_s, at_s)
        self._told = True
        if data[0] == _SONG_POSITION:
            self._next = (data[1] | data[2] << 7) * PULSES_A_SIXTEENTH
        elif data[0] == _STOP:
            self._stop(at_s)
        else:
            self.running = self._begins = True
            if data[0] == _START:
                self._next = 0

    def silent(self, now_s: float) -> bool:
        """Whether nothing has come for so long that the clock must have gone."""
        return now_s - self._heard_s > SILENT_AFTER_S

    @property
    def source(self) -> str:
        """Whose pulses are followed; empty before there are any."""
        return self._source or ""

    @property
    def stopped(self) -> bool:
        """Whether a song was there and has been stopped."""
        return self._told and not self.running

    @property
    def pulse(self) -> Pulse | None:
        """The beats while it runs, beat 0 of the song as origin; None before the tempo is known."""
        line = self._line
        if line is None or not self.running:
            return None
        return Pulse(line.time_s(self._count.best.first) * 1e3, line.each_s * PULSES_A_BEAT * 1e3)

    def _stop(self, at_s: float) -> None:
        if self._next is None:
            lost = 0
            if self._line is not None and not self.silent(at_s):  # the last before it may be lost
                lost = math.floor(self._line.number(at_s) - self._latest - _BEYOND)
            lost = lost if 0 <= lost <= _AT_A_STOP else 0  # more than that is a song that stood still before
            self._next = self._latest + 1 + lost - self._count.best.first if self.running else 0
        self.running = False

    @property
    def _latest(self) -> int:
        return self._number + self._count.best.lost

    def _pulse(self, at_s: float) -> None:
        if at_s - self._pulse_s > SILENT_AFTER_S or (self._begins and self._is_between(at_s)):
            self._forget()
        self._begins = False
        self._heard_s = max(self._heard_s, at_s)
        if not self._told:
            self.running = self._told = True
        self._number += 1
        self._count.pulse(self._number, at_s)
        if self.running and self._next is not None:
            self._count.place(self._number, self._next)
            self._next = None
        self._came = np.concatenate((self._came[1 - MEMORY :], [(self._number, at_s)]))
        self._correct_held_up()
        self._pulse_s = at_s
        self._follow()

    def _correct_held_up(self) -> None:
        """What came too late counts as if it had come when it was due."""
        best, late = self._count.best, min(self._count.held_up, len(self._came))
        if late:
            self._came[-late:, 1] = best.at_s - best.each_s * np.arange(late)[::-1]

    def _is_between(self, at_s: float) -> bool:
        number = 0.0 if self._line is None else self._line.number(at_s)
        return abs(number - round(number)) > _BETWEEN

    def _forget(self) -> None:
        self._known = self._line or self._known
        self._count.forget(None if self._known is None else self._known.each_s)
        self._came, self._line, self._doubtful = _NONE, None, False

    def _counted(self) -> FloatArray:
        """The pulses since the tempo is this, with those that were lost counted."""
        pulses, best = self._came.copy(), self._count.best
        pulses[:, 0] += best.lost
        for number, lost in best.losses:
            pulses[: max(0, len(pulses) - 1 - (self._number - number)), 0] -= lost
        return pulses

    def _follow(self) -> None:
        pulses = self._counted()
        if self._doubtful and len(pulses) == _ENOUGH:
            self._came, pulses = self._came[_LATEST:], pulses[_LATEST:]  # some are from before the change
            self._doubtful = False
        elif (
            len(pulses) >= _ENOUGH
            and self._count.decided
            and _Line.through(pulses[:-_LATEST]).is_left_by(pulses[-_LATEST:])
        ):
            self._came, pulses, self._doubtful = self._came[-_LATEST:], pulses[-_LATEST:], True
        if self._known is not None and len(pulses) < _LATEST and not self._doubtful:
            self._line = self._known.moved_to(pulses)
            return
        line = _Line.through(pulses) if len(pulses) > 1 else None
        self._line = None if line is None or line.each_s < _SHORTEST_S else line
