"""How the player has played lately: where timing, loudness and pedal come from if the model lacks them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from improv_core.representation.binning import IntArray
from improv_core.representation.onsets import CHORD_MS, onset_starts
from improv_core.representation.steps import Notes
from improv_core.representation.writing import Habit

NO_HABIT: Final = Habit(dt_ms=250, duration_ms=240, velocity=64, pedal=0)
"""Where nothing has been played yet."""

LATEST: Final = 32
"""Notes that make a habit: about a call."""

LONGEST_DT_MS: Final = 2000
"""A longer pause is between phrases; it is no rhythm."""


class WindowHabits:
    """The latest notes of the player, over and over.

    Args:
        notes: What the player has played, oldest first.
    """

    def __init__(self, notes: Notes) -> None:
        starts = onset_starts(notes)
        latest = np.arange(max(0, len(notes) - LATEST), len(notes))
        self._notes = _over_and_over(notes, latest, latest - 1)
        chosen = np.flatnonzero(starts >= len(notes) - LATEST)
        self._onsets = _over_and_over(notes, starts[chosen], np.append(-1, starts)[chosen])

    def next(self) -> Habit:
        """The next note's."""
        return next(self._notes)

    def next_onset(self) -> Habit:
        """The next onset's: from the onset before it; as long, loud and pedalled as its first note."""
        return next(self._onsets)


def _over_and_over(notes: Notes, chosen: IntArray, before: IntArray) -> Iterator[Habit]:
    """Habits of the chosen notes, each timed from the one ``before`` it; -1 means that there is none."""
    onset_ms = notes.onset_ms
    dt_ms = onset_ms[chosen] - onset_ms[before]
    columns = (dt_ms, notes.duration_ms[chosen], notes.velocity[chosen], notes.pedal[chosen])
    habits = [Habit(*(int(value) for value in row)) for row in zip(*columns, strict=True)]
    in_time = (before >= 0) & (dt_ms <= LONGEST_DT_MS)
    rhythm = list(itertools.compress(habits, in_time))
    if not any(habit.dt_ms > CHORD_MS for habit in rhythm):
        # Played again, the intervals within chords alone would be one endless cluster.
        rhythm = [
            habit if timed else replace(habit, dt_ms=NO_HABIT.dt_ms)
            for habit, timed in zip(habits, in_time, strict=True)
        ]
    return itertools.cycle(rhythm or [NO_HABIT])
