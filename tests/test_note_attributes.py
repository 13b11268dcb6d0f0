"""Notes as steps of some of their attributes, there and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_corpora import random_performance
from window_models import (
    PITCH_ALONE,
    PITCH_STEP_DURATION,
    ink_of,
    no_notes,
    notes_of,
    written,
)

from improv_core.representation import Attribute, Dense, NoteAttributes, encode, from_spec
from improv_core.representation.binning import Grid, Groups, Identity
from improv_core.representation.note_attributes import NoteWriter
from improv_core.representation.onsets import CHORD_MS
from improv_core.representation.steps import Column
from improv_core.representation.writing import Written

FIVE_MS = Grid(np.arange(0, 400))
EVERYTHING = NoteAttributes(
    (
        Attribute("dt", FIVE_MS),
        Attribute("pedal", Identity(2)),
        Attribute("pitch", Identity(128)),
        Attribute("velocity", Groups(32, width=4, lowest=1)),
        Attribute("duration", FIVE_MS),
    )
)


def parts(count: int) -> np.ndarray:
    return np.zeros(count, dtype=np.int64)


# --- reading --------------------------------------------------------------------------------------


def test_one_hot_pitches_have_a_class_for_the_start() -> None:
    assert PITCH_ALONE.columns == (Column("pitch", 129, "one-hot"),)
    assert PITCH_ALONE.dense == Dense(0, "scalar")
    assert PITCH_ALONE.start().columns.tolist() == [[128]]
    rows = PITCH_ALONE.rows(notes_of((0, 60, 90), (500, 72, 90)), parts(2))
    assert rows.read.columns.tolist() == [[60], [72]]
    assert rows.targets.tolist() == [[60], [72]]
    assert rows.notes.tolist() == [1, 1]
    assert rows.lost.tolist() == [0, 0]


def test_numbers_are_read_in_seconds_and_shares_and_the_start_is_told_apart() -> None:
    rows = PITCH_STEP_DURATION.rows(notes_of((0, 0, 90), (500, 127, 1250)), parts(2))
    np.testing.assert_allclose(rows.read.dense, [[0, 0, 0.09], [1, 0.5, 1.25]], rtol=1e-6)
    assert rows.read.columns.tolist() == [[1], [1]]
    assert PITCH_STEP_DURATION.columns == (Column("started", 2, "one-hot"),)
    assert PITCH_STEP_DURATION.start().columns.tolist() == [[0]]
    np.testing.assert_array_equal(PITCH_STEP_DURATION.start().dense, np.zeros((1, 3)))


def test_regressions_are_compared_in_milliseconds_and_classes_by_index() -> None:
    rows = PITCH_STEP_DURATION.rows(notes_of((0, 60, 90), (503, 72, 1251)), parts(2))
    assert rows.targets.tolist() == [[60, 0, 90], [72, 503, 1251]]
    assert EVERYTHING.rows(notes_of((0, 60, 90), (500, 72, 1250)), parts(2)).targets.tolist() == [
        [0, 0, 60, 16, 9],
        [50, 0, 72, 16, 125],
    ]


def test_what_it_has_no_attribute_for_it_lacks() -> None:
    assert PITCH_ALONE.lacks == ("timing", "note lengths", "loudness", "pedal")
    assert PITCH_STEP_DURATION.lacks == ("loudness", "pedal")
    assert EVERYTHING.lacks == ()


@pytest.mark.parametrize("representation", [PITCH_ALONE, PITCH_STEP_DURATION, EVERYTHING])
def test_a_description_is_enough_to_make_it_again(representation: NoteAttributes) -> None:
    assert from_spec(representation.spec()).spec() == representation.spec()
    assert representation.learned([no_notes()]) is representation


VELOCITY = Attribute("velocity", Identity(128))
REGRESSED_DT = Attribute("dt", FIVE_MS, head="regression")


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ((Attribute("dt", FIVE_MS),), "a pitch at least"),
        ((Attribute("pitch", Identity(128)), Attribute("mood", Identity(3))), "not \\['pitch', 'mood'\\]"),
        ((Attribute("pitch", Identity(128)),) * 2, "not \\['pitch', 'pitch'\\]"),
        ((Attribute("pitch", Identity(128), head="regression"),), "only dt and duration can be predicted"),
        ((Attribute("pitch", Identity(88)),), "there are 128 pitches"),
        ((Attribute("pitch", Identity(128), given=("velocity",)), VELOCITY), "pitch can be given attributes"),
        ((REGRESSED_DT, Attribute("pitch", Identity(128), given=("dt",))), "if they are classes"),
    ],
)
def test_a_description_that_cannot_be_is_refused(attributes: tuple[Attribute, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NoteAttributes.from_spec(NoteAttributes(attributes).spec())


# --- writing --------------------------------------------------------------------------------------


@given(st.integers(0, 20))
def test_times_by_regression_come_back_to_the_millisecond(seed: int) -> None:
    notes = encode(random_performance(30, seed))
    rows = PITCH_STEP_DURATION.rows(notes, parts(len(notes)))
    drawn = written(PITCH_STEP_DURATION.writer(no_notes(), ink_of()), rows.targets)
    assert [(n.onset_ms, n.pitch, n.duration_ms) for n in drawn] == list(
        zip(notes.onset_ms.tolist(), notes.pitch.tolist(), notes.duration_ms.tolist(), strict=True)
    )
    assert [n.velocity for n in drawn] == [50 + i for i in range(len(notes))]
    assert {n.pedal for n in drawn} == {1}


def test_no_velocity_is_written_that_would_be_a_note_off() -> None:
    representation = NoteAttributes((Attribute("pitch", Identity(128)), VELOCITY))
    drawn = written(representation.writer(no_notes(), ink_of()), [[60, 0], [61, 127]])
    assert [note.velocity for note in drawn] == [1, 127]


def test_classes_come_back_to_the_middle_of_the_class() -> None:
    notes = encode(random_performance(60, 4))
    drawn = written(
        EVERYTHING.writer(no_notes(), ink_of()), EVERYTHING.rows(notes, parts(len(notes))).targets
    )
    expected = zip(
        notes.onset_ms.tolist(),
        notes.pitch.tolist(),
        (notes.velocity // 4 * 4 + 2).tolist(),
        notes.pedal.tolist(),
        notes.duration_ms.tolist(),
        strict=True,
    )
    assert drawn == [Written(*row) for row in expected]  # random performances are on whole hundredths


def test_what_is_read_of_a_note_as_drawn_is_what_is_read_of_it_as_played() -> None:
    notes = encode(random_performance(40, 2))
    rows = PITCH_STEP_DURATION.rows(notes, parts(len(notes)))
    writer = PITCH_STEP_DURATION.writer(no_notes(), ink_of())
    for i, row in enumerate(rows.targets.tolist()):
        _, read = writer.take(row)
        np.testing.assert_array_equal(read.columns, rows.read.columns[i : i + 1])
        np.testing.assert_allclose(read.dense, rows.read.dense[i : i + 1])


def test_timing_lengths_loudness_and_pedal_are_the_players_where_only_pitch_is_drawn() -> None:
    drawn = written(PITCH_ALONE.writer(no_notes(), ink_of()), np.array([[60], [62], [60]]))
    assert drawn == [
        Written(200, 60, 50, 1, 150),
        Written(400, 62, 51, 1, 150),
        Written(600, 60, 52, 1, 150),
    ]


def test_only_pitches_in_range_can_be_drawn() -> None:
    writer = PITCH_ALONE.writer(no_notes(), ink_of(60, 62))
    mask = writer.mask(0, [])
    assert mask is not None
    assert np.flatnonzero(mask == 0).tolist() == [60, 61, 62]
    writer = PITCH_STEP_DURATION.writer(no_notes(), ink_of(60, 62))
    assert writer.mask(1, [60]) is None


def chordal(lowest_pitch: int = 60, highest_pitch: int = 62) -> NoteWriter:
    """Of a player who has played a chord."""
    ink = ink_of(lowest_pitch, highest_pitch)
    ink.habits.habit = replace(ink.habits.habit, dt_ms=10)  # type: ignore[attr-defined]
    return PITCH_ALONE.writer(no_notes(), ink)


def test_a_pitch_comes_only_once_in_a_chord() -> None:
    writer = chordal()
    drawable = []
    for pitch in (61, 60):
        mask = writer.mask(0, [])
        assert mask is not None
        drawable.append(np.flatnonzero(mask == 0).tolist())
        writer.take([pitch])
    assert drawable == [[60, 61, 62], [60, 62]]


def test_a_chord_of_every_key_in_range_goes_on_as_soon_as_a_key_can_be_struck_again() -> None:
    writer = chordal()
    notes = written(writer, np.array([[60], [61], [62], [60], [61]]))
    assert [note.onset_ms for note in notes] == [10, 20, 30, 10 + CHORD_MS, 20 + CHORD_MS]


def test_a_pitch_that_is_drawn_again_too_soon_waits() -> None:
    targets = np.array([[60, 0, 100], [64, 0, 100], [60, 10, 100], [60, 0, 0]])
    drawn = written(PITCH_STEP_DURATION.writer(no_notes(), ink_of()), targets)
    assert [(note.onset_ms, note.pitch) for note in drawn] == [(0, 60), (0, 64), (50, 60), (100, 60)]
    assert drawn[-1].duration_ms == 1
