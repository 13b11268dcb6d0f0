"""What a model begins from when nothing is named: openings of pieces that it was trained on."""

from __future__ import annotations

from typing import Final

import numpy as np

from improv_core.errors import ModelFileError
from improv_core.model import Model
from improv_core.notes import SUSTAIN_CONTROLLER, ControlChange, Note, Performance

_OPENING_KEY: Final = 1 << 33
"""Keys the choice of an opening apart from what is drawn after it."""


def random_opening(model: Model, seed: int) -> Performance | None:
    """One of the openings of training pieces in a model file; None where it carries none.

    Raises:
        ModelFileError: They cannot be read.
    """
    openings = model.metadata.get("openings")
    if not openings:
        return None
    try:
        chosen = int(np.random.default_rng((seed, _OPENING_KEY)).integers(len(openings)))
        rows = np.array(openings[chosen], dtype=np.int64).reshape(-1, 5)
        return _performance(rows[:, 0].cumsum() / 1000, rows[:, 1:])
    except (ValueError, TypeError, KeyError) as error:
        raise ModelFileError(
            f"The model {model.name!r} carries openings that cannot be read; export it again."
        ) from error


def _performance(onset_s: np.ndarray, rows: np.ndarray) -> Performance:
    """Notes of (pedal, pitch, velocity, duration_ms), and the pedal as it is at each."""
    notes, pedal, down = [], [], 0
    for at_s, (pedal_down, pitch, velocity, duration_ms) in zip(onset_s.tolist(), rows.tolist(), strict=True):
        notes.append(Note(pitch, velocity, at_s, duration_ms / 1000))
        if pedal_down != down:
            down = pedal_down
            pedal.append(ControlChange(SUSTAIN_CONTROLLER, 127 * down, at_s))
    return Performance.of(notes, pedal)
