"""Where the notes of the last bars stand on a grid of cells; pure.

The roll does not crawl: notes stay where they are, and at a bar line (without a steady tempo, every two
seconds) all of it moves on by a bar. In silence it stands still.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from improv_daemon.screen.snapshot import RollNote, Tempo

COLUMN_S: Final = 0.125
"""Without a steady tempo a column is so many seconds."""

_PAGE_COLUMNS: Final = 16
_FINE, _COARSE = 4, 2  # columns of a beat
_LEAST_BARS: Final = 2
_OCTAVE: Final = 12
_KEYS: Final = 128
_EPSILON: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Cell:
    """Somebody's note; ``onset`` where it begins."""

    who: int
    onset: bool


@dataclass(frozen=True, slots=True)
class Roll:
    """The grid.

    Attributes:
        cells: Rows from the highest pitch down, columns from the past on; None where nothing sounds.
        bar_lines: Columns at which a bar begins.
        labels: Row to the name of the C in it.
    """

    cells: tuple[tuple[Cell | None, ...], ...]
    bar_lines: frozenset[int]
    labels: dict[int, str]


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns of time: column n is from ``origin_s + n * column_s`` on; ``page`` columns move together."""

    origin_s: float
    column_s: float
    page: int
    has_bars: bool

    @classmethod
    def of(cls, tempo: Tempo | None, columns: int) -> Grid:
        """The columns for a tempo, where there are so many of them; a page is never more than all."""
        if tempo is None or not tempo.steady or _COARSE * tempo.beats_per_bar > columns:
            return cls(0.0, COLUMN_S, min(_PAGE_COLUMNS, columns), has_bars=False)
        fine = columns // (_FINE * tempo.beats_per_bar) >= _LEAST_BARS
        parts = _FINE if fine else _COARSE
        return cls(tempo.origin_s, tempo.beat_s / parts, parts * tempo.beats_per_bar, has_bars=True)

    def column(self, at_s: float) -> int:
        """In which column that is."""
        return math.floor((at_s - self.origin_s) / self.column_s + _EPSILON)

    def page_end(self, at_s: float) -> int:
        """The first column after the page that this is in."""
        return (self.column(at_s) // self.page + 1) * self.page


def roll(notes: Sequence[RollNote], tempo: Tempo | None, *, rows: int, columns: int, now_s: float) -> Roll:
    """The notes of the last bars on a grid.

    Args:
        notes: The latest.
        tempo: For the bar lines.
        rows: How many there are; one or more keys each.
        columns: How many there are.
        now_s: What still sounds lasts until then.
    """
    grid = Grid.of(tempo, columns)
    first = grid.page_end(_head_s(notes, grid, now_s)) - columns
    lowest, keys = _keys(notes, rows)
    cells: list[list[Cell | None]] = [[None] * columns for _ in range(rows)]
    for who, pitch, onset_s, end_s in notes:
        begin = grid.column(onset_s) - first
        last = max(begin, grid.column((now_s if end_s is None else end_s) - _EPSILON) - first)
        row = cells[rows - 1 - (pitch - lowest) // keys]
        for column in range(max(0, begin), min(columns - 1, last) + 1):
            there = row[column]
            if there is None or column == begin or not there.onset:
                row[column] = Cell(who, column == begin)
    lines = range(-first % grid.page, columns, grid.page) if grid.has_bars else ()
    return Roll(tuple(map(tuple, cells)), frozenset(lines), _labels(lowest, keys, rows))


def _head_s(notes: Sequence[RollNote], grid: Grid, now_s: float) -> float:
    """How far the roll has come: not further than a page beyond the last note."""
    if not notes:
        return now_s
    last_s = max(now_s if end_s is None else end_s for _, _, _, end_s in notes)
    return min(now_s, last_s + grid.page * grid.column_s)


def _keys(notes: Sequence[RollNote], rows: int) -> tuple[int, int]:
    """The lowest key of the roll, and how many keys share a row."""
    pitches = [pitch for _, pitch, _, _ in notes] or [48, 71]
    low, high = min(pitches), max(pitches)
    keys = math.ceil((high - low + 1) / rows)
    span = keys * rows
    octave = low - low % _OCTAVE
    lowest = octave if high < octave + span else low - (span - (high - low + 1)) // 2
    return max(0, min(lowest, _KEYS - span)), keys


def _labels(lowest: int, keys: int, rows: int) -> dict[int, str]:
    every = max(1, math.ceil(keys * 4 / _OCTAVE))  # not closer than four rows
    found = {}
    for pitch in range(-(-lowest // _OCTAVE) * _OCTAVE, min(_KEYS, lowest + keys * rows), _OCTAVE * every):
        found[rows - 1 - (pitch - lowest) // keys] = f"C{pitch // _OCTAVE - 1}"
    return found
