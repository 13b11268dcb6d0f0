"""What the modes have in common in which improv has no turn that anything could be told of."""

from __future__ import annotations

from improv_daemon.partner.background import Background
from improv_daemon.partner.policy import Ensemble
from improv_daemon.wire import Command, Event


class Attending:
    """improv goes by the player alone; of itself it only makes its memory anew.

    Args:
        ensemble: Who plays.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self._all = ensemble
        self._background = Background(ensemble)

    def told(self, event: Event, now_s: float) -> list[Command]:
        """What is sent is sent."""
        return []

    def hand_over(self, now_s: float) -> list[Command]:
        """There is no turn to hand over."""
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
