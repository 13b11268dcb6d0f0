"""What the modes have in common in which improv has no turn that anything could be told of."""

from __future__ import annotations

from typing import Final

from improv_daemon.partner.background import Background
from improv_daemon.partner.ears import is_note_on
from improv_daemon.partner.policy import Ensemble
from improv_daemon.wire import Command, Event, Played

NO_ANSWERS: Final = "In mode {mode} I give no answers, so there can be no other one."


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

    def _part_phrases(self, event: Played) -> None:
        """A note after a silence in which a turn would have ended is the first of another phrase."""
        deadline_s = self._all.ears.turns.deadline_s()
        if is_note_on(event.data) and deadline_s is not None and event.at_s > deadline_s:
            self._all.ears.begin()

    def another(self, now_s: float) -> list[Command]:
        """There is no answer."""
        return self._all.say(NO_ANSWERS.format(mode=self._all.settings.mode))

    def rest(self, now_s: float) -> list[Command]:
        """It does nothing of itself."""
        self._background.abandon()
        return []

    def resume(self, now_s: float) -> None:
        """It goes by the player."""

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
