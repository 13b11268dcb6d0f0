"""Patterns that go round and round."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improv_core.loops import LATEST, SHORTEST, repeating

FIGURE = ((60, 100), (64, 100), (67, 100), (72, 100), (67, 200))


def pattern(length: int) -> list[tuple[int, int]]:
    """Pitches that are all different."""
    return [(40 + i, 100 + 50 * (i % 3)) for i in range(length)]


def test_what_has_not_been_played_before_repeats_nothing() -> None:
    assert repeating([]) == {}
    assert repeating(pattern(40)) == {}


def test_a_short_motif_may_come_again() -> None:
    motif = pattern(SHORTEST - 1)
    assert repeating([*motif, (90, 100), *motif]) == {}


def test_eight_notes_that_come_again_would_go_on_as_before() -> None:
    phrase = pattern(SHORTEST)
    assert repeating([*phrase, (90, 100), *phrase]) == {90: SHORTEST}


def test_a_figure_that_goes_round_would_go_round_again() -> None:
    assert repeating([*FIGURE * 3]) == {60: 10}
    assert repeating([*FIGURE * 3, FIGURE[0]]) == {64: 11}


def test_one_note_over_and_over_is_a_loop() -> None:
    assert repeating([(60, 150)] * 12) == {60: 11}


def test_each_way_that_it_went_on_counts() -> None:
    phrase = pattern(SHORTEST)
    assert repeating([*phrase, (90, 100), *phrase, (91, 100), *phrase]) == {90: SHORTEST, 91: SHORTEST}


@pytest.mark.parametrize(
    ("dt_ms", "again_ms", "is_loop"),
    [
        (100, 129, True),
        (100, 140, False),
        (10, 35, True),
        (500, 590, True),
        (500, 640, False),
        (1000, 400, False),
    ],
)
def test_times_are_alike_within_a_chord_or_a_fifth(dt_ms: int, again_ms: int, is_loop: bool) -> None:
    phrase, again = [[(50 + i, ms) for i in range(SHORTEST)] for ms in (dt_ms, again_ms)]
    assert bool(repeating([*phrase, (90, 100), *again])) is is_loop


def test_a_phrase_in_another_key_is_no_loop() -> None:
    phrase = pattern(SHORTEST)
    assert repeating([*phrase, (90, 100), *((pitch + 1, dt_ms) for pitch, dt_ms in phrase)]) == {}


def test_what_is_long_ago_is_forgotten() -> None:
    phrase, between = pattern(SHORTEST), [(100 + i % 20, 7 * i) for i in range(LATEST)]
    assert repeating([*phrase, (90, 100), *between, *phrase]) == {}


@given(st.lists(st.tuples(st.integers(60, 62), st.sampled_from([0, 100, 300])), max_size=80))
def test_what_is_found_has_been_played_after_those_very_notes(notes: list[tuple[int, int]]) -> None:
    for pitch, length in repeating(notes).items():
        assert SHORTEST <= length < LATEST
        pitches = [note[0] for note in notes]
        suffix = pitches[-length:]
        places = range(length, len(pitches))
        assert any(pitches[i] == pitch and pitches[i - length : i] == suffix for i in places)
