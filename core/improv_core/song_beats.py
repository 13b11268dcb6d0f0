"""Where the beats of a song were, from the whole of its MIDI clock afterwards; pure.

While it plays, `improv_core.clock.MidiClock` knows the pulses up to now. Afterwards a beat is placed by the
pulses on both sides of it, so that neither jitter nor a tempo that moves pushes it aside.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from improv_core.clock import PULSES_A_BEAT, PULSES_A_SIXTEENTH, SILENT_AFTER_S

ClockMessage = tuple[Sequence[int], float, str]
"""(bytes, when they came, from where)."""

_SONG_POSITION, _PULSE, _START, _CONTINUE, _STOP = _CLOCK = (0xF2, 0xF8, 0xFA, 0xFB, 0xFC)
_NEAR: Final = 7
_LOSS: Final = 0.25
_BURST: Final = 0.2
_SOON: Final = 0.5
_WINDOW: Final = PULSES_A_BEAT
"""A beat is placed by so many pulses before and after it."""

_LEAST_PULSES: Final = PULSES_A_BEAT // 2
"""A song that went on for no longer than this went nowhere."""

_CLEARLY: Final = 1.5
_LEAST_JITTER_S: Final = 0.0002

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SongBeats:
    """A song that goes on without a stop or a jump.

    Attributes:
        knots: (beat from the beginning of the song, when), both rising, at least two; straight between them.
        beats_per_bar: Bars count from beat 0.
    """

    knots: tuple[tuple[float, float], ...]
    beats_per_bar: int

    @property
    def start_s(self) -> float:
        """When it begins."""
        return self.knots[0][1]

    @property
    def end_s(self) -> float:
        """When it ends."""
        return self.knots[-1][1]

    def cut(self, from_s: float, until_s: float) -> SongBeats | None:
        """As much of it as lies between two moments; None where that is nothing."""
        within = [(beat, at_s) for beat, at_s in self.knots if from_s <= at_s < until_s]
        return SongBeats(tuple(within), self.beats_per_bar) if len(within) > 1 else None


def song_beats(messages: Iterable[ClockMessage], beats_per_bar: int) -> tuple[SongBeats, ...]:
    """The beats of a MIDI clock: one for each time that the song went on, in order.

    Start, stop, continue, song position, silence and several clocks mean what they do to `MidiClock`.

    Args:
        messages: All that came in; those that are not of the clock are ignored.
        beats_per_bar: MIDI clock does not say.
    """
    songs, number = [], 0
    for run in _runs(messages):
        at_s = np.array(run.pulses_s)
        numbers = (number if run.first is None else run.first) + _counted(at_s)
        number = int(numbers[-1]) + 1
        if len(at_s) >= _LEAST_PULSES:
            knots = _knots(np.stack([numbers, at_s], axis=1))
            songs.append(SongBeats(tuple(knots), beats_per_bar))
    return tuple(songs)


@dataclass(slots=True)
class _Run:
    """Pulses that follow one another.

    Attributes:
        first: The number of the first, from the beginning of the song; None: it goes on where it was.
        pulses_s: When they came.
    """

    first: int | None
    pulses_s: list[float] = field(default_factory=list)


class _Transport:
    """Starts, stops and places the song of the clock that is followed."""

    def __init__(self) -> None:
        self._source = ""
        self._heard_s = self._pulse_s = -math.inf
        self._runs_on: bool | None = None  # None: nobody has said yet, and the first pulse will
        self._next: int | None = 0
        self.runs: list[_Run] = []
        self._begins = True

    def take(self, data: Sequence[int], at_s: float, source: str) -> None:
        if source != self._source and at_s - self._heard_s <= SILENT_AFTER_S:
            return
        self._source, self._heard_s = source, max(self._heard_s, at_s)
        if data[0] == _PULSE:
            self._pulse(at_s)
            return
        self._begins = True
        if data[0] == _SONG_POSITION:
            self._next = (data[1] | data[2] << 7) * PULSES_A_SIXTEENTH
            self._runs_on = self._runs_on or False
        else:
            self._runs_on = data[0] != _STOP
            self._next = 0 if data[0] == _START else self._next

    def _pulse(self, at_s: float) -> None:
        if self._runs_on is None:
            self._runs_on = True
        if self._runs_on and at_s > self._pulse_s:
            if self._begins or at_s - self._pulse_s > SILENT_AFTER_S:
                self.runs.append(_Run(self._next))
                self._next, self._begins = None, False
            self.runs[-1].pulses_s.append(at_s)
            self._pulse_s = at_s


def _runs(messages: Iterable[ClockMessage]) -> list[_Run]:
    transport = _Transport()
    for data, at_s, source in messages:
        if data and data[0] in _CLOCK:
            transport.take(data, at_s, source)
    return transport.runs


def _counted(at_s: FloatArray) -> FloatArray:
    """The pulses' numbers, the first 0, with those that were lost.

    Where the time to the one before is too long, some were lost unless those that follow come as much sooner:
    then it was only late, as when a computer stood still for a moment.
    """
    gaps = np.diff(at_s)
    if len(gaps) < _LEAST_PULSES:
        return np.arange(len(at_s), dtype=np.float64)
    each_s = _usual(gaps)
    with_next = gaps + np.append(gaps[1:], gaps[-1])
    with_last = gaps + np.append(gaps[:1], gaps[:-1])
    is_long = (gaps > 1.5 * each_s) & (with_next > 2.5 * each_s) & (with_last > 2.5 * each_s)
    steps = np.ones(len(gaps))
    for i in np.flatnonzero(is_long):
        end = i + 1
        while end < len(gaps) and gaps[end] < _SOON * each_s[i]:
            end += 1
        stretch, usual_s = gaps[i : i + 1], each_s[i]
        if end > i + 1:
            stretch, usual_s = (
                gaps[i : end + 1],
                np.median(gaps[max(0, i - PULSES_A_BEAT) : i + PULSES_A_BEAT]),
            )
        steps[i] += max(0.0, np.rint(stretch.sum() / usual_s) - len(stretch))
    return np.concatenate(([0.0], np.cumsum(steps)))


def _usual(gaps: FloatArray) -> FloatArray:
    """For each gap the usual one just before or just after it, whichever says more of it."""
    padded = np.concatenate((np.full(_NEAR, np.nan), gaps, np.full(_NEAR, np.nan)))
    medians = np.nanmedian(sliding_window_view(padded, _NEAR)[1:-1], axis=1)  # none is of nothing but padding
    before, after = medians[: len(gaps) - 1], medians[_NEAR:]
    before, after = np.append(after[:1], before), np.append(after, before[-1:])
    # Pulses that were late come in a burst, which is no tempo.
    tempo = np.concatenate([np.full(len(part), np.median(part)) for part in _parts(gaps)])
    before = np.where(before < _BURST * tempo, tempo, before)
    after = np.where(after < _BURST * tempo, tempo, after)

    def unlike(each_s: FloatArray) -> FloatArray:
        times = np.maximum(1.0, np.rint(gaps / each_s))
        off: FloatArray = np.abs(gaps - times * each_s) + _LOSS * (times - 1.0) * each_s
        return off

    usual: FloatArray = np.where(unlike(before) < unlike(after), before, after)
    return usual


def _parts(gaps: FloatArray) -> list[FloatArray]:
    """Some two beats each."""
    return np.array_split(gaps, max(1, len(gaps) // (2 * PULSES_A_BEAT)))


def _knots(pulses: FloatArray) -> Iterator[tuple[float, float]]:
    """Its ends and every whole beat between."""
    numbers = pulses[:, 0]
    first, last = float(numbers[0]), float(numbers[-1])
    whole = np.arange(np.floor(first / PULSES_A_BEAT) + 1, np.ceil(last / PULSES_A_BEAT)) * PULSES_A_BEAT
    before_s = float("-inf")
    for number in (first, *whole.tolist(), last):
        at_s = _placed(pulses, number)
        if at_s > before_s:
            before_s = at_s
            yield number / PULSES_A_BEAT, at_s


def _placed(pulses: FloatArray, number: float) -> float:
    """When a pulse was due by the straight line through those around it.

    Where the tempo leaps, the pulses of one side tell more: those that lie on a line.
    """
    reach = [(number - _WINDOW, number + _WINDOW), (number - _WINDOW, number), (number, number + _WINDOW)]
    both, *sides = (_fit(pulses, number, *ends) for ends in reach)
    if both is None:
        return float(np.interp(number, *pulses.T))
    best = min((fit for fit in sides if fit is not None), key=lambda fit: fit[1], default=both)
    return best[0] if both[1] > max(_CLEARLY * best[1], _LEAST_JITTER_S) else both[0]


def _fit(pulses: FloatArray, number: float, first: float, last: float) -> tuple[float, float] | None:
    """Time at a number by the pulses between two, and how far these are off it; None for too few of them."""
    begin, end = np.searchsorted(pulses[:, 0], (first, last + 0.5))
    some = pulses[begin:end]
    if len(some) < _LEAST_PULSES:
        return None
    aside, at_s = some[:, 0] - number, some[:, 1]
    middle, mean_s = float(aside.mean()), float(at_s.mean())
    each_s = float((aside - middle) @ (at_s - mean_s)) / float((aside - middle) @ (aside - middle))
    rest_s = at_s - mean_s - each_s * (aside - middle)
    return mean_s - each_s * middle, float(np.sqrt((rest_s @ rest_s) / (len(some) - 2)))
