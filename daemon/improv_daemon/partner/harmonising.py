"""Mode ``harmonise``: each note of the player's melody gets others, which end with it."""

from __future__ import annotations

from typing import Final

import numpy as np

from improv_core.harmony import Harmoniser
from improv_core.leaning import OUTSIDE_NATS, Leanings
from improv_core.melody_line import MelodyLine
from improv_core.notes import SUSTAIN_CONTROLLER
from improv_core.representation import KEYS
from improv_core.sampler import FloatArray
from improv_core.scales import OFF, outside
from improv_daemon.partner.attending import Attending
from improv_daemon.partner.ears import is_note_on
from improv_daemon.partner.notices import Drawn, Phase
from improv_daemon.partner.policy import Ensemble
from improv_daemon.wire import CancelTurn, Command, MovePedal, Played, PlayNote

LONGEST_S: Final = 60.0
"""A note whose key never comes up ends after so long."""

_ALL_SOUND_OFF: Final = 120
_ALL_NOTES_OFF: Final = 123


class Harmonising(Attending):
    """Notes with the player's: each key has a turn of its own, which is cancelled when it comes up.

    The player's pedal is improv's too. What improv adds is not read by the model, which goes by the player.

    Args:
        ensemble: Who plays.
    """

    phase = Phase.TOGETHER

    def __init__(self, ensemble: Ensemble) -> None:
        super().__init__(ensemble)
        self._harmoniser, self._line = Harmoniser(), MelodyLine()
        self._turns: dict[int, int] = {}
        self._pedal_s: float | None = None

    def played(self, event: Played, now_s: float) -> list[Command]:
        """A message of the player's."""
        self._part_phrases(event)
        self._all.ears.take(event)
        data = event.data
        if is_note_on(data):
            return [*self._let_go(data[1]), *self._harmonise(data[1], data[2], event.at_s)]
        if len(data) == 3 and data[0] & 0xF0 in (0x80, 0x90):
            return self._let_go(data[1])
        if len(data) == 3 and data[0] & 0xF0 == 0xB0:
            return self._control(data[1], data[2], event.at_s)
        return []

    def _harmonise(self, pitch: int, velocity: int, at_s: float) -> list[Command]:
        held = self._all.ears.turns.keys_down
        if not self._line.press(pitch, at_s, held):
            return []
        settings, improviser = self._all.settings, self._all.improviser
        beside = improviser.beside(self._all.ask())
        voices = self._harmoniser.choose(
            pitch,
            velocity,
            at_s,
            heads=beside.heads,
            projected=beside.projected,
            asked=beside.asked,
            held=held,
            heard=improviser.heard,
            voices=settings.harmonise.voices,
            side=settings.harmonise.side,
            lowest=settings.sampling.lowest_pitch,
            highest=settings.sampling.highest_pitch,
            scale_bias=self._scale_bias(),
        )
        if not voices:
            return []
        turn = self._turns[pitch] = self._all.next_turn()
        notes = (
            PlayNote(turn, index, voice, loudness, at_s, at_s + LONGEST_S)
            for index, (voice, loudness) in enumerate(voices)
        )
        for index in range(len(voices)):
            self._all.notify(Drawn(turn, index))
        return [*self._pedal_of_before(at_s), *notes]

    def _pedal_of_before(self, at_s: float) -> list[Command]:
        """The player's pedal was down already when the mode was chosen."""
        if self._pedal_s is not None or not any(n.pedal for n in self._all.improviser.heard[-1:]):
            return []
        return self._control(SUSTAIN_CONTROLLER, 127, at_s)

    def _scale_bias(self) -> FloatArray | None:
        if self._all.settings.sampling.scale == OFF:
            return None
        sampling = self._all.improviser.sampling
        scale = Leanings(sampling, self._all.improviser.heard).scale
        if scale is None:
            return None
        bias = np.zeros(KEYS)
        bias[outside(scale)] = -np.inf if sampling.scale_strict else OUTSIDE_NATS
        return bias

    def _let_go(self, pitch: int) -> list[Command]:
        turn = self._turns.pop(pitch, None)
        return [] if turn is None else [CancelTurn(turn)]

    def _control(self, controller: int, value: int, at_s: float) -> list[Command]:
        if controller == SUSTAIN_CONTROLLER:
            self._pedal_s = at_s if self._pedal_s is None else max(at_s, self._pedal_s)
            return [self._move_pedal(value, at_s)]
        if controller in (_ALL_SOUND_OFF, _ALL_NOTES_OFF):
            return self._let_go_of_all()
        return []

    def _move_pedal(self, value: int, at_s: float) -> MovePedal:
        # A turn of its own: one from before hundreds that are cancelled by now counts as cancelled too.
        return MovePedal(self._all.next_turn(), value, at_s)

    def _let_go_of_all(self) -> list[Command]:
        turns, self._turns = self._turns, {}
        return [CancelTurn(turn) for turn in turns.values()]

    def leave(self, now_s: float) -> list[Command]:
        """Everything that improv added ends, and its pedal comes up."""
        super().leave(now_s)
        return self._end(now_s)

    def rest(self, now_s: float) -> list[Command]:
        """Likewise."""
        super().rest(now_s)
        commands, self._pedal_s = self._end(now_s), None
        return commands

    def _end(self, now_s: float) -> list[Command]:
        foot = [] if self._pedal_s is None else [self._move_pedal(0, max(now_s, self._pedal_s))]
        return [*self._let_go_of_all(), *foot]
