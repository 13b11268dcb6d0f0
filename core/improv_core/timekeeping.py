"""Keeps time for others: MIDI clock with start and stop, and the clicks of a metronome; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

PULSES_A_BEAT: Final = 24
"""Of MIDI clock, and of `improv_core.clock`; here, since the stage does without what that needs."""

START_BEFORE_S: Final = 0.002
"""Start goes out so long before the pulse of its bar line: receivers want a moment to get ready."""

MISSED_S: Final = 0.05
"""A bar line or beat that has passed for no longer than this still counts."""

LONGEST_S: Final = 0.5
"""MIDI clock with pulses further apart means nothing to anybody: at 5 beats a minute."""

_JUMP: Final = PULSES_A_BEAT / 2
_SOFTLY: Final = 8  # a correction is spread over about so many pulses
_MOST: Final = 0.25  # of the time between two pulses
_AT_ONCE_S: Final = 0.0005
_PLACE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Tick:
    """Something to be sent at ``at_s``.

    Attributes:
        kind: ``pulse``, ``start`` and ``stop`` are MIDI clock's; ``click`` is the metronome's.
        at_s: When it is due.
        accent: Whether a click begins a bar.
    """

    kind: Literal["pulse", "start", "stop", "click"]
    at_s: float
    accent: bool = False


@dataclass(frozen=True, slots=True)
class _Steps:
    """Moments ``each_s`` apart; number 0 begins a bar, and so does each ``a_bar`` after it."""

    origin_s: float
    each_s: float
    a_bar: int

    def time_s(self, number: int) -> float:
        return self.origin_s + number * self.each_s

    def place(self, at_s: float) -> float:
        return (at_s - self.origin_s) / self.each_s

    def from_s(self, at_s: float) -> int:
        """The number of the one at that moment or the next one after it."""
        return math.ceil(self.place(at_s) - _PLACE)

    def bar_line_just_passed(self, now_s: float) -> int | None:
        number = math.floor(self.place(now_s) / self.a_bar) * self.a_bar
        return number if now_s - self.time_s(number) <= MISSED_S else None


class Timekeeper:
    """Says when MIDI clock's pulses and the metronome's clicks are due.

    - Pulses go out as soon as there is a tempo. Start comes before the pulse of a bar line, Stop when the
      tempo goes.
    - A tempo that is corrected moves the pulses softly: no two are closer than three quarters of their usual
      distance. A correction of more than half a beat is a jump: Stop, and Start on the next bar line.
    - When nobody has asked for a while pulses are late, not lost, and never come in a burst: they catch up.
      Clicks that late are left out.

    Args:
        pulses: Whether anybody wants MIDI clock; without it there are clicks alone.
    """

    def __init__(self, *, pulses: bool = True) -> None:
        self._pulses = _Pulses() if pulses else None
        self._clicks = _Clicks()

    def keep(
        self,
        origin_s: float,
        beat_s: float,
        beats_per_bar: int,
        click_from_s: float,
        click_until_s: float,
        now_s: float,
    ) -> None:
        """The beats are like this from now on.

        Args:
            origin_s: A beat that begins a bar.
            beat_s: From one beat to the next; 0: there is no tempo any more.
            beats_per_bar: Beats of each bar.
            click_from_s: The beats from then on click,
            click_until_s: and those before then; up to ``click_from_s``: none does.
            now_s: When that is said.

        Raises:
            ValueError: ``beat_s`` is below 0, or ``beats_per_bar`` below 1.
        """
        if beat_s < 0 or beats_per_bar < 1:
            raise ValueError(f"no beats can be kept {beat_s} s apart, {beats_per_bar} a bar")
        beats = _Steps(origin_s, beat_s, beats_per_bar) if beat_s else None
        self._clicks.keep(beats, click_from_s, click_until_s, now_s)
        if self._pulses is not None:
            each_s = beat_s / PULSES_A_BEAT
            is_clock = 0 < each_s <= LONGEST_S
            steps = _Steps(origin_s, each_s, beats_per_bar * PULSES_A_BEAT) if is_clock else None
            self._pulses.keep(steps, now_s)

    def stop(self, now_s: float) -> None:
        """There is no tempo any more, and nothing clicks; a Stop that is owed is due at once."""
        self.keep(0.0, 0.0, 1, 0.0, 0.0, now_s)

    @property
    def running(self) -> bool:
        """Whether Start has been sent, and no Stop since."""
        return self._pulses is not None and self._pulses.running

    def next_deadline_s(self) -> float | None:
        """When something is due next; None when nothing is."""
        times = [self._clicks.next_s, None if self._pulses is None else self._pulses.deadline_s]
        return min((at_s for at_s in times if at_s is not None), default=None)

    def due(self, now_s: float) -> list[Tick]:
        """What is due by now, in order; each is returned once."""
        ticks = [] if self._pulses is None else self._pulses.due(now_s)
        return ticks + self._clicks.due(now_s)


class _Pulses:
    """Of MIDI clock; see `Timekeeper`."""

    def __init__(self) -> None:
        self._steps: _Steps | None = None
        self._number = 0
        self._next_s = 0.0
        self._last_s = -math.inf
        self._owed: list[Tick] = []
        self.running = False

    def keep(self, steps: _Steps | None, now_s: float) -> None:
        before, self._steps = self._steps, steps
        if steps is None:
            self._stop(now_s)
        elif before is None:
            self._begin(steps, now_s)
        else:
            bars = round((steps.place(self._next_s) - self._number) / steps.a_bar)
            self._number += bars * steps.a_bar
            if before.a_bar != steps.a_bar or self._is_off(steps, self._next_s):
                self._jump(steps, now_s)
            else:
                self._next_s = max(now_s, self._softly_s(steps))

    @property
    def deadline_s(self) -> float | None:
        if self._owed:
            return self._owed[0].at_s
        if self._steps is None:
            return None
        return self._next_s - START_BEFORE_S if self._wants_start else self._next_s

    def due(self, now_s: float) -> list[Tick]:
        ticks, self._owed = self._owed, []
        if self._steps is None:
            return ticks
        if self._wants_start and now_s >= self._next_s - START_BEFORE_S:
            ticks.append(Tick("start", self._next_s - START_BEFORE_S))
            self.running = True
        if now_s >= self._next_s:
            ticks.append(Tick("pulse", self._next_s))
            self._pass(self._steps, now_s)
        return ticks

    @property
    def _wants_start(self) -> bool:
        return self._steps is not None and not self.running and self._number % self._steps.a_bar == 0

    def _pass(self, steps: _Steps, now_s: float) -> None:
        is_late = now_s - self._next_s > steps.each_s / 2
        self._last_s = now_s if is_late else self._next_s
        self._number += 1
        self._next_s = self._softly_s(steps)
        if self._is_off(steps, self._next_s):
            self._jump(steps, now_s)

    def _softly_s(self, steps: _Steps) -> float:
        """When the next pulse comes: nearer to where it should than the last was."""
        if self._last_s == -math.inf:
            return steps.time_s(self._number)
        off_s = steps.time_s(self._number - 1) - self._last_s
        if abs(off_s) <= _AT_ONCE_S:
            return steps.time_s(self._number)
        most_s = _MOST * steps.each_s
        return self._last_s + steps.each_s + max(-most_s, min(most_s, off_s / _SOFTLY))

    def _is_off(self, steps: _Steps, at_s: float) -> bool:
        return abs(steps.place(at_s) - self._number) > _JUMP

    def _jump(self, steps: _Steps, now_s: float) -> None:
        self._stop(now_s)
        self._begin(steps, now_s)

    def _stop(self, now_s: float) -> None:
        if self.running:
            self._owed.append(Tick("stop", now_s))
        self.running = False

    def _begin(self, steps: _Steps, now_s: float) -> None:
        passed = steps.bar_line_just_passed(now_s)
        if passed is not None and now_s - self._last_s > steps.each_s:
            self._number, self._next_s = passed, max(steps.time_s(passed), now_s + START_BEFORE_S)
            return
        self._number = steps.from_s(max(now_s, self._last_s + steps.each_s / 2))
        self._next_s = steps.time_s(self._number)


class _Clicks:
    """Of the metronome; see `Timekeeper`."""

    def __init__(self) -> None:
        self._beats: _Steps | None = None
        self._from_s = self._until_s = 0.0
        self._last_s = -math.inf

    def keep(self, beats: _Steps | None, from_s: float, until_s: float, now_s: float) -> None:
        self._beats, self._until_s = beats, until_s
        self._from_s = max(from_s, now_s - MISSED_S)

    @property
    def next_s(self) -> float | None:
        number = self._next
        return None if number is None or self._beats is None else self._beats.time_s(number)

    @property
    def _next(self) -> int | None:
        if self._beats is None:
            return None
        # A beat that a correction has moved on does not click twice.
        number = self._beats.from_s(max(self._from_s, self._last_s + self._beats.each_s / 2))
        return number if self._beats.time_s(number) < self._until_s - _PLACE else None

    def due(self, now_s: float) -> list[Tick]:
        ticks = []
        while (number := self._next) is not None and self._beats is not None:
            at_s = self._beats.time_s(number)
            if at_s > now_s:
                break
            self._last_s = at_s
            if now_s - at_s <= MISSED_S:
                ticks.append(Tick("click", at_s, number % self._beats.a_bar == 0))
        return ticks
