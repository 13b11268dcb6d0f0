"""Names of notes and chords, normal order, and notes again."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improv_core.representation.chord_names import (
    normal_order,
    pitch_name,
    pitch_of,
    pitches_of,
    symbol_of,
)

# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pitch", "name"), [(0, "C-1"), (21, "A0"), (60, "C4"), (61, "C#4"), (70, "A#4"), (127, "G9")]
)
def test_a_note_is_named_in_scientific_pitch_notation(pitch: int, name: str) -> None:
    assert pitch_name(pitch) == name
    assert pitch_of(name) == pitch


def test_every_key_has_a_name_of_its_own() -> None:
    assert [pitch_of(pitch_name(pitch)) for pitch in range(128)] == list(range(128))
    assert len({pitch_name(pitch) for pitch in range(128)}) == 128


@pytest.mark.parametrize("name", ["", "H4", "C", "c4", "4"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        pitch_of(name)


# --- normal order ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ((0, 4, 7), (0, 4, 7)),  # C major, and its inversions
        ((4, 7, 0), (0, 4, 7)),
        ((7, 0, 4), (0, 4, 7)),
        ((9, 0, 4), (9, 0, 4)),  # A minor
        ((7, 11, 2, 5), (11, 2, 5, 7)),  # a dominant seventh begins on its third
        ((0, 4, 7, 11), (11, 0, 4, 7)),  # a major seventh on its seventh
        ((9, 0, 4, 7), (4, 7, 9, 0)),  # a minor seventh on its fifth: spans of 8 and 8, packed to the left
        ((0, 3, 6, 9), (0, 3, 6, 9)),  # diminished seventh: all rotations alike, from the lowest class
        ((8, 0, 4), (0, 4, 8)),
        ((0, 1, 11), (11, 0, 1)),
        ((5,), (5,)),
        ((11, 0), (11, 0)),
        ((0, 6), (0, 6)),
        # spans tie at 8; the first interval decides (Forte), where the last would give 5, 7, 11, 1 (Rahn)
        ((0, 1, 5, 8), (0, 1, 5, 8)),
        ((0, 2, 4, 5, 7, 9, 11), (11, 0, 2, 4, 5, 7, 9)),  # the diatonic scale
    ],
)
def test_the_normal_order_is_the_most_compact_packed_to_the_left(
    classes: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    for order in itertools.islice(itertools.permutations(classes), 24):
        assert normal_order(order) == expected


def test_of_two_equally_wide_orders_the_one_with_the_smaller_first_interval_is_normal() -> None:
    # Forte's 5-20: packed from the left it is 0, 1, 3, 7, 8; packed from the right 0, 1, 5, 6, 8.
    assert normal_order((0, 1, 3, 7, 8)) == (0, 1, 3, 7, 8)
    assert normal_order((7, 8, 0, 1, 3)) == (0, 1, 3, 7, 8)


@given(st.sets(st.integers(0, 11), min_size=1), st.integers(0, 11))
def test_transposing_a_chord_transposes_its_normal_order(classes: set[int], by: int) -> None:
    plain = normal_order(classes)
    moved = normal_order((one + by) % 12 for one in classes)
    assert set(moved) == {(one + by) % 12 for one in classes}
    assert intervals(moved) == intervals(plain)


@given(st.sets(st.integers(0, 11), min_size=1))
def test_no_rotation_spans_less_than_the_normal_order(classes: set[int]) -> None:
    ordered = sorted(classes)
    rotations = [ordered[i:] + ordered[:i] for i in range(len(ordered))]
    assert sum(intervals(normal_order(classes))) == min(sum(intervals(tuple(r))) for r in rotations)


def intervals(order: tuple[int, ...]) -> list[int]:
    return [(b - a) % 12 for a, b in itertools.pairwise(order)]


# --- symbols --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pitches", "by_pitches", "by_normal_order"),
    [
        ((60,), "C4", "C4"),
        ((60, 60), "C4", "C4"),
        ((67, 60, 64), "C4.E4.G4", "0.4.7"),
        ((52, 67, 72), "E3.G4.C5", "0.4.7"),
        ((48, 60), "C3.C4", "0"),
    ],
)
def test_the_notes_of_an_onset_are_one_symbol(
    pitches: tuple[int, ...], by_pitches: str, by_normal_order: str
) -> None:
    assert symbol_of(pitches, "pitches") == by_pitches
    assert symbol_of(pitches, "normal-order") == by_normal_order


@given(st.sets(st.integers(0, 127), min_size=1, max_size=6))
def test_a_chord_by_its_pitches_comes_back_whole(pitches: set[int]) -> None:
    assert pitches_of(symbol_of(pitches, "pitches"), bass=48) == tuple(sorted(pitches))


@given(st.sets(st.integers(0, 127), min_size=2, max_size=6), st.integers(24, 72))
def test_a_chord_in_normal_order_comes_back_as_its_classes_near_the_bass(
    pitches: set[int], bass: int
) -> None:
    notes = pitches_of(symbol_of(pitches, "normal-order"), bass)
    assert {note % 12 for note in notes} == {pitch % 12 for pitch in pitches}
    assert notes == tuple(sorted(notes))
    assert -6 <= notes[0] - bass <= 5
    assert notes[-1] - notes[0] < 12
