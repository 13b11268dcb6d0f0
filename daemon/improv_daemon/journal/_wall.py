"""The clock on the wall, beside the one that the mind goes by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

_SHIFT_S: Final = 0.05
_EVERY_S: Final = 60.0


class Wall:
    """Tells the time on the wall from the mind's, and where that is no longer as it was told.

    Args:
        started_at: What it said; a naive time is taken as local.
        now_s: The mind's time of the same moment (monotonic seconds).
        wall: Seconds since 1970.
        clock: Monotonic seconds.
    """

    def __init__(
        self, started_at: datetime, now_s: float, wall: Callable[[], float], clock: Callable[[], float]
    ) -> None:
        self._started_at = started_at.astimezone() if started_at.tzinfo is None else started_at
        self._now_s, self._wall, self._clock = now_s, wall, clock
        self._ahead_s, self._told_s, self._told_at_s = wall() - clock(), 0.0, clock()

    def at(self, now_s: float) -> datetime:
        """What it says."""
        return self._started_at + timedelta(seconds=now_s - self._now_s + self._shift_s)

    def news(self, now_s: float) -> datetime | None:
        """What it says, where that does not follow from what was told, or was told long ago."""
        shift_s, clock_s = self._shift_s, self._clock()
        if abs(shift_s - self._told_s) < _SHIFT_S and clock_s - self._told_at_s < _EVERY_S:
            return None
        self._told_s, self._told_at_s = shift_s, clock_s
        return self.at(now_s)

    @property
    def _shift_s(self) -> float:
        return self._wall() - self._clock() - self._ahead_s
