"""The scale of what is played."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improv_core.heard import HeardNote
from improv_core.key_finding import (
    CERTAIN,
    HALF_LIFE_NOTES,
    key_probabilities,
    likeliest_scale,
    pitch_class_counts,
    scale_of,
)
from improv_core.notes import Part
from improv_core.scales import PATTERNS, TONICS, pitch_classes

UP_AND_DOWN = (0, 1, 2, 3, 4, 5, 6, 7, 6, 5, 4, 3, 2, 1)
"""Degrees of a scale over its tonic."""

CADENCE = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7, 12))
IN_MINOR = ((0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7, 12))


def scale_on(tonic: int, pattern: str) -> list[int]:
    steps = (*PATTERNS[pattern], 12)
    return [60 + tonic + steps[degree] for degree in UP_AND_DOWN]


def chords_on(tonic: int, chords: tuple[tuple[int, ...], ...]) -> list[int]:
    return [48 + tonic + pitch for chord in chords for pitch in chord]


def heard(pitches: list[int]) -> list[HeardNote]:
    return [HeardNote(Part.PLAYER, pitch, 64, 0.2 * i, 0.2) for i, pitch in enumerate(pitches)]


@pytest.mark.parametrize("tonic", range(12))
def test_a_cadence_tells_its_key(tonic: int) -> None:
    assert scale_of(heard(2 * chords_on(tonic, CADENCE))) == f"{TONICS[tonic]} major"
    assert scale_of(heard(2 * chords_on(tonic, IN_MINOR))) == f"{TONICS[tonic]} minor"


@pytest.mark.parametrize("tonic", range(12))
def test_a_scale_up_and_down_tells_its_notes(tonic: int) -> None:
    found = scale_of(heard(2 * scale_on(tonic, "major")))
    assert found is not None
    assert pitch_classes(found) == pitch_classes(f"{TONICS[tonic]} major")


@pytest.mark.parametrize(
    "pitches",
    [[], [60], [60] * 40, [60, 64, 67], [60, 62, 64, 65], list(range(48, 84))],
    ids=["nothing", "one-note", "one-note-forty-times", "one-chord", "a-tetrachord", "all-notes-alike"],
)
def test_no_scale_is_told_where_it_cannot_be_known(pitches: list[int]) -> None:
    assert scale_of(heard(pitches)) is None


def test_a_scale_is_told_as_soon_as_it_is_likely_enough() -> None:
    pitches = 3 * scale_on(2, "major")
    told = [scale_of(heard(pitches[:count])) is not None for count in range(len(pitches) + 1)]
    likely = [likeliest_scale(pitches[:count])[1] >= CERTAIN for count in range(len(pitches) + 1)]
    assert told == likely
    assert not any(told[:5])
    assert told[-1]


def test_another_key_is_found_once_it_has_been_played_for_long_enough() -> None:
    before, after = 20 * chords_on(0, CADENCE), chords_on(4, CADENCE)
    found = [likeliest_scale(before + times * after)[0] for times in (0, 1, 8)]
    assert found == ["C major", "C major", "E major"]


def test_a_note_counts_half_after_so_many_more() -> None:
    counts = pitch_class_counts([60] + [62] * HALF_LIFE_NOTES)
    assert counts[0] == pytest.approx(0.5)
    assert counts[2] == pytest.approx(sum(0.5 ** (age / HALF_LIFE_NOTES) for age in range(HALF_LIFE_NOTES)))


@given(st.lists(st.integers(0, 115), max_size=80), st.integers(0, 12))
def test_what_is_played_higher_has_the_same_key_higher(pitches: list[int], semitones: int) -> None:
    there = key_probabilities([pitch + semitones for pitch in pitches])
    assert np.allclose(there, np.roll(key_probabilities(pitches), semitones, axis=1))
    assert there.shape == (2, 12)
    assert there.sum() == pytest.approx(1)


def test_hours_of_playing_are_no_more_than_their_latest_notes() -> None:
    pitches = np.random.default_rng(0).integers(40, 80, 5000).tolist()
    assert likeliest_scale(pitches) == likeliest_scale(pitches[-512:])
