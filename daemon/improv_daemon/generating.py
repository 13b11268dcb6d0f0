"""``improv generate``: a continuation of a MIDI file, written to another."""

from __future__ import annotations

from pathlib import Path

from improv_core.continuation import continue_for, hear
from improv_core.midi_files import Track, read_performance, write_midi
from improv_daemon.building import improviser_of
from improv_daemon.cli_progress import progress_bar
from improv_daemon.models import load_model
from improv_daemon.partner import new_seed
from improv_daemon.settings import Settings


def generate(seed_file: Path, out: Path, settings: Settings, length_s: float) -> None:
    """Write what improv plays after hearing ``seed_file``, without the seed, from time zero.

    Raises:
        MidiFileError: The seed file cannot be used.
        ModelFileError: The model cannot be used.
        StorageError: The output cannot be written.
    """
    performance = read_performance(seed_file)
    improviser = improviser_of(settings, load_model(settings.model), settings.seed or new_seed())
    end_s = hear(improviser, performance)
    with progress_bar("Playing on") as progress:
        continuation = continue_for(
            improviser, end_s, length_s, max_gap_s=settings.answer.max_gap_s, progress=progress
        )
    write_midi(out, [Track("improv", continuation)])
