"""Where in the beat notes come."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from improv_core.representation import Notes, Pulse
from improv_core.representation.binning import IntArray
from improv_core.representation.steps import BEAT_TICKS
from improv_training.evaluation.conditioning.answers import Answer

PLACES: Final = 24


def places_in_beat(answer: Answer, pulse: Pulse) -> IntArray:
    """How many onsets come at each 24th of a beat, (24,).

    Args:
        answer: The notes.
        pulse: Where the beats are, on the call's clock.
    """
    onset_ms = answer.begins_ms + answer.notes.onset_ms
    return _counted((onset_ms - pulse.origin_ms) * PLACES / pulse.beat_ms)


def places_of_setting(notes: Notes) -> IntArray:
    """The same of notes whose beats are known, as far as they are."""
    if notes.setting is None:
        return np.zeros(PLACES, dtype=np.int64)
    known = notes.setting.beat_ms > 0
    return _counted(notes.setting.beat_ticks[known] * PLACES / BEAT_TICKS)


def _counted(places: NDArray[np.floating]) -> IntArray:
    return np.bincount(np.floor(places + 0.5).astype(np.int64) % PLACES, minlength=PLACES)
