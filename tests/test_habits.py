"""What improv takes from the player when its model lacks it."""

from __future__ import annotations

import numpy as np
from window_models import no_notes, notes_of

from improv_core.representation import Notes
from improv_core.representation.habits import LATEST, LONGEST_DT_MS, NO_HABIT, WindowHabits
from improv_core.representation.writing import Habit


def played(*rows: tuple[int, int, int, int]) -> Notes:
    """Notes of (dt_ms, duration_ms, velocity, pedal)."""
    dt_ms, duration_ms, velocity, pedal = (
        np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)
    )
    return Notes(dt_ms, pedal, np.arange(len(rows)) % 88 + 21, velocity, duration_ms)


def test_the_habits_are_the_players_notes_over_and_over_the_first_of_which_has_no_interval() -> None:
    habits = WindowHabits(played((0, 90, 70, 0), (200, 100, 71, 1), (300, 400, 72, 0)))
    cycle = [Habit(200, 100, 71, 1), Habit(300, 400, 72, 0)]
    assert [habits.next() for _ in range(5)] == [*cycle, *cycle, cycle[0]]


def test_the_same_intervals_lengths_and_velocities_as_in_the_window_come_equally_often() -> None:
    rng = np.random.default_rng(3)
    rows = [(int(d), 50 + i, 20 + i, i % 2) for i, d in enumerate(rng.integers(60, 900, LATEST))]
    habits = WindowHabits(played((0, 9, 9, 0), *rows))
    drawn = [habits.next() for _ in range(2 * LATEST)]
    assert sorted((h.dt_ms, h.duration_ms, h.velocity, h.pedal) for h in drawn) == sorted(rows * 2)


def test_only_the_latest_32_notes_are_a_habit() -> None:
    habits = WindowHabits(played(*((100 + i, 50, 64, 0) for i in range(80))))
    drawn = [habits.next().dt_ms for _ in range(LATEST + 1)]
    assert drawn == [*range(148, 180), 148]
    onsets = [habits.next_onset().dt_ms for _ in range(LATEST + 1)]
    assert onsets == drawn


def test_onsets_are_timed_from_the_onset_before_not_from_the_last_note_of_a_chord() -> None:
    notes = notes_of((0, 60, 90), (10, 64, 91), (400, 62, 92), (420, 65, 93), (440, 69, 94), (1000, 60, 95))
    habits = WindowHabits(notes)
    assert [habits.next_onset() for _ in range(3)] == [
        Habit(400, 92, 64, 0),
        Habit(600, 95, 64, 0),
        Habit(400, 92, 64, 0),
    ]
    assert [habits.next().dt_ms for _ in range(5)] == [10, 390, 20, 20, 560]


def test_a_pause_between_phrases_is_no_rhythm() -> None:
    rows = [(0, 90, 64, 0), (300, 90, 65, 0), (LONGEST_DT_MS + 1, 90, 66, 0), (LONGEST_DT_MS, 90, 67, 0)]
    habits = WindowHabits(played(*rows))
    assert [habits.next().velocity for _ in range(4)] == [65, 67, 65, 67]
    assert [habits.next_onset().velocity for _ in range(4)] == [65, 67, 65, 67]


def test_chords_between_pauses_stay_chords_and_do_not_run_together() -> None:
    chord = [(10, 90, 64, 0), (10, 90, 64, 0)]
    habits = WindowHabits(played((0, 90, 64, 0), *chord, (LONGEST_DT_MS + 1, 90, 64, 0), *chord))
    assert [habits.next().dt_ms for _ in range(6)] == [NO_HABIT.dt_ms, 10, 10] * 2


def test_of_a_single_note_length_and_loudness_are_taken() -> None:
    habits = WindowHabits(played((0, 777, 99, 1)))
    assert habits.next() == Habit(NO_HABIT.dt_ms, 777, 99, 1) == habits.next_onset()


def test_of_a_single_chord_every_note_is_taken_and_its_onset() -> None:
    habits = WindowHabits(notes_of((0, 60, 500), (10, 64, 510), (20, 67, 520)))
    drawn = [habits.next() for _ in range(4)]
    assert [habit.duration_ms for habit in drawn] == [500, 510, 520, 500]
    assert [habit.dt_ms for habit in drawn] == [NO_HABIT.dt_ms, 10, 10, NO_HABIT.dt_ms]
    assert habits.next_onset() == Habit(NO_HABIT.dt_ms, 500, 64, 0)


def test_where_nothing_has_been_played_there_is_a_habit_too() -> None:
    habits = WindowHabits(no_notes())
    assert [habits.next(), habits.next_onset(), habits.next()] == [NO_HABIT] * 3
