"""The human-like fixture is what the end-to-end tests take it for."""

from __future__ import annotations

import itertools

import pytest
from midi_checks import balance, distinct_velocities, pedals_down, polyphony
from performance_fixture import human_performance

from improv_daemon.phrases import key_messages

SEEDS = pytest.mark.parametrize("seed", [1, 2, 3])


def test_the_same_seed_plays_the_same_and_another_does_not() -> None:
    assert human_performance(1) == human_performance(1)
    assert human_performance(1) != human_performance(2)


@SEEDS
def test_it_lasts_about_45_seconds_in_phrases_with_gaps(seed: int) -> None:
    human = human_performance(seed)
    assert 40.0 < human.performance.end_s < 50.0
    assert len(human.phrase_starts_s) == len(human.phrase_ends_s) == 7
    gaps = [b - a for a, b in zip(human.phrase_ends_s, human.phrase_starts_s[1:], strict=False)]
    assert all(1.5 <= gap <= 3.0 for gap in gaps)


@SEEDS
def test_no_key_is_down_in_the_gaps_and_one_always_is_in_the_phrases(seed: int) -> None:
    human = human_performance(seed)
    silences = []
    down_until_s = itertools.accumulate((note.release_s for note in human.performance.notes), max)
    for until_s, note in zip(down_until_s, human.performance.notes[1:], strict=False):
        if note.onset_s > until_s:
            silences.append((until_s, note.onset_s))
    gaps = list(zip(human.phrase_ends_s, human.phrase_starts_s[1:], strict=False))
    assert [end for end, _ in silences] == pytest.approx([end for end, _ in gaps])


@SEEDS
def test_it_is_played_with_chords_dynamics_and_pedal_and_lets_go_of_everything(seed: int) -> None:
    performance = human_performance(seed).performance
    assert polyphony(performance.notes) >= 5
    assert distinct_velocities(performance.notes) >= 30
    assert len(performance.pedal) >= 30
    messages = key_messages(performance)
    kept = balance(messages)
    assert (kept.hanging, kept.orphans, kept.struck_twice) == ((), (), ())
    assert pedals_down(messages) == ()


@SEEDS
def test_it_ends_with_a_held_chord(seed: int) -> None:
    human = human_performance(seed)
    chord = human.performance.notes[-6:]
    assert all(note.onset_s >= human.phrase_starts_s[-1] for note in chord)
    assert all(note.duration_s > 4.5 for note in chord)
