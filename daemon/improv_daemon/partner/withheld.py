"""What of the player's is meant for improv and so goes on to no output, for the stage."""

from __future__ import annotations

from typing import Final

from improv_core.withholding import place_of
from improv_daemon.controls import CUES
from improv_daemon.partner.policy import Ensemble
from improv_daemon.settings import Controls
from improv_daemon.settings.knob_texts import bindings_of
from improv_daemon.wire import Command, Withhold

_NOTHING: Final = Withhold((), (), programs=False)


class Withheld:
    """Tells the stage which controllers, keys and programs are gestures, knobs and presets.

    Args:
        ensemble: Whose settings say so.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self._all = ensemble
        self._controls = Controls()
        self._told = _NOTHING

    def commands(self, now_s: float) -> list[Command]:
        """Once when the settings of controls have become others."""
        controls = self._all.settings.controls
        if controls == self._controls:
            return []
        self._controls = controls
        withhold = _of(controls)
        if withhold == self._told:
            return []
        self._told = withhold
        return [withhold]

    def next_wakeup_s(self) -> float | None:
        """Only a change of the settings can change it."""
        return None


def _of(controls: Controls) -> Withhold:
    gestures = [getattr(controls, cue).split() for cue in CUES]
    knobs = bindings_of(controls.knobs)
    places = {place_of(int(one[1])) for one in gestures if one and one[0] == "cc"}
    places |= {place_of(knob.controller, knob.channel or 0) for knob in knobs}
    keys = {int(one[1]) for one in gestures if one and one[0] == "note"}
    return Withhold(tuple(sorted(places)), tuple(sorted(keys)), programs=controls.presets_by_program)
