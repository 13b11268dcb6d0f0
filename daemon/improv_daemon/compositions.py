"""What ``improv generate`` is asked for, and what comes of it: tracks, tempo and bars."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from improv_core.continuation import as_performance
from improv_core.excerpts import cut, excerpt
from improv_core.improvising import PlannedNote
from improv_core.metre import Metre, conductor_of
from improv_core.midi_files import (
    DRUM_CHANNEL,
    PROGRAM,
    WRITTEN_TICKS_PER_BEAT,
    ChannelMessage,
    Track,
    write_midi,
)
from improv_core.notes import Performance
from improv_core.tempo_map import Conductor, TempoMap
from improv_daemon.seed_beats import metres_of
from improv_daemon.seeds import Seed


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


def write(composition: Composition, path: Path, texts: Sequence[str] = ()) -> None:
    """Write it as a MIDI file, with these texts at its beginning.

    Raises:
        StorageError: It cannot be written.
    """
    write_midi(path, composition.tracks, conductor=composition.conductor, texts=texts)


def _played(
    planned: list[PlannedNote], first_s: float | None, wanted: Wanted, metre: Metre | None
) -> Performance:
    """What sounds of the plan; of bars nothing after the last."""
    performance = as_performance(planned, first_s)
    if wanted.bars is None or metre is None or not planned:
        return performance
    begin_s = 0.0 if first_s is None else planned[0].onset_s - first_s
    return cut(performance, 0.0, begin_s + wanted.bars * metre.bar_s)


def alone(planned: list[PlannedNote], wanted: Wanted, metre: Metre | None) -> Composition:
    """What improv plays, from its first onset on."""
    track = Track("improv", _played(planned, None, wanted, metre), wanted.program)
    return Composition((track,), conductor_of([(0.0, metre or Metre())]), 0.0)


def joined(
    seed: Seed, begin_s: float, planned: list[PlannedNote], wanted: Wanted, metre: Metre | None
) -> Composition:
    """The seed, and what improv plays after it from ``begin_s`` on."""
    before = excerpt(seed.tracks, 0.0, begin_s) if seed.tracks else ()
    track = _placed(Track("improv", _played(planned, 0.0, wanted, metre), wanted.program), before, begin_s)
    changes = [change for change in metres_of(seed) if change[0] < begin_s or not change[0]]
    if metre is not None:
        changes = [*(change for change in changes if change[0] < begin_s), (begin_s, metre)]
    conductor = conductor_of(changes)
    begin = TempoMap(WRITTEN_TICKS_PER_BEAT, conductor.tempos).tick(begin_s)
    signatures = {signature[0]: signature for signature in conductor.signatures}
    if metre is not None:
        signatures[begin] = (begin, *metre.signature)  # it begins a bar, wherever the seed's bar is
    markers = ((0, Path(seed.name).stem), (begin, "improv")) if before else ()
    conductor = Conductor(conductor.tempos, tuple(signatures.values()), markers)
    return Composition((*before, track), conductor, begin_s)


def _placed(track: Track, before: tuple[Track, ...], begin_s: float) -> Track:
    """On a channel of its own; without any free on the first, with its own instrument from there on."""
    taken = {one.channel: one for one in before}
    free = (channel for channel in range(16) if channel != DRUM_CHANNEL and channel not in taken)
    if (channel := next(free, None)) is not None:
        return dataclasses.replace(track, channel=channel)
    change = ChannelMessage((PROGRAM, track.program), begin_s)
    return dataclasses.replace(track, channel=0, program=taken[0].program, messages=(change,))
