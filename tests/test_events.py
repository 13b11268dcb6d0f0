"""PerformanceRNN's words: a piece as key-downs, key-ups, time shifts and velocities, and notes again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from growing_work import growth
from hypothesis import given
from hypothesis import strategies as st
from tiny_corpora import random_performance
from window_models import ink_of, no_notes, notes_of, written

from improv_core.representation import Events, Notes, Rows, encode, from_spec
from improv_core.representation.events import (
    OFF,
    SHIFT,
    VELOCITY,
    WORDS,
    EventWriter,
    sustained_ms,
    words_of,
)
from improv_core.representation.writing import Written

FORTE = VELOCITY + 25  # 100..103
MEZZO = VELOCITY + 16  # 64..67


def shift(milliseconds: int) -> int:
    """One time shift, 10 ms to 1 s."""
    return SHIFT + milliseconds // 10 - 1


def pedalled(notes: Notes, *pedal: int) -> Notes:
    return replace(notes, pedal=np.array(pedal, dtype=np.int64))


# --- the vocabulary -------------------------------------------------------------------------------


def test_there_are_388_words() -> None:
    assert WORDS == 388 == 128 + 128 + 100 + 32
    assert (OFF, SHIFT, VELOCITY) == (128, 256, 356)
    assert Events().attributes[0].binning.size == 388
    assert Events().columns[0].size == 389
    assert Events().start().columns.tolist() == [[388]]


def test_a_note_is_a_velocity_a_key_down_a_time_shift_and_a_key_up() -> None:
    assert words_of(notes_of((0, 60, 250))).tolist() == [MEZZO, 60, shift(250), OFF + 60]


def test_a_velocity_is_said_only_when_it_changes() -> None:
    notes = replace(
        notes_of(*((100 * i, 60 + i, 100) for i in range(4))), velocity=np.array([64, 67, 100, 64])
    )
    words = words_of(notes).tolist()
    assert [word for word in words if word >= VELOCITY] == [MEZZO, FORTE, MEZZO]
    assert words.index(FORTE) == words.index(62) - 1
    assert words[words.index(61) - 1] == OFF + 60


def test_a_silence_of_more_than_a_second_takes_several_shifts() -> None:
    words = words_of(notes_of((0, 60, 100), (2600, 62, 1000))).tolist()
    assert words == [
        MEZZO,
        60,
        shift(100),
        OFF + 60,
        shift(1000),
        shift(1000),
        shift(500),
        62,
        shift(1000),
        OFF + 62,
    ]


def test_times_are_rounded_to_10_ms_without_adding_up_the_error() -> None:
    words = words_of(notes_of(*((14 * i, 60 + i, 2000) for i in range(11)))).tolist()
    shifts = [word - SHIFT + 1 for word in words if SHIFT <= word < VELOCITY][:10]
    assert sum(shifts) == 14
    assert set(shifts) == {1, 2}


def test_keys_come_up_before_others_go_down_at_the_same_time() -> None:
    words = words_of(notes_of((0, 60, 100), (100, 60, 50), (100, 64, 50))).tolist()
    assert words == [MEZZO, 60, shift(100), OFF + 60, 60, 64, shift(50), OFF + 60, OFF + 64]


def test_no_note_ends_with_its_beginning() -> None:
    assert words_of(notes_of((0, 60, 1))).tolist() == [MEZZO, 60, shift(10), OFF + 60]


def test_a_piece_without_notes_has_no_words() -> None:
    assert words_of(no_notes()).tolist() == []


# --- the pedal ------------------------------------------------------------------------------------


def test_without_the_pedal_durations_are_as_they_are() -> None:
    notes = notes_of((0, 60, 100), (200, 64, 500), (300, 67, 90))
    assert sustained_ms(notes).tolist() == [100, 500, 90]


def test_a_note_let_go_with_the_pedal_down_sounds_until_an_onset_finds_it_up() -> None:
    notes = pedalled(notes_of((0, 60, 100), (200, 64, 100), (400, 67, 100), (600, 72, 100)), 1, 1, 1, 0)
    assert sustained_ms(notes).tolist() == [600, 400, 200, 100]


def test_a_note_held_longer_than_the_pedal_ends_with_its_key() -> None:
    notes = pedalled(notes_of((0, 60, 900), (200, 64, 100), (400, 67, 100)), 1, 1, 0)
    assert sustained_ms(notes).tolist() == [900, 200, 100]


def test_the_pedal_ends_where_the_key_is_struck_again() -> None:
    notes = pedalled(notes_of((0, 60, 100), (200, 60, 100), (400, 67, 100)), 1, 1, 0)
    assert sustained_ms(notes).tolist() == [200, 200, 100]


def test_a_pedal_that_never_comes_up_ends_with_the_last_key() -> None:
    notes = pedalled(notes_of((0, 60, 100), (200, 64, 100), (400, 67, 150)), 1, 1, 1)
    assert sustained_ms(notes).tolist() == [550, 350, 150]


def test_nothing_played_sustains_nothing() -> None:
    assert sustained_ms(no_notes()).tolist() == []


@given(st.integers(0, 30))
def test_sustained_notes_last_at_least_as_long_unless_they_are_struck_again(seed: int) -> None:
    notes = encode(random_performance(60, seed))
    sustained, onset_ms = sustained_ms(notes), notes.onset_ms
    for i in range(len(notes)):
        again = [
            int(o)
            for o, p in zip(onset_ms[i + 1 :], notes.pitch[i + 1 :], strict=True)
            if p == notes.pitch[i]
        ]
        limit_ms = again[0] - int(onset_ms[i]) if again else np.inf
        assert min(int(notes.duration_ms[i]), limit_ms) <= sustained[i] <= limit_ms


# --- rows -----------------------------------------------------------------------------------------


def test_every_word_is_a_step_and_a_note_counts_where_its_key_goes_down() -> None:
    notes = encode(random_performance(50))
    rows = Events().rows(notes, np.zeros(len(notes), dtype=np.int64))
    assert rows.targets[:, 0].tolist() == words_of(notes).tolist() == rows.read.columns[:, 0].tolist()
    assert rows.notes.sum() == len(notes)
    assert rows.scored.all()
    assert (rows.lost.sum(), rows.charge.sum()) == (0, 0.0)


def test_nothing_is_lacked_and_nothing_is_learned() -> None:
    assert Events.lacks == ()
    assert Events().learned([no_notes()]) == Events() == from_spec(Events().spec())
    with pytest.raises(ValueError, match="there are 388 words, not 413"):
        from_spec({"kind": "events", "words": 413})


def test_ten_times_the_notes_are_read_in_about_ten_times_the_time() -> None:
    few, many = encode(random_performance(1_000)), encode(random_performance(10_000))

    def read(notes: Notes) -> Rows:
        return Events().rows(notes, np.zeros(len(notes), dtype=np.int64))

    assert growth(lambda: read(few), lambda: read(many)) < 25
    assert read(many).notes.sum() == len(many)


# --- writing --------------------------------------------------------------------------------------


@st.composite
def on_the_grid(draw: st.DrawFn) -> Notes:
    """Notes on the grid of 10 ms, without pedal; no key goes down twice before it came up."""
    at_ms, played, free_from_ms = 0, list[tuple[int, int, int]](), dict[int, int]()
    for _ in range(draw(st.integers(1, 20))):
        at_ms += 10 * draw(st.sampled_from([0, 0, 1, 5, 30, 101, 150]))
        pitch = draw(st.integers(50, 60))
        if at_ms >= free_from_ms.get(pitch, 0):
            duration_ms = 10 * draw(st.integers(1, 150))
            played.append((at_ms, pitch, duration_ms))
            free_from_ms[pitch] = at_ms + duration_ms
    return notes_of(*sorted(played))


@given(on_the_grid())
def test_notes_on_the_grid_come_back_as_they_were(notes: Notes) -> None:
    drawn = written(Events().writer(no_notes(), ink_of()), words_of(notes)[:, None])
    expected = zip(notes.onset_ms.tolist(), notes.pitch.tolist(), notes.duration_ms.tolist(), strict=True)
    assert sorted((n.onset_ms, n.pitch, n.duration_ms) for n in drawn) == sorted(expected)
    assert {n.velocity for n in drawn} == {66}
    assert [n.onset_ms for n in drawn] == sorted(n.onset_ms for n in drawn)


def test_a_real_performance_comes_back_to_the_nearest_10_ms() -> None:
    notes = encode(random_performance(200, 3))
    drawn = written(Events().writer(no_notes(), ink_of()), words_of(notes)[:, None])
    assert len(drawn) == len(notes)
    assert [n.pitch for n in sorted(drawn, key=lambda n: (n.onset_ms, n.pitch))] == notes.pitch.tolist()
    assert max(abs(a.velocity - b) for a, b in zip(drawn, notes.velocity.tolist(), strict=True)) <= 2


def following(notes: Notes) -> EventWriter:
    return Events().writer(notes, ink_of())


def test_what_follows_begins_when_the_last_of_the_window_has_ended() -> None:
    writer = following(notes_of((0, 60, 1000), (400, 64, 100)))
    assert written(writer, np.array([[72], [shift(50)], [OFF + 72]])) == [Written(600, 72, 64, 0, 50)]


def mask_of(writer: EventWriter) -> set[int]:
    """The words that can be drawn."""
    mask = writer.mask(0, [])
    assert mask is not None
    return set(np.flatnonzero(mask == 0).tolist())


KEYS_IN_RANGE = set(range(21, 109))
SHIFTS = set(range(SHIFT, VELOCITY))
LOUDNESS = set(range(VELOCITY, WORDS))


def test_only_keys_that_are_down_come_up_and_none_goes_down_twice() -> None:
    writer = following(no_notes())
    assert mask_of(writer) == KEYS_IN_RANGE | SHIFTS | LOUDNESS
    writer.take([60])
    assert mask_of(writer) == KEYS_IN_RANGE - {60} | SHIFTS | LOUDNESS  # not up with its beginning either
    writer.take([shift(10)])
    assert mask_of(writer) == KEYS_IN_RANGE - {60} | {OFF + 60} | SHIFTS | LOUDNESS
    writer.take([OFF + 60])
    assert mask_of(writer) == KEYS_IN_RANGE | SHIFTS | LOUDNESS


def test_the_velocity_does_not_change_twice_before_a_note() -> None:
    writer = following(no_notes())
    writer.take([FORTE])
    assert mask_of(writer) == KEYS_IN_RANGE | SHIFTS


def test_a_silence_ends_after_two_seconds_but_a_held_note_is_none() -> None:
    writer = following(no_notes())
    for word in (60, shift(1000), shift(1000), shift(1000), OFF + 60, shift(1000), shift(990)):
        writer.take([word])
    assert mask_of(writer) == KEYS_IN_RANGE | SHIFTS | LOUDNESS
    writer.take([shift(10)])
    assert mask_of(writer) == KEYS_IN_RANGE | LOUDNESS


def test_a_key_that_does_not_come_up_is_let_go_after_eight_seconds() -> None:
    writer = following(no_notes())
    writer.take([60])
    for _ in range(7):
        assert writer.take([shift(1000)])[0] == []
    assert writer.take([shift(1000)])[0] == [Written(0, 60, 64, 0, 8000)]
    assert OFF + 60 not in mask_of(writer)


@pytest.mark.parametrize(("word", "velocity"), [(VELOCITY, 2), (FORTE, 102), (WORDS - 1, 126)])
def test_a_velocity_is_the_middle_of_its_class(word: int, velocity: int) -> None:
    drawn = written(following(no_notes()), np.array([[word], [60], [shift(10)], [OFF + 60]]))
    assert drawn == [Written(0, 60, velocity, 0, 10)]
