"""The MIDI file of a session."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from improv_core.bar_lines import conductor
from improv_core.midi_files import WRITTEN_TEMPO_BPM
from improv_core.midi_lines import WRITTEN_TICKS_PER_BEAT, write_lines
from improv_core.tempo_map import Conductor, TempoMap
from improv_daemon.journal import Journal, performances
from improv_daemon.recorder.bars import songs_of
from improv_daemon.recorder.tracks import lines_of
from improv_daemon.recorder.turns import Turn, turns_between
from improv_daemon.settings import Settings

_MOST_TICKS: Final = 10_000_000
"""pretty_midi takes a file of more for a damaged one: 87 minutes at 120 beats a minute ..."""

_LONG_TICKS_PER_BEAT: Final = 480
"""... and twice as much with half as many to a beat."""

_NOT_TOLD: Final = ("model", "seed", "record", "ports", "presets")
"""What has a line of its own, and what says nothing of the music but of the player's computer."""


def write_session_midi(journal: Journal, path: Path, *, tempo: str = "auto") -> None:
    """Write all that was played as a MIDI file of type 1.

    Time zero is the session's start. Each keyboard and channel of the player's has a track, improv has the
    last; every message that came or went is there as it was, but for the keys, knobs and programs that told
    improv something. What is held when the session ends comes up there. Turns are markers, and texts tell of
    the model, the seed and those settings that are not the usual ones.

    Args:
        journal: The session's.
        path: Where; what is there is replaced.
        tempo: ``auto``, ``estimated`` or ``fixed``, as ``record.bar_lines`` says.

    Raises:
        StorageError: The file cannot be written; what was there before stays.
    """
    both = performances(journal)
    songs, length_s = songs_of(journal, tempo, both), journal.end_s - journal.header.now_s
    for ticks_per_beat in (WRITTEN_TICKS_PER_BEAT, _LONG_TICKS_PER_BEAT):
        time = conductor(songs, ticks_per_beat) or Conductor.steady(WRITTEN_TEMPO_BPM)
        tempo_map = TempoMap(ticks_per_beat, time.tempos)
        if tempo_map.tick(length_s) < _MOST_TICKS:
            break
    time = _marked(time, turns_between(*both), tempo_map)
    write_lines(path, lines_of(journal), time, tuple(texts_of(journal)), ticks_per_beat)


def texts_of(journal: Journal) -> Iterator[str]:
    """What made the session what it is, in lines."""
    header = journal.header
    yield f"improv {header.improv_version}".rstrip() + f", {header.started_at:%Y-%m-%d %H:%M:%S %z}"
    yield f"model {header.model}"
    yield f"seed {header.seed}"
    usual = json.loads(json.dumps(dataclasses.asdict(Settings())))
    for section, values in header.settings.items():
        if section not in _NOT_TOLD and values != usual.get(section):
            yield from _unusual(section, values, usual.get(section))


def _unusual(name: str, value: object, usual: object) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{name} = {json.dumps(value, ensure_ascii=False)}"  # as in a config file
        return
    known = usual if isinstance(usual, dict) else {}
    for key, inner in value.items():
        if key not in known or known[key] != inner:
            yield from _unusual(f"{name}.{key}", inner, known.get(key))


def _marked(time: Conductor, turns: tuple[Turn, ...], tempo_map: TempoMap) -> Conductor:
    markers = [*time.markers, *((tempo_map.tick(turn.start_s), turn.name) for turn in turns)]
    return dataclasses.replace(time, markers=tuple(sorted(markers, key=lambda marker: marker[0])))
