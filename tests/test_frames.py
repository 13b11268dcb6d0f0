"""A piano roll as ascending pitches and end marks, and notes again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from growing_work import growth
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tiny_corpora import random_performance
from window_models import ink_of, no_notes, notes_of, written

from improv_core.representation import Frames, Notes, Rows, encode, from_spec
from improv_core.representation.frames import END, LOWEST, PITCHES, START, FrameWriter
from improv_core.representation.writing import Written

FRAMES = Frames(100)


def notes_in(*frames: set[int]) -> Notes:
    """Notes that make these frames of 100 ms; a pitch that is in neighbouring frames is one note."""
    frames = (*frames, set())
    played = []
    for i, frame in enumerate(frames):
        for pitch in frame - (frames[i - 1] if i else set()):
            end = next(j for j in range(i, len(frames)) if pitch not in frames[j])
            played.append((100 * i, pitch, 100 * (end - i)))
    return notes_of(*sorted(played))


def rows_of(notes: Notes) -> Rows:
    return FRAMES.rows(notes, np.zeros(len(notes), dtype=np.int64))


def key(pitch: int) -> int:
    """The class of a MIDI key."""
    return pitch - LOWEST


def pitches_of(row: NDArray[np.bool_]) -> set[int]:
    return set(np.flatnonzero(row).tolist())


# --- the roll -------------------------------------------------------------------------------------


def test_a_note_sounds_in_the_frames_it_lasts_and_in_one_at_least() -> None:
    notes = notes_of((0, 60, 100), (100, 64, 200), (200, 67, 1))
    assert [pitches_of(row) for row in FRAMES.roll(notes)] == [{60}, {64}, {64, 67}]


def test_times_go_to_the_nearest_frame() -> None:
    notes = notes_of((0, 60, 149), (149, 64, 102), (250, 67, 40))
    assert [pitches_of(row) for row in FRAMES.roll(notes)] == [{60}, {64}, {64}, {67}]


def test_nothing_played_has_no_frame() -> None:
    assert len(FRAMES.roll(no_notes())) == 0
    assert len(rows_of(no_notes())) == 0


# --- rows -----------------------------------------------------------------------------------------


def test_a_frame_is_its_keys_ascending_and_an_end_mark() -> None:
    rows = rows_of(notes_in({67, 60, 64}, set(), {60}))
    assert (END, LOWEST, PITCHES) == (88, 21, 88)
    words = [key(60), key(64), key(67), END, END, key(60), END]
    assert rows.targets[:, 0].tolist() == words
    assert rows.read.columns[:, 0].tolist() == words
    assert rows.notes.tolist() == [1, 1, 1, 0, 0, 1, 0]


def test_the_first_frame_is_read_but_not_scored() -> None:
    rows = rows_of(notes_in({60, 64}, {60}, {60}))
    assert rows.scored.tolist() == [False, False, False, True, True, True, True]


def test_pitches_beyond_the_piano_are_lost_and_charged() -> None:
    rows = rows_of(notes_in({60}, {20, 60, 109}, {60}))
    assert rows.targets[:, 0].tolist() == [key(60), END] * 3
    assert rows.lost.sum() == 2
    assert rows.notes.sum() == 5
    assert rows.charge.sum() == pytest.approx(2 * math.log(128))


def test_the_start_is_a_class_of_its_own_before_an_empty_roll() -> None:
    assert START == END + 1 == FRAMES.columns[0].size - 1
    assert FRAMES.start().columns[0, 0] == START
    assert not FRAMES.start().dense.any()
    assert FRAMES.start().dense.shape == (1, FRAMES.dense.width)


def test_what_is_read_is_as_wide_as_it_says() -> None:
    rows = rows_of(encode(random_performance(60)))
    assert rows.read.columns.shape == (len(rows), len(FRAMES.columns))
    assert rows.read.dense.shape == (len(rows), FRAMES.dense.width)
    assert (rows.read.columns.max(axis=0) < [column.size for column in FRAMES.columns]).all()


def test_loudness_and_pedal_are_lacked_and_a_description_makes_it_again() -> None:
    assert Frames.lacks == ("loudness", "pedal")
    assert FRAMES.learned([no_notes()]) == FRAMES == from_spec(FRAMES.spec())
    with pytest.raises(ValueError, match="a frame lasts a millisecond at least"):
        from_spec({"kind": "frames", "frame_ms": 0})


def test_ten_times_the_notes_are_read_in_about_ten_times_the_time() -> None:
    few, many = encode(random_performance(1_000)), encode(random_performance(10_000))
    assert growth(lambda: rows_of(few), lambda: rows_of(many)) < 25
    assert rows_of(many).notes.sum() >= len(many) - 1


# --- writing --------------------------------------------------------------------------------------


def writer_after(*frames: set[int]) -> FrameWriter:
    return FRAMES.writer(notes_in(*frames), ink_of())


rolls = st.lists(st.sets(st.integers(40, 50), max_size=4), min_size=1, max_size=12)


@given(rolls)
def test_frames_come_back_as_the_notes_that_made_them(frames: list[set[int]]) -> None:
    notes = notes_in({40}, *frames)
    drawn = written(writer_after(), [*rows_of(notes).targets.tolist(), [END]])
    expected = zip(notes.onset_ms.tolist(), notes.pitch.tolist(), notes.duration_ms.tolist(), strict=True)
    assert [(note.onset_ms, note.pitch, note.duration_ms) for note in drawn] == list(expected)


def test_a_note_that_is_in_the_next_frame_too_goes_on() -> None:
    targets = rows_of(notes_in({60, 64}, {60}, {60, 67})).targets.tolist()
    assert written(writer_after(), [*targets, [END]]) == [
        Written(0, 60, 50, 1, 300),
        Written(0, 64, 50, 1, 100),
        Written(200, 67, 51, 1, 100),
    ]


def test_what_is_read_of_a_step_as_drawn_is_what_is_read_of_it_as_played() -> None:
    rows = rows_of(encode(random_performance(40, 2)))
    writer = writer_after()
    for i, row in enumerate(rows.targets.tolist()):
        _, read = writer.take(row)
        np.testing.assert_array_equal(read.columns, rows.read.columns[i : i + 1])
        np.testing.assert_array_equal(read.dense, rows.read.dense[i : i + 1])


def test_what_is_read_after_the_window_is_what_would_be_read_of_the_whole() -> None:
    window, frames = ({60, 64}, {60}, {62, 64}), ({62, 67}, {67}, {70})
    whole = rows_of(notes_in(*window, *frames))
    read_already = len(rows_of(notes_in(*window)))
    writer = writer_after(*window)
    for i, row in enumerate(whole.targets.tolist()[read_already:], start=read_already):
        _, read = writer.take(row)
        np.testing.assert_array_equal(read.columns, whole.read.columns[i : i + 1])
        np.testing.assert_array_equal(read.dense, whole.read.dense[i : i + 1])


def test_what_follows_begins_with_the_frame_after_the_last() -> None:
    writer = FRAMES.writer(notes_of((0, 60, 300), (120, 64, 90)), ink_of())
    assert written(writer, [[key(72)], [END], [END]]) == [Written(180, 72, 50, 1, 100)]


def drawable(writer: FrameWriter) -> set[int]:
    mask = writer.mask(0, [])
    assert mask is not None
    return set(np.flatnonzero(mask == 0).tolist())


def test_pitches_of_a_frame_ascend_within_the_range() -> None:
    writer = FRAMES.writer(no_notes(), ink_of(60, 64))
    assert drawable(writer) == {key(60), key(61), key(62), key(63), key(64), END}
    writer.take([key(62)])
    assert drawable(writer) == {key(63), key(64), END}
    writer.take([key(64)])
    assert drawable(writer) == {END}


def test_a_silence_ends_after_two_seconds() -> None:
    writer = writer_after()
    for _ in range(20):
        assert END in drawable(writer)
        writer.take([END])
    assert END not in drawable(writer)
    writer.take([key(60)])
    assert END in drawable(writer)


def test_a_note_that_does_not_end_is_ended_after_eight_seconds_and_struck_again() -> None:
    drawn = written(writer_after(), [[key(60)], [END]] * 100 + [[END]])
    assert [(note.onset_ms, note.duration_ms) for note in drawn] == [(0, 8000), (8000, 2000)]


@pytest.mark.parametrize("seed", range(3))
def test_a_performance_in_frames_comes_back_in_frames(seed: int) -> None:
    notes = encode(random_performance(60, seed))
    drawn = written(writer_after(), [*rows_of(notes).targets.tolist(), [END]])
    assert sum(note.duration_ms for note in drawn) == 100 * FRAMES.roll(notes).sum()
