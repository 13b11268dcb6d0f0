"""Notes that are struck together, silences between them, and notes that have not ended yet."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from improv_core.representation.binning import IntArray
from improv_core.representation.steps import Notes
from improv_core.representation.writing import Written

CHORD_MS: Final = 50
"""Notes within this of the first one of an onset belong to it: hands do not strike at once."""

LONGEST_MS: Final = 8000
"""A note whose end does not come is ended after this."""

LONGEST_SILENCE_MS: Final = 2000
"""improv is silent no longer than this within an answer; a longer pause of the player's counts as this."""


def onset_starts(notes: Notes, chord_ms: int = CHORD_MS) -> IntArray:
    """Index of the first note of each onset, (onsets,)."""
    starts, first_ms = [], -1 - chord_ms
    for i, onset_ms in enumerate(notes.onset_ms.tolist()):
        if onset_ms > first_ms + chord_ms:
            starts.append(i)
            first_ms = onset_ms
    return np.array(starts, dtype=np.int64)


def without_long_silences(notes: Notes) -> Notes:
    """The same with no silence over `LONGEST_SILENCE_MS` and no note over `LONGEST_MS`.

    While a player is at dinner, frames and time shifts would go on, and what was played before would be
    pushed out of what a model reads; nor has any model learned from minutes of silence.
    """
    duration_ms = np.minimum(notes.duration_ms, LONGEST_MS)
    onset_ms = notes.onset_ms
    ended_ms = np.maximum.accumulate(onset_ms + duration_ms)
    dt_ms = notes.dt_ms.copy()
    dt_ms[1:] -= np.maximum(0, onset_ms[1:] - ended_ms[:-1] - LONGEST_SILENCE_MS)
    return replace(notes, dt_ms=dt_ms, duration_ms=duration_ms)


class OpenNotes:
    """Notes whose end is drawn later than their beginning; given out by onset, each when it is complete."""

    def __init__(self) -> None:
        self._down: dict[int, Written] = {}
        self._complete: list[Written] = []

    @property
    def onsets_ms(self) -> dict[int, int]:
        """Of the pitches that have not ended, when they began."""
        return {pitch: note.onset_ms for pitch, note in self._down.items()}

    def begin(self, note: Written) -> None:
        """A note of a pitch that is not down; its duration is not known yet."""
        self._down[note.pitch] = note

    def end(self, pitch: int, now_ms: int) -> None:
        """Its end; a pitch that is not down is ignored."""
        note = self._down.pop(pitch, None)
        if note is not None:
            self._complete.append(replace(note, duration_ms=max(1, now_ms - note.onset_ms)))

    def end_overlong(self, now_ms: int) -> None:
        """End what has lasted for `LONGEST_MS`."""
        for pitch in [p for p, note in self._down.items() if now_ms - note.onset_ms >= LONGEST_MS]:
            self.end(pitch, now_ms)

    def take_ready(self) -> list[Written]:
        """The complete notes before which none is incomplete, by onset."""
        first_ms = min((note.onset_ms for note in self._down.values()), default=None)
        ready, waiting = list[Written](), list[Written]()
        for note in self._complete:
            (ready if first_ms is None or note.onset_ms < first_ms else waiting).append(note)
        self._complete = waiting
        return sorted(ready, key=lambda note: (note.onset_ms, note.pitch))
