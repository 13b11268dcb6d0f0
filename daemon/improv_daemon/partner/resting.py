"""What improv does while it is muted or something goes round: it listens and remembers, in any mode."""

from __future__ import annotations

from improv_daemon.partner.attending import Attending
from improv_daemon.partner.notices import Phase
from improv_daemon.wire import Command, Played


class Resting(Attending):
    """Stands in for the mode.

    Args:
        ensemble: Who plays.
    """

    phase = Phase.LISTENING

    def played(self, event: Played, now_s: float) -> list[Command]:
        """Heard, and no more."""
        self._part_phrases(event)
        self._all.ears.take(event)
        return []

    def stop(self) -> None:
        """The mode goes on."""
        self._background.abandon()
