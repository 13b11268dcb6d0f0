"""``improv generate``: a continuation of a MIDI file, or of an opening of the model's, written to another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from improv_core.continuation import continue_for, hear
from improv_core.errors import ModelFileError
from improv_core.midi_files import Track, read_performance, write_midi
from improv_core.model import Model
from improv_core.notes import SUSTAIN_CONTROLLER, ControlChange, Note, Performance
from improv_daemon.building import improviser_of
from improv_daemon.cli_progress import progress_bar
from improv_daemon.models import borrowing, load_model
from improv_daemon.partner import new_seed
from improv_daemon.settings import Settings

_OPENING_KEY: Final = 1 << 33
"""Keys the choice of an opening apart from what is drawn after it."""


def generate(
    seed_file: Path | None,
    out: Path,
    settings: Settings,
    length_s: float,
    say: Callable[[str], None] = lambda sentence: None,
) -> None:
    """Write what improv plays after hearing ``seed_file``, without the seed, from time zero.

    Args:
        seed_file: What to go on from; None: one of the openings that the model carries.
        out: Where to write.
        settings: Model, seed, sampling.
        length_s: How long to go on.
        say: Told what the model lacks.

    Raises:
        MidiFileError: The seed file cannot be used.
        ModelFileError: The model cannot be used, or not without a seed file.
        StorageError: The output cannot be written.
    """
    heard = None if seed_file is None else read_performance(seed_file)
    model = load_model(settings.model)
    seed = settings.seed or new_seed()
    improviser = improviser_of(settings, model, seed)
    end_s = hear(improviser, random_opening(model, seed) if heard is None else heard)
    if (sentence := borrowing(model)) is not None:
        say(sentence)
    with progress_bar("Playing on") as progress:
        continuation = continue_for(
            improviser, end_s, length_s, max_gap_s=settings.answer.max_gap_s, progress=progress
        )
    write_midi(out, [Track("improv", continuation)])


def random_opening(model: Model, seed: int) -> Performance:
    """One of the openings of training pieces in a model file.

    Raises:
        ModelFileError: It carries none, or none that can be read.
    """
    openings = model.metadata.get("openings")
    if not openings:
        raise ModelFileError(
            f"The model {model.name!r} carries no openings to begin from; name a MIDI file to go on from, "
            "as in improv generate SEED.mid -o OUT.mid."
        )
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
