"""Music from a MIDI file that improv has heard before the first note is played."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from improv_core.continuation import hear
from improv_core.improvising import Improvising
from improv_core.midi_files import read_performance
from improv_core.notes import Performance

JUST_BEFORE_S: Final = 0.5
"""Its last note ends so long before now."""


def prime(improviser: Improvising, path: Path, now_s: float) -> None:
    """Let an improviser hear a file as if the player had just played it, as much of it as it remembers.

    Args:
        improviser: Has no turn open.
        path: Of a MIDI file.
        now_s: On the clock of what will be played.

    Raises:
        MidiFileError: The file is missing, empty, not MIDI, damaged, or without notes.
    """
    hear(improviser, ending_at(remembered(read_performance(path), improviser), now_s - JUST_BEFORE_S))
    improviser.end_phrase()  # or to undo the first turn would be to forget the file as well


def remembered(performance: Performance, improviser: Improvising) -> Performance:
    """As much of the end of a performance, which has notes, as an improviser's memory has room for."""
    memory = improviser.memory
    notes = performance.notes[-memory.window_notes :]
    begin_s = max(notes[0].onset_s, notes[-1].onset_s - memory.window_s)
    before = [change for change in performance.pedal if change.at_s < begin_s]
    pedal = [replace(before[-1], at_s=begin_s)] if before else []
    pedal += [change for change in performance.pedal if change.at_s >= begin_s]
    return Performance.of([note for note in notes if note.onset_s >= begin_s], pedal)


def ending_at(performance: Performance, end_s: float) -> Performance:
    """The same, moved so that its last key comes up then; the pedal is up from there on."""
    shift_s = end_s - max(note.release_s for note in performance.notes)
    notes = [replace(note, onset_s=note.onset_s + shift_s) for note in performance.notes]
    pedal = [replace(change, at_s=min(end_s, change.at_s + shift_s)) for change in performance.pedal]
    if pedal and pedal[-1].value:
        pedal.append(replace(pedal[-1], value=0, at_s=end_s))
    return Performance.of(notes, pedal)
