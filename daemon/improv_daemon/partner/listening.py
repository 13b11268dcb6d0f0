"""Mode ``listen``: improv hears, remembers and records, and says nothing."""

from __future__ import annotations

from improv_daemon.partner.background import Background
from improv_daemon.partner.notices import Phase
from improv_daemon.partner.policy import Ensemble
from improv_daemon.wire import Command, Event, Played


class Listening:
    """Only listens.

    Args:
        ensemble: Who plays.
    """

    phase = Phase.LISTENING

    def __init__(self, ensemble: Ensemble) -> None:
        self._all = ensemble
        self._background = Background(ensemble)

    def played(self, event: Played, now_s: float) -> list[Command]:
        """Heard, and no more."""
        self._all.ears.take(event)
        return []

    def told(self, event: Event, now_s: float) -> list[Command]:
        """Nothing is planned of which anything could be told."""
        return []

    def hand_over(self, now_s: float) -> list[Command]:
        """Nothing is said all the same."""
        return []

    def next_wakeup_s(self) -> float | None:
        """When the memory wants to be made anew."""
        return self._background.next_wakeup_s()

    def wake(self, now_s: float) -> list[Command]:
        """Make the memory anew."""
        self._background.wake(now_s)
        return []

    def leave(self, now_s: float) -> list[Command]:
        """What was played here is no call for what comes next."""
        self._all.ears.begin()
        return []
