"""Mode ``listen``: improv hears, remembers and records, and says nothing."""

from __future__ import annotations

from improv_daemon.partner.attending import Attending
from improv_daemon.partner.notices import Phase
from improv_daemon.wire import Command, Played


class Listening(Attending):
    """Only listens.

    Args:
        ensemble: Who plays.
    """

    phase = Phase.LISTENING

    def played(self, event: Played, now_s: float) -> list[Command]:
        """Heard, and no more."""
        self._part_phrases(event)
        self._all.ears.take(event)
        return []
