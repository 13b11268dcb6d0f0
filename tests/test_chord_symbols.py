"""What musicians call the notes that are struck together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improv_core.chord_symbols import chord_symbol

PITCHES = st.sets(st.integers(0, 127), max_size=8)


@pytest.mark.parametrize(
    ("pitches", "symbol"),
    [
        ((60, 64, 67), "C"),
        ((57, 60, 64), "Am"),
        ((58, 62, 65), "Bb"),
        ((59, 62, 65), "Bdim"),
        ((60, 64, 68), "Caug"),
        ((48, 64, 67, 70), "C7"),
        ((53, 60, 64, 69), "Fmaj7"),
        ((50, 53, 57, 60), "Dm7"),
        ((59, 62, 65, 69), "Bm7b5"),
        ((60, 63, 66, 69), "Cdim7"),
        ((43, 53, 57, 62, 59), "G9"),
        ((60, 65, 67), "Csus4"),
        ((48, 64, 70), "C7(no5)"),
        ((63, 67, 70), "Eb"),
    ],
)
def test_a_chord_whose_root_is_in_the_bass_is_named_by_it(pitches: tuple[int, ...], symbol: str) -> None:
    assert chord_symbol(pitches) == symbol


@pytest.mark.parametrize(
    ("pitches", "symbol"), [((64, 67, 72), "C/E"), ((55, 60, 64), "C/G"), ((57, 62, 65), "Dm/A")]
)
def test_an_inversion_names_its_bass(pitches: tuple[int, ...], symbol: str) -> None:
    assert chord_symbol(pitches) == symbol


def test_of_two_readings_that_with_the_root_in_the_bass_is_taken() -> None:
    assert chord_symbol((57, 60, 64, 67)) == "Am7"
    assert chord_symbol((60, 64, 67, 69)) == "C6"
    assert chord_symbol((60, 62, 67)) == "Csus2"
    assert chord_symbol((55, 60, 62)) == "Gsus4"


@pytest.mark.parametrize(
    ("pitches", "interval"),
    [
        ((60, 72), "octave"),
        ((60, 67), "perfect fifth"),
        ((67, 72), "perfect fourth"),
        ((60, 76), "major third"),
        ((60, 66), "tritone"),
        ((48, 60, 61), "minor second"),
    ],
)
def test_two_pitch_classes_are_the_interval_above_the_bass_within_an_octave(
    pitches: tuple[int, ...], interval: str
) -> None:
    assert chord_symbol(pitches) == interval


def test_what_has_no_name_is_its_pitch_classes_from_the_bass_up() -> None:
    assert chord_symbol((60, 61, 62)) == "C-C#-D"
    assert chord_symbol((62, 72, 73)) == "D-C-C#"


@pytest.mark.parametrize("pitches", [(), (60,), (60, 60)])
def test_one_note_and_none_are_no_chord(pitches: tuple[int, ...]) -> None:
    assert chord_symbol(pitches) == ""


@given(PITCHES, st.integers(-3, 3))
def test_octaves_above_the_bass_and_the_order_do_not_matter(pitches: set[int], octaves: int) -> None:
    moved = {pitch + 12 * octaves for pitch in pitches}
    assert chord_symbol(moved) == chord_symbol(sorted(pitches, reverse=True))
