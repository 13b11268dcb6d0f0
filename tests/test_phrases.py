"""The demo's calls are music a listener can follow, and leave nothing sounding."""

from __future__ import annotations

import itertools

import pytest
from midi_checks import balance, distinct_velocities, notes_of, pedals_down, polyphony

from improv_core.notes import ControlChange, Note, Performance
from improv_daemon.phrases import demo_phrases, key_messages

EACH = pytest.mark.parametrize("phrase", demo_phrases())


def test_there_are_three_calls_and_no_two_are_alike() -> None:
    assert len(set(demo_phrases())) == 3


@EACH
def test_a_call_lasts_three_to_five_seconds(phrase: Performance) -> None:
    assert 3.0 <= phrase.end_s <= 5.0
    assert phrase.notes[0].onset_s == 0.0


@EACH
def test_a_call_has_chords_melody_dynamics_and_pedal(phrase: Performance) -> None:
    assert polyphony(phrase.notes) >= 4
    assert distinct_velocities(phrase.notes) >= 10
    assert len(phrase.pedal) >= 4


@EACH
def test_a_call_has_no_silence_that_could_end_it_early(phrase: Performance) -> None:
    down_until_s = itertools.accumulate((note.release_s for note in phrase.notes), max)
    following = (note.onset_s for note in phrase.notes[1:])
    assert all(onset_s <= until_s for until_s, onset_s in zip(down_until_s, following, strict=False))


@EACH
def test_a_call_leaves_nothing_sounding(phrase: Performance) -> None:
    messages = key_messages(phrase)
    kept = balance(messages)
    assert (kept.hanging, kept.orphans, kept.struck_twice) == ((), (), ())
    assert pedals_down(messages) == ()


@EACH
def test_a_calls_messages_are_its_notes(phrase: Performance) -> None:
    for note, back in zip(phrase.notes, notes_of(key_messages(phrase)), strict=True):
        assert (back.pitch, back.velocity, back.onset_s) == (note.pitch, note.velocity, note.onset_s)
        assert back.release_s == pytest.approx(note.release_s)


def test_key_messages_are_in_time_and_lift_before_they_strike() -> None:
    performance = Performance.of(
        [Note(60, 64, 0.0, 1.0), Note(60, 70, 1.0, 0.5)], [ControlChange(64, 127, 1.0)]
    )
    assert key_messages(performance, channel=2) == (
        (0.0, (0x92, 60, 64)),
        (1.0, (0x82, 60, 0)),
        (1.0, (0xB2, 64, 127)),
        (1.0, (0x92, 60, 70)),
        (1.5, (0x82, 60, 0)),
    )
