"""The notes of a piece as the rows of a table."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improv_core.midi_files import DRUM_CHANNEL, Track
from improv_core.note_table import NoteRow, chord_count, note_rows, track_names
from improv_core.notes import Note, Performance


def track(*notes: Note, name: str = "piano", channel: int = 0) -> Track:
    return Track(name, Performance.of(notes), channel=channel)


def test_a_row_says_all_of_a_note() -> None:
    rows = note_rows([track(Note(60, 70, 1.0, 0.5), Note(61, 80, 1.25, 0.25))])
    assert rows == [
        NoteRow("C4", 60, 1.0, 0.5, 0.0, 70, "piano", "", ""),
        NoteRow("C#4", 61, 1.25, 0.25, 0.25, 80, "piano", "", ""),
    ]


def test_notes_of_all_tracks_are_in_the_order_of_their_onsets() -> None:
    rows = note_rows(
        [track(Note(60, 70, 0.0, 1), Note(60, 70, 2.0, 1)), track(Note(50, 70, 1.5, 1), name="b")]
    )
    assert [(row.track, row.onset_s, row.step_s) for row in rows] == [
        ("piano", 0.0, 0.0),
        ("b", 1.5, 1.5),
        ("piano", 2.0, 0.5),
    ]


def test_notes_struck_together_bear_the_chord_of_all_tracks_and_its_normal_order() -> None:
    rows = note_rows(
        [track(Note(64, 70, 0.01, 1), Note(67, 70, 0.029, 1), name="right"), track(Note(48, 70, 0.0, 1))]
    )
    assert [(row.name, row.chord, row.normal_order) for row in rows] == [
        ("C3", "C", "0.4.7"),
        ("E4", "C", "0.4.7"),
        ("G4", "C", "0.4.7"),
    ]
    assert chord_count(rows) == 1


def test_a_note_that_comes_a_chords_time_after_the_first_is_another_onset() -> None:
    rows = note_rows([track(Note(60, 70, 0.0, 1), Note(64, 70, 0.02, 1), Note(67, 70, 0.03, 1))])
    assert [row.chord for row in rows] == ["major third", "major third", ""]


def test_drums_are_in_no_chord_and_part_none() -> None:
    drum = track(Note(36, 70, 0.005, 0.1), name="drums", channel=DRUM_CHANNEL)
    rows = note_rows([drum, track(Note(60, 70, 0.0, 1), Note(64, 70, 0.01, 1))])
    assert [(row.track, row.chord) for row in rows] == [
        ("piano", "major third"),
        ("drums", ""),
        ("piano", "major third"),
    ]


def test_the_same_chord_struck_twice_counts_twice() -> None:
    notes = [Note(pitch, 70, onset_s, 0.1) for onset_s in (0.0, 0.1) for pitch in (60, 64, 67)]
    assert chord_count(note_rows([track(*notes)])) == 2


def test_tracks_are_told_apart_by_name_or_number() -> None:
    tracks = [track(name="a"), track(name=""), track(name="b"), track(name="a "), track(name=" ")]
    assert track_names(tracks) == ("a (1)", "track 2", "b", "a (2)", "track 5")


@pytest.mark.parametrize("tracks", [[], [track()]])
def test_without_notes_there_are_no_rows(tracks: list[Track]) -> None:
    assert note_rows(tracks) == []
    assert chord_count([]) == 0


@given(
    st.lists(st.tuples(st.integers(0, 127), st.integers(0, 400), st.integers(0, 2)), max_size=40),
)
def test_every_note_has_a_row_and_steps_add_up(played: list[tuple[int, int, int]]) -> None:
    tracks = [
        track(*(Note(pitch, 64, at / 100, 0.1) for pitch, at, one in played if one == i), name=str(i))
        for i in range(3)
    ]
    rows = note_rows(tracks)
    assert sorted((row.pitch, row.onset_s, int(row.track)) for row in rows) == sorted(
        (pitch, at / 100, one) for pitch, at, one in played
    )
    for before, row in itertools.pairwise(rows):
        assert row.step_s == row.onset_s - before.onset_s >= 0
    assert all(bool(row.chord) == bool(row.normal_order) for row in rows)
