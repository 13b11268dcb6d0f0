"""Which of the player's notes get a harmony: told at once, never after waiting."""

from __future__ import annotations

from improv_core.melody_line import HAND, HELD_S, LEAP, RESTS_S, MelodyLine
from improv_core.notes import CHORD_MS

LATER_S = CHORD_MS / 1000


def told(*notes: tuple[int, float, tuple[int, ...]]) -> list[bool]:
    """For (pitch, onset, other keys down) whether each is melody."""
    line = MelodyLine()
    return [line.press(pitch, at_s, (pitch, *others)) for pitch, at_s, others in notes]


def test_notes_one_after_another_are_melody() -> None:
    assert told((60, 0.0, ()), (62, 0.5, ()), (59, 1.0, ())) == [True, True, True]


def test_a_note_under_a_key_that_is_down_is_not() -> None:
    assert told((72, 0.0, ()), (48, 0.5, (72,)), (74, 1.0, (48,))) == [True, False, True]


def test_a_key_above_that_never_comes_up_silences_the_harmony_for_some_seconds_only() -> None:
    later = [(60 + i, at_s, (96,)) for i, at_s in enumerate((1.0, HELD_S, HELD_S + 0.5))]
    assert told((96, 0.0, ()), *later) == [True, False, False, True]


def test_a_key_that_is_struck_again_is_above_once_more() -> None:
    assert told((96, 0.0, ()), (96, HELD_S, ()), (60, HELD_S + 1, (96,))) == [True, True, False]


def test_of_a_chord_from_below_only_what_arrives_first_is() -> None:
    assert told((60, 0.0, ()), (64, 0.004, (60,)), (67, 0.008, (60, 64))) == [True, False, False]


def test_of_a_chord_from_above_only_its_top_is() -> None:
    assert told((67, 0.0, ()), (64, 0.004, (67,)), (60, 0.008, (67, 64))) == [True, False, False]


def test_a_melody_note_with_a_left_hand_far_below_is() -> None:
    assert told((48, 0.0, ()), (72, 0.005, (48,))) == [True, True]
    assert told((60 - HAND, 0.0, ()), (60, 0.005, (48,))) == [True, True]


def test_a_note_is_no_mate_of_one_struck_earlier_than_a_chord_takes() -> None:
    assert told((60, 0.0, ()), (64, LATER_S, (60,))) == [True, True]


def test_a_left_hand_that_goes_on_through_a_rest_is_not() -> None:
    assert told((72, 0.0, ()), (72 - LEAP - 1, 0.5, ()), (72 - LEAP, 1.0, ())) == [True, False, True]


def test_a_line_that_is_left_for_long_is_forgotten() -> None:
    assert told((72, 0.0, ()), (48, RESTS_S, ()), (50, RESTS_S + 0.5, ())) == [True, True, True]
