"""The checks see what is wrong with a stream, and nothing where nothing is."""

from __future__ import annotations

from midi_checks import (
    Balance,
    balance,
    distinct_velocities,
    match_notes,
    notes_of,
    pedals_down,
    polyphony,
    unanswered,
)

from improv_core.notes import Note

ON, OFF, CC = 0x90, 0x80, 0xB0


def test_balance_sees_hanging_orphaned_and_doubled_keys() -> None:
    messages = [
        (0.0, (ON, 60, 64)),
        (0.1, (ON | 1, 60, 64)),
        (0.2, (ON, 62, 64)),
        (0.3, (ON, 62, 64)),
        (0.4, (ON, 62, 0)),
        (0.5, (OFF, 60, 0)),
        (0.6, (OFF, 61, 0)),
        (0.7, (0xF8,)),
    ]
    assert balance(messages) == Balance(((1, 60), (0, 62)), ((0, 61),), ((0, 62),))


def test_pedals_down_are_those_whose_last_value_is_down() -> None:
    messages = [
        (0.0, (CC, 64, 127)),
        (0.1, (CC | 1, 64, 64)),
        (0.2, (CC, 64, 63)),
        (0.3, (CC | 2, 66, 127)),
    ]
    assert pedals_down(messages) == (1,)


def test_notes_are_paired_by_channel_and_end_with_the_stream() -> None:
    messages = [
        (1.0, (ON, 60, 64)),
        (1.5, (ON | 1, 60, 70)),
        (2.0, (OFF, 60, 0)),
        (3.0, (CC, 64, 0)),
    ]
    assert notes_of(messages) == (Note(60, 64, 1.0, 1.0), Note(60, 70, 1.5, 1.5))
    assert notes_of(messages, channel=1) == (Note(60, 70, 1.5, 1.5),)


def test_polyphony_counts_keys_down_at_once() -> None:
    assert polyphony([Note(60, 64, 0.0, 1.0), Note(64, 64, 0.5, 1.0), Note(67, 64, 1.0, 1.0)]) == 2
    assert polyphony([]) == 0


def test_distinct_velocities_are_counted() -> None:
    assert distinct_velocities([Note(60, v, 0.0, 1.0) for v in (60, 61, 60)]) == 2


def test_calls_without_an_onset_before_the_next_are_unanswered() -> None:
    answers = [Note(60, 64, onset, 0.5) for onset in (1.5, 1.7, 9.0)]
    assert unanswered([1.0, 4.0, 8.0], [3.0, 6.0], answers) == (1,)


def test_notes_match_by_pitch_and_nearest_onset() -> None:
    expected = [Note(60, 64, 0.0, 1.0), Note(60, 64, 0.1, 1.0), Note(62, 64, 0.5, 1.0)]
    actual = [Note(60, 64, 0.102, 1.0), Note(60, 64, 0.001, 1.1), Note(64, 64, 0.5, 1.0)]
    matches = match_notes(expected, actual, tolerance_s=0.005)
    assert matches.pairs == ((expected[0], actual[1]), (expected[1], actual[0]))
    assert (matches.missing, matches.extra) == ((expected[2],), (actual[2],))
    assert round(matches.max_onset_error_s, 6) == 0.002
    assert round(matches.max_release_error_s, 6) == 0.101
