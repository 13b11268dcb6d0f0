"""``improv generate``: what improv plays after a file, a session, an opening of its model's, or nothing."""

from __future__ import annotations

import bisect
import dataclasses
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from improv_core.continuation import as_performance, hear, plan_for, plan_notes
from improv_core.excerpts import cut, excerpt
from improv_core.improviser import Improviser
from improv_core.improvising import Ask, Improvising, PlannedNote
from improv_core.metre import Metre, conductor_of
from improv_core.midi_files import DRUM_CHANNEL, WRITTEN_TICKS_PER_BEAT, Track, write_midi
from improv_core.model import Model
from improv_core.notes import Performance
from improv_core.representation import Pulse
from improv_core.tempo_map import Conductor, TempoMap
from improv_core.turns import Call
from improv_daemon.building import improviser_of
from improv_daemon.directions import ask_of, heeded, unheeded
from improv_daemon.models import borrowing
from improv_daemon.openings import random_opening
from improv_daemon.priming import remembered
from improv_daemon.seeds import NOTHING as NOTHING
from improv_daemon.seeds import Seed
from improv_daemon.settings import Answer, Settings

_LATE_S: Final = 0.05
"""A note no earlier than this before a bar line belongs to the bar after it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made.

    Attributes:
        seconds: How long, from the first onset to about the last; unless one of the next two is given.
        notes: How many notes.
        bars: How many bars; whatever would sound after them is left out.
        tempo_bpm: Beats a minute, the first note being on one; None: for bars that of the seed.
        program: General MIDI program, 0..127.
        join: Whether the seed comes first.
    """

    seconds: float = 30.0
    notes: int | None = None
    bars: int | None = None
    tempo_bpm: float | None = None
    program: int = 0
    join: bool = False


@dataclass(frozen=True, slots=True)
class Composition:
    """What was made.

    Attributes:
        tracks: improv's, which is the last, and before it those of the seed if they were to be joined.
        conductor: Tempo and bars.
        begin_s: Where improv's begins.
    """

    tracks: tuple[Track, ...]
    conductor: Conductor
    begin_s: float


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
    performance, metre = seed.performance, _metre(seed, wanted)
    begin_s = _begin_s(seed, performance, wanted)
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
    return _joined(seed, begin_s, planned, wanted, metre) if wanted.join else _alone(planned, wanted, metre)


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


def write(composition: Composition, path: Path) -> None:
    """Write it as a MIDI file.

    Raises:
        StorageError: It cannot be written.
    """
    write_midi(path, composition.tracks, conductor=composition.conductor)


# --- when -----------------------------------------------------------------------------------------


def _metre(seed: Seed, wanted: Wanted) -> Metre | None:
    """What improv plays in; None where no beat matters."""
    if wanted.bars is None and wanted.tempo_bpm is None:
        return None
    last = _metres(seed)[-1][1]
    return last if wanted.tempo_bpm is None else dataclasses.replace(last, bpm=wanted.tempo_bpm)


def _metres(seed: Seed) -> list[tuple[float, Metre]]:
    """(when, in seconds of the seed, what it is from there on), the first at zero."""
    beats, begin_s = seed.beats, seed.span.from_s
    if beats is None:
        return [(0.0, Metre())]
    end_s = begin_s + seed.performance.end_s
    tempo_s, line_s = [at_s for at_s, _ in beats.tempos], beats.bar_lines_s
    moments = {
        at_s for at_s in (begin_s, *tempo_s, *line_s[:-1]) if begin_s <= at_s < max(end_s, begin_s + 1e-9)
    }
    metres = []
    for at_s in sorted(moments):
        bpm = beats.tempos[max(0, bisect.bisect_right(tempo_s, at_s) - 1)][1]
        beats_per_bar = beats.beats_per_bar[max(0, bisect.bisect_right(line_s, at_s) - 1)]
        metres.append((at_s - begin_s, Metre(bpm, beats_per_bar)))
    return metres


def _begin_s(seed: Seed, performance: Performance, wanted: Wanted) -> float:
    """Where improv begins, in seconds of the seed: at its end; for bars at the bar line there."""
    if not performance.notes:
        return 0.0
    end_s = max(note.release_s for note in performance.notes)
    if wanted.bars is None or seed.beats is None:
        return end_s
    last_s = performance.notes[-1].onset_s + _LATE_S
    lines = (line_s - seed.span.from_s for line_s in seed.beats.bar_lines_s)
    return next((line_s for line_s in lines if line_s > last_s), end_s)


# --- what -----------------------------------------------------------------------------------------


def _plan(
    improviser: Improvising, begin_s: float, wanted: Wanted, metre: Metre | None
) -> Callable[..., list[PlannedNote]]:
    if wanted.notes is not None:
        return functools.partial(plan_notes, improviser, begin_s, wanted.notes)
    if wanted.bars is None or metre is None:
        return functools.partial(plan_for, improviser, begin_s, wanted.seconds)
    # The last bar is closed within it, not on the first beat of the one after.
    return functools.partial(plan_for, improviser, begin_s, wanted.bars * metre.bar_s - metre.beat_s)


def _played(
    planned: list[PlannedNote], first_s: float | None, wanted: Wanted, metre: Metre | None
) -> Performance:
    """What sounds of the plan; of bars nothing after the last."""
    performance = as_performance(planned, first_s)
    if wanted.bars is None or metre is None or not planned:
        return performance
    begin_s = 0.0 if first_s is None else planned[0].onset_s - first_s
    return cut(performance, 0.0, begin_s + wanted.bars * metre.bar_s)


def _alone(planned: list[PlannedNote], wanted: Wanted, metre: Metre | None) -> Composition:
    track = Track("improv", _played(planned, None, wanted, metre), wanted.program)
    return Composition((track,), conductor_of([(0.0, metre or Metre())]), 0.0)


def _joined(
    seed: Seed, begin_s: float, planned: list[PlannedNote], wanted: Wanted, metre: Metre | None
) -> Composition:
    before = excerpt(seed.tracks, 0.0, begin_s) if seed.tracks else ()
    taken = {DRUM_CHANNEL, *(track.channel for track in before)}
    channel = next((one for one in range(16) if one not in taken), 0)
    track = Track("improv", _played(planned, 0.0, wanted, metre), wanted.program, channel)
    changes = [change for change in _metres(seed) if change[0] < begin_s or not change[0]]
    if metre is not None:
        changes = [*(change for change in changes if change[0] < begin_s), (begin_s, metre)]
    conductor = conductor_of(changes)
    begin = TempoMap(WRITTEN_TICKS_PER_BEAT, conductor.tempos).tick(begin_s)
    signatures = {tick: (tick, *signature) for tick, *signature in conductor.signatures}
    if metre is not None:
        signatures[begin] = (begin, *metre.signature)  # it begins a bar, wherever the seed's bar is
    markers = ((0, Path(seed.name).stem), (begin, "improv")) if before else ()
    conductor = Conductor(conductor.tempos, tuple(signatures.values()), markers)
    return Composition((*before, track), conductor, begin_s)


# --- what is said ---------------------------------------------------------------------------------


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
        unsaid = f"No tempo is written in {seed.name}, so a" if seed.tracks else "A"
        yield f"{unsaid} beat is half a second; --tempo says otherwise."


def _as_call(heard: Performance) -> Call | None:
    """A performance as a turn of the player's, however long; None where it has no notes."""
    onsets_s = sorted(note.onset_s for note in heard.notes)
    return functools.reduce(Call.struck, onsets_s[1:], Call.begun(onsets_s[0])) if onsets_s else None
