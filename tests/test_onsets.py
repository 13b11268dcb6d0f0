"""Which notes are struck together, and in which order notes are given whose ends come later."""

from __future__ import annotations

from window_models import no_notes, notes_of

from improv_core.representation.onsets import (
    CHORD_MS,
    LONGEST_MS,
    LONGEST_SILENCE_MS,
    OpenNotes,
    onset_starts,
    without_long_silences,
)
from improv_core.representation.writing import Written


def note(onset_ms: int, pitch: int, duration_ms: int = 1) -> Written:
    return Written(onset_ms, pitch, 64, 0, duration_ms)


def test_notes_within_50_ms_of_the_first_one_are_one_onset() -> None:
    notes = notes_of((0, 60, 9), (50, 64, 9), (51, 67, 9), (90, 70, 9), (101, 72, 9), (102, 74, 9))
    assert CHORD_MS == 50
    assert onset_starts(notes).tolist() == [0, 2, 5]


def test_a_run_of_close_notes_is_cut_at_50_ms_from_the_first_of_each_onset() -> None:
    assert onset_starts(notes_of(*((30 * i, 60 + i, 9) for i in range(6)))).tolist() == [0, 2, 4]


def test_a_wider_or_narrower_chord_can_be_asked_for() -> None:
    notes = notes_of((0, 60, 9), (20, 64, 9), (40, 67, 9))
    assert onset_starts(notes, chord_ms=0).tolist() == [0, 1, 2]
    assert onset_starts(notes, chord_ms=39).tolist() == [0, 2]


def test_nothing_played_has_no_onset() -> None:
    assert onset_starts(no_notes()).tolist() == []


def test_a_long_silence_counts_as_two_seconds_and_an_endless_note_as_eight() -> None:
    hour_ms = 3_600_000
    notes = notes_of((0, 60, 500), (600, 62, 9), (hour_ms, 64, hour_ms), (hour_ms + 90, 65, 9))
    shortened = without_long_silences(notes)
    assert (LONGEST_SILENCE_MS, LONGEST_MS) == (2000, 8000)
    assert shortened.onset_ms.tolist() == [0, 600, 2609, 2699]
    assert shortened.duration_ms.tolist() == [500, 9, 8000, 9]
    assert shortened.pitch.tolist() == notes.pitch.tolist()


def test_what_sounds_is_no_silence() -> None:
    notes = notes_of((0, 60, 5000), (4000, 62, 9), (7000, 64, 9), (9010, 65, 9))
    assert without_long_silences(notes).onset_ms.tolist() == [0, 4000, 7000, 9009]
    assert without_long_silences(no_notes()).onset_ms.tolist() == []


def test_a_note_is_given_once_it_and_all_that_began_before_it_have_ended() -> None:
    notes = OpenNotes()
    notes.begin(note(0, 40))
    notes.begin(note(100, 60))
    notes.end(60, 200)
    assert notes.take_ready() == []
    notes.begin(note(300, 62))
    notes.end(40, 400)
    assert notes.take_ready() == [note(0, 40, 400), note(100, 60, 100)]
    assert notes.onsets_ms == {62: 300}
    notes.end(62, 450)
    assert notes.take_ready() == [note(300, 62, 150)]
    assert notes.take_ready() == []


def test_a_chord_is_given_whole_from_the_bottom_up() -> None:
    notes = OpenNotes()
    for pitch in (67, 60, 64):
        notes.begin(note(0, pitch))
    notes.end(60, 100)
    notes.end(67, 150)
    assert notes.take_ready() == []
    notes.end(64, 200)
    assert notes.take_ready() == [note(0, 60, 100), note(0, 64, 200), note(0, 67, 150)]


def test_the_end_of_a_pitch_that_is_not_down_is_ignored_and_none_ends_at_once() -> None:
    notes = OpenNotes()
    notes.end(60, 100)
    notes.begin(note(200, 60))
    notes.end(60, 200)
    notes.end(60, 300)
    assert notes.take_ready() == [note(200, 60, 1)]


def test_a_note_whose_end_does_not_come_is_ended_after_eight_seconds() -> None:
    notes = OpenNotes()
    notes.begin(note(0, 60))
    notes.begin(note(1, 64))
    notes.end_overlong(LONGEST_MS - 1)
    assert notes.onsets_ms == {60: 0, 64: 1}
    notes.end_overlong(LONGEST_MS)
    assert notes.take_ready() == [note(0, 60, 8000)]
    assert notes.onsets_ms == {64: 1}
