from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from improv_core.notes import SUSTAIN_CONTROLLER, ControlChange, Note, Performance
from improv_core.representation import encode
from improv_core.representation.encode import to_ms
from improv_training.corpora.beats import BeatMap
from improv_training.corpora.encoded import FIELDS
from improv_training.corpora.fast_midi import Voice
from improv_training.corpora.rows import rows_of


def voice(*notes: Note, pedal: tuple[ControlChange, ...] = ()) -> Voice:
    return Voice(
        "",
        0,
        0,
        onset_s=np.array([note.onset_s for note in notes]),
        release_s=np.array([note.release_s for note in notes]),
        pitch=np.array([note.pitch for note in notes]),
        velocity=np.array([note.velocity for note in notes]),
        pedal_s=np.array([change.at_s for change in pedal]),
        pedal=np.array([change.value for change in pedal], dtype=np.int64),
    )


def test_rows_say_what_is_played_by_which_voice_and_where_in_the_beat() -> None:
    right = voice(Note(72, 80, 0.0, 0.5), Note(74, 81, 0.75, 0.25))
    left = voice(Note(48, 60, 0.0, 1.0), pedal=(ControlChange(SUSTAIN_CONTROLLER, 127, 0.5),))
    beats = BeatMap(np.array([0.0, 0.5, 1.5]), np.array([0.0, 1.0, 2.0]))
    # dt_ms, pedal, pitch, velocity, duration_ms, voice, beat_ticks, beat_ms
    assert rows_of([right, left], beats).tolist() == [
        [0, 0, 48, 60, 1000, 1, 0, 500],
        [0, 0, 72, 80, 500, 0, 0, 500],
        [750, 1, 74, 81, 250, 0, 600, 1000],
    ]


def test_without_beats_positions_and_lengths_are_zero() -> None:
    assert rows_of([voice(Note(60, 64, 1.0, 0.5), Note(62, 64, 1.25, 0.5))])[:, -2:].tolist() == [[0, 0]] * 2


def test_a_key_that_two_voices_strike_at_once_is_the_earlier_ones() -> None:
    voices = [
        voice(Note(50, 64, 0.0, 0.5)),
        voice(Note(60, 64, 0.2502, 0.5)),
        voice(Note(60, 90, 0.2498, 0.75)),
    ]
    beats = BeatMap(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    assert rows_of(voices, beats).tolist() == [
        [0, 0, 50, 64, 500, 0, 0, 1000],
        [250, 0, 60, 90, 750, 1, 120, 1000],
    ]


moments = st.integers(0, 3000).map(lambda tenths: tenths / 10_000)
drawn_notes = st.builds(Note, st.integers(60, 63), st.integers(1, 127), moments, moments)
drawn_pedal = st.builds(
    ControlChange, st.just(SUSTAIN_CONTROLLER), st.sampled_from([0, 63, 64, 127]), moments
)
drawn_voice = st.tuples(
    st.lists(drawn_notes, min_size=1, max_size=12),
    st.lists(drawn_pedal, max_size=3).map(lambda pedal: sorted(pedal, key=lambda change: change.at_s)),
)


@given(st.lists(drawn_voice, min_size=1, max_size=3))
def test_the_first_columns_are_what_core_encodes_and_each_voice_struck_its_keys(
    drawn: list[tuple[list[Note], list[ControlChange]]],
) -> None:
    rows = rows_of([voice(*notes, pedal=tuple(pedal)) for notes, pedal in drawn])
    expected = encode(
        Performance.of(
            itertools.chain.from_iterable(notes for notes, _ in drawn),
            itertools.chain.from_iterable(pedal for _, pedal in drawn),
        )
    )
    assert rows[:, : len(FIELDS)].tolist() == list(
        map(list, zip(*(getattr(expected, field).tolist() for field in FIELDS), strict=True))
    )
    struck = [{(to_ms(note.onset_s), note.pitch) for note in notes} for notes, _ in drawn]
    first_ms = min(onset_ms for keys in struck for onset_ms, _ in keys)
    for onset_ms, row in zip((first_ms + np.cumsum(rows[:, 0])).tolist(), rows.tolist(), strict=True):
        assert row[5] == next(i for i, keys in enumerate(struck) if (onset_ms, row[2]) in keys)
