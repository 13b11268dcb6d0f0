"""What the stage is told beside notes: voices, beats, how things stand. Each says a thing when it changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from improv_daemon.partner.notices import Phase
from improv_daemon.partner.policy import Ensemble
from improv_daemon.partner.state_out import StateOut
from improv_daemon.partner.timekeeping import Beats
from improv_daemon.partner.voices_out import VoicesOut
from improv_daemon.partner.withheld import Withheld
from improv_daemon.wire import Command


class Signal(Protocol):
    """Pure: it looks at the ensemble, and remembers what it has said."""

    def commands(self, now_s: float) -> list[Command]:
        """What the stage has not been told yet."""
        ...

    def next_wakeup_s(self) -> float | None:
        """When there may be something to say; None while only an event can change anything."""
        ...


def signals_of(ensemble: Ensemble, phase: Callable[[], Phase]) -> tuple[Signal, ...]:
    """All there are.

    Args:
        ensemble: Whose settings and beats they tell of.
        phase: Who has the floor.
    """
    return (
        Beats(ensemble),
        VoicesOut(ensemble),
        StateOut(ensemble, phase),
        Withheld(ensemble),
    )
