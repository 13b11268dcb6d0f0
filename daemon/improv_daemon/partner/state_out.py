"""How things stand, as controllers for lamps, displays and other programs; only what is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from improv_daemon.partner.notices import Phase
from improv_daemon.partner.policy import Ensemble
from improv_daemon.settings import MODES
from improv_daemon.wire import Command, SendControl

TURN: Final = {Phase.LISTENING: 0, Phase.YIELDING: 64, Phase.ANSWERING: 127, Phase.TOGETHER: 127}
"""What the controller for whose turn it is says."""


class StateOut:
    """Tells whose turn it is, and the mode by its number, when either changes.

    Args:
        ensemble: Whose settings say which controllers.
        phase: Who has the floor.
    """

    def __init__(self, ensemble: Ensemble, phase: Callable[[], Phase]) -> None:
        self._all = ensemble
        self._phase = phase
        self._told: dict[str, SendControl] = {}

    def commands(self, now_s: float) -> list[Command]:
        """What the stage has not been told yet."""
        new: list[Command] = []
        for what, control in self._stand():
            if self._told.get(what) != control:
                self._told[what] = control
                new.append(control)
        return new

    def _stand(self) -> Iterator[tuple[str, SendControl]]:
        controls = self._all.settings.controls
        if controls.state_turn:
            yield "turn", SendControl(controls.state_turn, TURN[self._phase()])
        if controls.state_mode:
            yield "mode", SendControl(controls.state_mode, MODES.index(self._all.settings.mode))

    def next_wakeup_s(self) -> float | None:
        """Only an event, or what the policy does, can change it."""
        return None
