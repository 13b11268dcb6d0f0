"""Where the beats of a piece are, by the ticks of its file or by annotations beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from improv_core.errors import DataError
from improv_core.representation.binning import IntArray
from improv_core.representation.steps import BEAT_TICKS
from improv_core.tempo_map import TempoMap

Beats = Literal["none", "ticks", "annotations"]
"""Where beats are known from: nowhere; the file's own ticks, for tempo maps that follow the performance; or
`ANNOTATIONS` beside each file, a line for each beat that begins with its time in seconds."""

BEATS: Final[tuple[Beats, ...]] = get_args(Beats)
ANNOTATIONS: Final = "beat_midi.txt"

_BAR: Final = 4
_SLOWEST_S: Final = 3.0
"""Longer than any beat: a gap between annotations, or a tempo that nobody set for its sake."""

_LARGEST_FILE: Final = 1 << 20
_LARGEST_TICK: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class BeatMap:
    """Seconds to beats, linear between some moments.

    Attributes:
        at_s: Shape (moments,), 2 at least, ascending.
        beat: Shape (moments,): the position in beats at each, ascending.
        reach: Beats before the first and after the last moment that are still told, at the nearest tempo.
    """

    at_s: NDArray[np.float64]
    beat: NDArray[np.float64]
    reach: float = np.inf

    def of(self, onset_s: NDArray[np.float64]) -> tuple[IntArray, IntArray]:
        """Where onsets are.

        Returns:
            Two arrays of the shape of ``onset_s``: positions, `BEAT_TICKS` to a beat, and lengths of the beat
            in milliseconds; both 0 where they are unknown.
        """
        beat_s = np.diff(self.at_s) / np.diff(self.beat)
        beat_s[(beat_s <= 0) | (beat_s > _SLOWEST_S)] = np.inf
        span = np.clip(np.searchsorted(self.at_s, onset_s, side="right") - 1, 0, len(beat_s) - 1)
        beat = self.beat[span] + (onset_s - self.at_s[span]) / beat_s[span]
        known = np.isfinite(beat_s)[span] & (np.abs(beat) * BEAT_TICKS < _LARGEST_TICK)
        known &= (beat >= self.beat[0] - self.reach) & (beat <= self.beat[-1] + self.reach)
        ticks, beat_ms = np.rint(beat * BEAT_TICKS), np.rint(beat_s[span] * 1000)
        return (
            np.where(known, ticks, 0).astype(np.int64),
            np.where(known, beat_ms, 0).astype(np.int64),
        )


def beats_of_ticks(division: int, changes: Iterable[tuple[int, int]]) -> BeatMap | None:
    """The beats that a file's tempo map follows; none where ticks are parts of a second.

    Args:
        division: Ticks to a beat; below zero, of SMPTE frames.
        changes: (tick, microseconds per beat), in the order of the file.
    """
    if division <= 0:
        return None
    changes = list(changes)
    tick = np.unique(np.array([0, *(at for at, _ in changes)], dtype=np.int64))
    tick = np.append(tick, tick[-1] + division)  # from which the last tempo is seen
    return BeatMap(TempoMap(division, changes).seconds_of(tick), tick / division)


def read_annotations(path: Path) -> BeatMap:
    """The beats of a file of annotations; a bar more before and after them.

    Raises:
        DataError: It cannot be read, or is no list of times that ascend.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
        if len(data) > _LARGEST_FILE:
            raise ValueError("it is far too large")
        lines = enumerate(data.splitlines(), start=1)
        at_s = np.array([_time_s(line, number) for number, line in lines if line.strip()])
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise DataError(f"{path} is no list of beats ({error})") from error
    if len(at_s) < 2:
        raise DataError(f"{path} is no list of beats (it has fewer than two)")
    if (falls := np.flatnonzero(np.diff(at_s) <= 0)).size:
        raise DataError(f"{path} is no list of beats (beat {falls[0] + 2} is not after the one before)")
    return BeatMap(at_s, _BAR + np.arange(len(at_s), dtype=np.float64), reach=_BAR)


def _time_s(line: bytes, number: int) -> float:
    try:
        at_s = float(line.split()[0])
    except ValueError:
        at_s = np.nan
    if not np.isfinite(at_s):
        raise ValueError(f"line {number} does not begin with a time in seconds")
    return at_s
