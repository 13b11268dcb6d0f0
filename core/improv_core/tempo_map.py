"""Ticks of a MIDI file to seconds, and back."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DEFAULT_TEMPO_US_PER_BEAT = 500_000
SLOWEST_US_PER_BEAT = (1 << 24) - 1
"""A MIDI file knows no slower tempo: 3.6 beats a minute."""

_EXACT_FRAMES_PER_S = {29: 30_000 / 1001}
"""SMPTE's 29 stands for the drop-frame rate of television."""


@dataclass(frozen=True, slots=True)
class Conductor:
    """What the first track of a MIDI file says of its time.

    Attributes:
        tempos: (tick, microseconds per beat) by tick, the first at tick 0.
        signatures: (tick, beats per bar, note value of a beat) by tick; each begins a bar.
        markers: (tick, text) by tick.
    """

    tempos: tuple[tuple[int, int], ...]
    signatures: tuple[tuple[int, int, int], ...] = ((0, 4, 4),)
    markers: tuple[tuple[int, str], ...] = ()

    @classmethod
    def steady(cls, tempo_bpm: float) -> Conductor:
        """One tempo throughout, in bars of four."""
        return cls(((0, min(SLOWEST_US_PER_BEAT, round(60e6 / tempo_bpm))),))


class TempoMap:
    """Ticks to seconds through every tempo change of a file.

    Args:
        ticks_per_beat: The file's division; negative means SMPTE frames and ticks per frame.
        changes: (tick, microseconds per beat), in any order; of one tick the last counts.
        start_s: When tick 0 is.
    """

    def __init__(self, ticks_per_beat: int, changes: Iterable[tuple[int, int]], start_s: float = 0.0) -> None:
        if ticks_per_beat & 0xFF == 0 and ticks_per_beat <= 0:
            raise ValueError("a division of zero ticks")
        if ticks_per_beat < 0:  # SMPTE: high byte minus frames a second, low byte ticks a frame
            frames_per_s, ticks_per_frame = -(ticks_per_beat >> 8), ticks_per_beat & 0xFF
            self._ticks, self._seconds = [0], [start_s]
            self._s_per_tick = [1.0 / (_EXACT_FRAMES_PER_S.get(frames_per_s, frames_per_s) * ticks_per_frame)]
            return
        by_tick = {0: DEFAULT_TEMPO_US_PER_BEAT} | dict(changes)  # of one tick, the last that is written
        self._ticks = sorted(by_tick)
        self._s_per_tick = [by_tick[tick] / 1e6 / ticks_per_beat for tick in self._ticks]
        spans = [b - a for a, b in itertools.pairwise(self._ticks)]
        steps = (span * rate for span, rate in zip(spans, self._s_per_tick, strict=False))
        self._seconds = list(itertools.accumulate(steps, initial=start_s))

    def seconds(self, tick: int) -> float:
        """Seconds from the start of the file."""
        i = bisect.bisect_right(self._ticks, tick) - 1
        return self._seconds[i] + (tick - self._ticks[i]) * self._s_per_tick[i]

    def tick(self, at_s: float) -> int:
        """The tick nearest to a moment from the start of the file on."""
        i = max(0, bisect.bisect_right(self._seconds, at_s) - 1)
        return max(0, self._ticks[i] + round((at_s - self._seconds[i]) / self._s_per_tick[i]))

    def seconds_of(self, ticks: NDArray[np.int64]) -> NDArray[np.float64]:
        """`seconds` of many ticks, to the last bit."""
        begin = np.array(self._ticks, dtype=np.int64)
        i = np.searchsorted(begin, ticks, side="right") - 1
        since = (ticks - begin[i]) * np.array(self._s_per_tick)[i]
        seconds: NDArray[np.float64] = np.array(self._seconds)[i] + since
        return seconds
