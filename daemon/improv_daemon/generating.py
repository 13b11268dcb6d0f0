"""``improv generate``: a continuation of a MIDI file, or of an opening of the model's, written to another."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from improv_core.continuation import continue_for, hear
from improv_core.errors import ModelFileError
from improv_core.improviser import Improviser
from improv_core.improvising import Ask
from improv_core.midi_files import WRITTEN_TEMPO_BPM, Track, read_performance, write_midi
from improv_core.model import Model
from improv_core.notes import SUSTAIN_CONTROLLER, ControlChange, Note, Performance
from improv_core.representation import Pulse
from improv_core.turns import Call
from improv_daemon.building import improviser_of
from improv_daemon.cli_progress import progress_bar
from improv_daemon.directions import ask_of, heeded, unheeded
from improv_daemon.models import borrowing, load_model
from improv_daemon.partner import new_seed
from improv_daemon.settings import Answer, Settings

_OPENING_KEY: Final = 1 << 33
"""Keys the choice of an opening apart from what is drawn after it."""


def generate(
    seed_file: Path | None,
    out: Path,
    settings: Settings,
    length_s: float,
    *,
    tempo_bpm: float | None = None,
    say: Callable[[str], None] = lambda sentence: None,
) -> None:
    """Write what improv plays after hearing ``seed_file``, without the seed, from time zero.

    Args:
        seed_file: What to go on from; None: one of the openings that the model carries.
        out: Where to write.
        settings: Model, seed, sampling, and what is asked of the notes.
        length_s: How long to go on.
        tempo_bpm: Beats a minute, the first note being on one; None: the model's own.
        say: Told what the model lacks, and what is asked in vain.

    Raises:
        MidiFileError: The seed file cannot be used.
        ModelFileError: The model cannot be used, or not without a seed file.
        StorageError: The output cannot be written.
    """
    heard = None if seed_file is None else read_performance(seed_file)
    model = load_model(settings.model)
    seed = settings.seed or new_seed()
    wanted, settings = settings.answer, dataclasses.replace(settings, answer=heeded(model, settings.answer))
    improviser = improviser_of(settings, model, seed)
    heard = random_opening(model, seed) if heard is None else heard
    begin_s = hear(improviser, heard)
    ask = ask_of(settings.answer, _as_call(heard))
    for sentence in _remarks(model, wanted, ask, tempo_bpm):
        say(sentence)
    max_wait_s = None
    if tempo_bpm is not None and model.beats and isinstance(improviser, Improviser):
        improviser.follow(Pulse(1000 * begin_s, 60_000 / tempo_bpm))
        max_wait_s = 0.0  # so that its first note is on a beat
    with progress_bar("Playing on") as progress:
        continuation = continue_for(
            improviser,
            begin_s,
            length_s,
            ask=ask,
            max_wait_s=max_wait_s,
            max_gap_s=settings.answer.max_gap_s,
            progress=progress,
        )
    write_midi(out, [Track("improv", continuation)], tempo_bpm or WRITTEN_TEMPO_BPM)


def _remarks(model: Model, answer: Answer, ask: Ask, tempo_bpm: float | None) -> Iterator[str]:
    if (lacking := borrowing(model)) is not None:
        yield lacking
    if (in_vain := unheeded(model, answer, tempo_bpm)) is not None:
        yield in_vain
    elif answer.density_ratio and ask.notes_per_s is None:
        yield "What it goes on from is too short to have a density, so improv is as dense as it likes."


def _as_call(heard: Performance) -> Call | None:
    """A performance as a turn of the player's, however long; None where it has no notes."""
    onsets_s = sorted(note.onset_s for note in heard.notes)
    return functools.reduce(Call.struck, onsets_s[1:], Call.begun(onsets_s[0])) if onsets_s else None


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
