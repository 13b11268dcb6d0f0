"""Where an answer ends: with the note, or the chord, that reaches its planned end."""

from __future__ import annotations

from typing import Final

from improv_core.notes import FINGERS
from improv_core.representation import to_ms
from improv_core.representation.asking import LEFT_MS

CLOSE_S: Final = 0.75
"""The last onset comes no later than this after the planned end: a model seldom lands on it exactly."""

REACHED_S: Final = LEFT_MS[0] / 1000
"""With less than this left a model is told that nothing is left; what comes within it is one chord."""

CLOSING_NOTES: Final = FINGERS
"""Of a closing chord, at most: no model can draw one without end."""

_ANY_GAP_S: Final = 10.0


class Closing:
    """Says of each note of an answer, as it is drawn, whether it still belongs to it.

    It ends with the first note that reaches the planned end, or comes up to `CLOSE_S` after it, and with the
    notes that are struck together with that one. A model that was never told how much is left is held to the
    same: its answers then merely end where they come to the planned end.

    Args:
        length_s: The planned end, from the first onset.
        max_gap_s: Longest inter-onset interval within the answer.

    Attributes:
        length_s: As it was given.
    """

    def __init__(self, length_s: float, max_gap_s: float) -> None:
        self.length_s, self._max_gap_s = length_s, max_gap_s
        self._end_s: float | None = None
        self._closing_s: float | None = None
        self._closing_notes = 0

    @property
    def gap_s(self) -> float:
        """How long after the latest note the next one may be drawn.

        Once the end is reached it may be as late as the model likes, since it closes the answer: what is cut
        off there would come back as notes of the last chord.
        """
        return self._max_gap_s if self._closing_s is None else _ANY_GAP_S

    def end_by(self, at_s: float) -> float | None:
        """Bring the planned end forward.

        Returns:
            The new length from the first onset; None where it cannot be sooner, or nothing has begun.
        """
        if self._end_s is None or self._closing_s is not None or at_s >= self._end_s:
            return None
        self.length_s = max(0.0, self.length_s - (self._end_s - at_s))
        self._end_s = at_s
        return self.length_s

    def takes(self, onset_s: float) -> bool:
        """Whether the note that was drawn next belongs to the answer; if not, the answer is over."""
        if self._closing_s is not None:
            self._closing_notes += 1
            return self._closing_notes <= CLOSING_NOTES and _is_nothing(onset_s - self._closing_s)
        if self._end_s is None:
            self._end_s = onset_s + self.length_s
        if onset_s > self._end_s + CLOSE_S:
            return False
        if _is_nothing(self._end_s - onset_s):
            self._closing_s, self._closing_notes = onset_s, 1
        return True


def _is_nothing(left_s: float) -> bool:
    # Counted as the model is told it: by floats, 50 ms would be less than 50 ms half of the time.
    return to_ms(left_s) < LEFT_MS[0]
