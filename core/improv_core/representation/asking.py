"""What is asked of the notes to come, and what is known of those that were played, beside the notes.

Each wish has a class of its own for 'free': a model is trained with every one left out at random, so that it
plays with none, with any and with all of them. Who is to play is always told.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

from improv_core.notes import Part
from improv_core.representation.binning import IntArray
from improv_core.representation.steps import BEAT_TICKS, KEYS, STYLES, Column

_Ticks = TypeVar("_Ticks", int, IntArray)

DENSITY_S: Final = 4.0
"""Density is how many notes a second come within so much time after the latest onset."""
_SPARSEST: Final = 0.5
_PER_OCTAVE: Final = 3
_DENSITIES: Final = 19

LEFT_MS: Final = (50, 150, 300, 500, 800, 1200, 2000, 3000, 5000, 8000, 12000)
"""Where the classes of what is left of a phrase begin, but for the first."""

_PHASES: Final = 24
_PERIODS: Final = 32
_SHORTEST_BEAT_MS, _LONGEST_BEAT_MS = 200, 2000
_PERIOD_MS: Final = tuple(
    math.ceil(_SHORTEST_BEAT_MS * (_LONGEST_BEAT_MS / _SHORTEST_BEAT_MS) ** (k / _PERIODS))
    for k in range(1, _PERIODS)
)
"""Where the classes of the beat's length begin, but for the first."""

COMPANY_NOTES: Final = 12
"""Both play at once where each of them has played one of so many latest notes."""

FREE_STYLE: Final = len(STYLES)
FREE_DENSITY: Final = _DENSITIES
FREE_LEFT: Final = len(LEFT_MS) + 1
ALONE: Final = KEYS
NO_PHASE: Final = _PHASES
NO_PERIOD: Final = _PERIODS

ASKED: Final = (
    Column("part", 2),
    Column("style", FREE_STYLE + 1),
    Column("density", FREE_DENSITY + 1),
    Column("left", FREE_LEFT + 1),
    Column("own", ALONE + 1),
)
"""What the heads are told of the note they are to predict.

``own`` is no wish: where both play at once it is the latest pitch of the one who is to play. Who has which
role follows from what was played as well, but a model would have to find two exclusive ors to see it.
"""

READ: Final = (("style", FREE_STYLE + 1), ("beat_phase", NO_PHASE + 1), ("beat_period", NO_PERIOD + 1))
"""What is read with a note."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """Where the beats are.

    Attributes:
        origin_ms: A beat.
        beat_ms: From one to the next.
    """

    origin_ms: float
    beat_ms: float

    def __post_init__(self) -> None:
        if not 0 < self.beat_ms < np.inf:
            raise ValueError(f"beat_ms must be above zero, got {self.beat_ms}")

    def ticks(self, at_ms: int) -> int:
        """Position in beats, `BEAT_TICKS` to each."""
        return round((at_ms - self.origin_ms) * BEAT_TICKS / self.beat_ms)


def density_class(notes_per_s: float | None) -> int:
    """A third of an octave each, from 0.5 to 32 notes a second; None: free."""
    if notes_per_s is None:
        return FREE_DENSITY
    return int(density_classes(np.array([notes_per_s]))[0])


def density_classes(notes_per_s: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> IntArray:
    """`density_class` of many."""
    steps = np.rint(_PER_OCTAVE * np.log2(np.maximum(notes_per_s, _SPARSEST) / _SPARSEST))
    classes: IntArray = np.minimum(steps.astype(np.int64), _DENSITIES - 1)
    return classes


def left_class(left_ms: float | None) -> int:
    """How long it still is from the latest onset to the last one of the phrase; None: free."""
    return FREE_LEFT if left_ms is None else bisect_right(LEFT_MS, left_ms)


def left_classes(left_ms: IntArray) -> IntArray:
    """`left_class` of many."""
    return np.searchsorted(LEFT_MS, left_ms, side="right")


def style_class(style: str | None) -> int:
    """Its place among `STYLES`; None: free.

    Raises:
        ValueError: There is no such style.
    """
    if style is None:
        return FREE_STYLE
    if style not in STYLES:
        raise ValueError(f"style must be one of {', '.join(STYLES)}, got {style!r}")
    return STYLES.index(style)


def beat_class(beat_ticks: int, beat_ms: int) -> tuple[int, int]:
    """`beat_classes` of one onset, for a note that has just been played."""
    if beat_ms <= 0:
        return NO_PHASE, NO_PERIOD
    return _phase(beat_ticks), bisect_right(_PERIOD_MS, beat_ms)


def beat_classes(beat_ticks: IntArray, beat_ms: IntArray) -> tuple[IntArray, IntArray]:
    """Where in its beat each onset is, to a 24th, and how long the beat is, in 32 steps from 0.2 to 2 s.

    Args:
        beat_ticks: Positions, `BEAT_TICKS` to a beat.
        beat_ms: Lengths of the beat; 0: unknown.
    """
    unknown, period = beat_ms <= 0, np.searchsorted(_PERIOD_MS, beat_ms, side="right")
    return np.where(unknown, NO_PHASE, _phase(beat_ticks)), np.where(unknown, NO_PERIOD, period)


def _phase(beat_ticks: _Ticks) -> _Ticks:
    return (beat_ticks * _PHASES + BEAT_TICKS // 2) // BEAT_TICKS % _PHASES


def free(count: int, part: IntArray | Part, style: str | None = None) -> IntArray:
    """What is asked of notes of which nothing is asked but who plays them, and perhaps the style.

    Args:
        count: n, how many notes.
        part: Who plays them, (n,) or one for all.
        style: One of `STYLES`.

    Returns:
        Shape (n, len(ASKED)).
    """
    asked = np.empty((count, len(ASKED)), dtype=np.int64)
    asked[:, 0] = part
    asked[:, 1:] = (style_class(style), FREE_DENSITY, FREE_LEFT, ALONE)
    return asked


def own_pitches(pitch: IntArray, played_by: IntArray, to_play: IntArray) -> IntArray:
    """For each note the latest pitch before it of the one who is to play, where both play at once; (n,).

    Args:
        pitch: Of each note, (n,).
        played_by: Who played it, (n,).
        to_play: Whose latest pitch is told, (n,): who plays the note, or who might.
    """
    place = np.arange(len(pitch))
    latest = np.stack([_latest_before(np.where(played_by == one, place, -1)) for one in Part])
    both = ((latest >= 0) & (place - latest <= COMPANY_NOTES)).all(axis=0)
    return np.where(both, pitch[latest[to_play, place]], ALONE) if len(pitch) else place


def _latest_before(place: IntArray) -> IntArray:
    return np.append(-1, np.maximum.accumulate(place)[:-1])
