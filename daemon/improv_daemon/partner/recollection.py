"""Phrases of the player's that improv takes up again, minutes later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from improv_core.heard import HeardNote
from improv_core.notes import Part
from improv_core.recall import Idea, varied
from improv_core.turns import Call
from improv_daemon.partner.policy import Ensemble

_KEY: Final = 1 << 41
"""Keys these choices apart from those of the improviser, see `improv_core.seed_window`."""


class Recollection:
    """Keeps every call, and now and then begins an answer with an old one.

    Args:
        ensemble: Whose player.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self._all = ensemble

    def idea(self, turn: int, call: Call, now_s: float, length_s: float) -> Sequence[Idea]:
        """What the answer to a call begins with; nothing, most of the time. The call is kept for later.

        Args:
            turn: Keys the choice, with the seed.
            call: That is to be answered.
            now_s: When.
            length_s: Of the answer.
        """
        notes = self._notes(call)
        self._all.phrases.mark(turn)
        dice = np.random.default_rng((self._all.seed, turn, _KEY))
        idea: Sequence[Idea] = ()
        if dice.random() < self._all.settings.memory.recall:
            phrase = self._all.phrases.choose(now_s, dice)
            if phrase is not None:
                sampling = self._all.settings.sampling
                idea = varied(
                    phrase.ideas,
                    dice,
                    call=notes,
                    lowest_pitch=sampling.lowest_pitch,
                    highest_pitch=sampling.highest_pitch,
                    longest_s=length_s,
                )
        self._all.phrases.keep(notes)
        return idea

    def _notes(self, call: Call) -> list[HeardNote]:
        return [
            note
            for note in self._all.improviser.heard
            if note.part is Part.PLAYER and note.onset_s >= call.first_onset_s
        ]
