"""Tap tempo: the beat that somebody taps with a key, a switch or the mouse; pure."""

from __future__ import annotations

import statistics
from collections import deque
from typing import Final

from improv_core.representation.asking import Pulse

TAPS: Final = 3
"""Fewer taps in a row are no tempo: one gap may be an accident."""

LONGEST_GAP_S: Final = 2.5
"""After a longer pause a tap begins anew; the tempo that was tapped holds until there is another."""

_SHORTEST_GAP_S: Final = 0.15  # a switch that bounces
_GAPS: Final = 5


class TapTempo:
    """The median of the latest gaps between taps; the first tap of a row is the first beat of a bar."""

    def __init__(self) -> None:
        self._gaps_s: deque[float] = deque(maxlen=_GAPS)
        self._last_s: float | None = None
        self._beats = 0
        self.pulse: Pulse | None = None
        """The beats as tapped last, the first tap of the row as origin; None before `TAPS` taps."""

    def tap(self, at_s: float) -> Pulse | None:
        """One tap; returns `pulse`."""
        gap_s = None if self._last_s is None else at_s - self._last_s
        if gap_s is not None and gap_s < _SHORTEST_GAP_S:
            return self.pulse
        if gap_s is None or gap_s > LONGEST_GAP_S:
            self._gaps_s.clear()
            self._beats = 0
        else:
            self._gaps_s.append(gap_s)
            self._beats += 1
        self._last_s = at_s
        if self._beats >= TAPS - 1:
            beat_s = statistics.median(self._gaps_s)
            self.pulse = Pulse((at_s - self._beats * beat_s) * 1e3, beat_s * 1e3)
        return self.pulse

    def clear(self) -> None:
        """Forget what was tapped."""
        self.pulse = self._last_s = None
