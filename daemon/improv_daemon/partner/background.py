"""What improv does while nothing is due: the memory is made anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from improv_daemon.partner.policy import Ensemble

CHUNK_EVERY_S: Final = 0.03
"""Between two chunks of work there is so much time for everything else."""


class Background:
    """Makes the state anew from the window, a chunk now and then, while the player plays.

    Args:
        ensemble: Whose improviser.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self._all = ensemble
        self._rebuilding: Iterator[None] | None = None
        self._next_s = 0.0

    def next_wakeup_s(self) -> float | None:
        """When there is a chunk to be done; None while the memory needs nothing."""
        if self._rebuilding is None and not self._all.improviser.outgrown:
            return None
        return self._next_s

    def wake(self, now_s: float) -> None:
        """Do a chunk, if one is due."""
        at_s = self.next_wakeup_s()
        if at_s is None or now_s < at_s:
            return
        self._rebuilding = self._rebuilding or self._all.improviser.rebuild()
        self._next_s = now_s + CHUNK_EVERY_S
        if next(self._rebuilding, self) is self:
            self._rebuilding = None

    def abandon(self) -> None:
        """A turn of improv's begins: what is not done by now is begun again later."""
        self._rebuilding = None
