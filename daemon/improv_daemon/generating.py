"""``improv generate``: what improv plays after a file, a session, an opening of its model's, or nothing."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator

from improv_core.continuation import hear, plan_for, plan_notes
from improv_core.excerpts import cut
from improv_core.improviser import Improviser
from improv_core.improvising import Ask, Improvising, PlannedNote
from improv_core.metre import Metre
from improv_core.midi_files import Track
from improv_core.model import Model
from improv_core.notes import Performance
from improv_core.representation import Pulse
from improv_core.turns import Call
from improv_daemon.building import improviser_of
from improv_daemon.compositions import Composition, Wanted, alone, joined, write
from improv_daemon.directions import ask_of, heeded, unheeded
from improv_daemon.models import borrowing
from improv_daemon.openings import random_opening
from improv_daemon.priming import remembered
from improv_daemon.seed_beats import end_of, metre_of
from improv_daemon.seeds import NOTHING, Seed
from improv_daemon.settings import Answer, Settings

__all__ = ["NOTHING", "Composition", "Wanted", "compose", "write"]


def compose(
    seed: Seed,
    settings: Settings,
    wanted: Wanted,
    *,
    model: Model,
    dice: int,
    say: Callable[[str], None] = lambda sentence: None,
    progress: Callable[[float], None] = lambda done: None,
) -> Composition:
    """What improv plays after hearing a seed; the same for the same arguments, to the byte.

    Args:
        seed: What is heard; of `NOTHING` an opening that the model carries, or nothing.
        settings: Sampling, memory, and what is asked of the notes; its model and seed do not count.
        wanted: How much, and how.
        model: Who plays.
        dice: Nonzero number that decides all that is left to chance.
        say: Told what the model lacks, and what is asked in vain.
        progress: Called with 0..1.

    Raises:
        ModelFileError: The model cannot play, or its openings cannot be read.
        ConfigError: It cannot play within what is set.
    """
    seed, asked = _opened(seed, model, dice), settings.answer
    settings = dataclasses.replace(settings, answer=heeded(model, asked))
    improviser = improviser_of(settings, model, dice)
    performance, on_beats = seed.performance, wanted.bars is not None or wanted.tempo_bpm is not None
    metre = metre_of(seed, wanted.tempo_bpm) if on_beats else None
    begin_s = end_of(seed, performance, on_bar_line=wanted.bars is not None)
    if performance.notes:
        hear(improviser, remembered(cut(performance, 0.0, begin_s), improviser))
    ask = ask_of(settings.answer, _as_call(performance))
    for sentence in (*_remarks(model, asked, ask, wanted.tempo_bpm), *_of_seed(seed, wanted)):
        say(sentence)
    on_time = _follows(improviser, begin_s, metre, model) or wanted.bars is not None
    planned = _plan(improviser, begin_s, wanted, metre)(
        ask=ask,
        max_wait_s=0.0 if on_time else None,
        max_gap_s=settings.answer.max_gap_s,
        progress=progress,
    )
    return joined(seed, begin_s, planned, wanted, metre) if wanted.join else alone(planned, wanted, metre)


def _opened(seed: Seed, model: Model, dice: int) -> Seed:
    """What is heard where nothing was named: an opening, if the model carries any."""
    opening = None if seed.tracks else random_opening(model, dice)
    return seed if opening is None else Seed("an opening of the model's", (Track("opening", opening),))


def _follows(improviser: Improvising, begin_s: float, metre: Metre | None, model: Model) -> bool:
    """Let it follow the beat; whether that means anything to it."""
    if metre is None or not model.beats or not isinstance(improviser, Improviser):
        return False
    improviser.follow(Pulse(1000 * begin_s, 1000 * metre.beat_s))
    return True


def _plan(
    improviser: Improvising, begin_s: float, wanted: Wanted, metre: Metre | None
) -> Callable[..., list[PlannedNote]]:
    if wanted.notes is not None:
        return functools.partial(plan_notes, improviser, begin_s, wanted.notes)
    if wanted.bars is None or metre is None:
        return functools.partial(plan_for, improviser, begin_s, wanted.seconds)
    # The last bar is closed within it, not on the first beat of the one after.
    length_s = max(0.0, wanted.bars * metre.bar_s - metre.beat_s)
    return functools.partial(plan_for, improviser, begin_s, length_s)


def _remarks(model: Model, wanted: Answer, ask: Ask, tempo_bpm: float | None) -> Iterator[str]:
    if (lacking := borrowing(model)) is not None:
        yield lacking
    if (in_vain := unheeded(model, wanted, tempo_bpm)) is not None:
        yield in_vain
    elif wanted.density_ratio and ask.notes_per_s is None:
        yield "What it goes on from is too short to have a density, so improv is as dense as it likes."


def _of_seed(seed: Seed, wanted: Wanted) -> Iterator[str]:
    if wanted.join and not seed.tracks:
        yield "There is nothing that it could be joined to."
    if wanted.bars is not None and wanted.tempo_bpm is None and (seed.beats is None or seed.beats.is_plain):
        unsaid = f"{seed.name} tells of no tempo but the usual 120, so a" if seed.tracks else "A"
        yield f"{unsaid} beat is half a second; --tempo says otherwise."


def _as_call(heard: Performance) -> Call | None:
    """A performance as a turn of the player's, however long; None where it has no notes."""
    onsets_s = sorted(note.onset_s for note in heard.notes)
    return functools.reduce(Call.struck, onsets_s[1:], Call.begun(onsets_s[0])) if onsets_s else None
