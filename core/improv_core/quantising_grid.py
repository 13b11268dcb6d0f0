"""Moves onsets towards a grid of the beat, without moving the timeline they were drawn on; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from improv_core.representation.asking import Pulse

STEPS: Final = {"1/4": 1.0, "1/8": 1 / 2, "1/8t": 1 / 3, "1/16": 1 / 4, "1/16t": 1 / 6, "1/32": 1 / 8}
"""Name of a grid to its step in beats; t for triplets."""

CHORD_S: Final = 0.03
"""What is drawn within this of a chord's first note stays with it."""

_NOTHING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class QuantisingGrid:
    """Where onsets are to be.

    Attributes:
        pulse: The beats.
        step_beats: From one line of the grid to the next, in beats.
        strength: How far onsets are moved: 0 not at all, 1 all the way.
    """

    pulse: Pulse
    step_beats: float
    strength: float

    @property
    def step_s(self) -> float:
        """From one line to the next."""
        return self.pulse.beat_ms * self.step_beats / 1e3

    def nearest_s(self, at_s: float) -> float:
        """The line that is nearest."""
        origin_s = self.pulse.origin_ms / 1e3
        return origin_s + math.floor((at_s - origin_s) / self.step_s + 0.5) * self.step_s


@dataclass(frozen=True, slots=True)
class Quantiser:
    """Moves the onsets of a turn, one after the other; a value, so that one can go back to an earlier one.

    What comes out never goes back, and never lies before now. The notes of a chord go to the same line.

    Attributes:
        chord_s: Onset of the latest chord's first note, as drawn.
        line_s: The line that it belongs to.
        latest_s: What came out last.
    """

    chord_s: float = -math.inf
    line_s: float = -math.inf
    latest_s: float = -math.inf

    def moved(self, onset_s: float, grid: QuantisingGrid, now_s: float) -> tuple[Quantiser, float]:
        """The next onset of the timeline as it is drawn, at or after those before it.

        Returns:
            What to move the one after it with, and where this one is.
        """
        if 0 <= onset_s - self.chord_s <= CHORD_S:
            chord_s, line_s = self.chord_s, self.line_s
        else:
            chord_s, line_s = onset_s, self._line_s(onset_s, grid, now_s)
        at_s = onset_s + grid.strength * (line_s - onset_s)
        at_s = max(at_s, self.latest_s, now_s)
        return Quantiser(chord_s, line_s, at_s), at_s

    def _line_s(self, onset_s: float, grid: QuantisingGrid, now_s: float) -> float:
        """The nearest line at which a note can still be."""
        line_s = grid.nearest_s(onset_s)
        late_s = now_s - line_s
        return line_s + max(0, math.ceil(late_s / grid.step_s - _NOTHING)) * grid.step_s
