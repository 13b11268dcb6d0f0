"""Two who play at once, measured: collisions, crossings, crowds, agreement."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from improv_core.midi_files import Track, write_midi
from improv_core.notes import Note, Performance
from improv_training.evaluation.duetting import Figures, TwoHands, figures, read_two_hands, stretch


def notes_of(*pairs: tuple[float, int], duration_s: float = 0.2) -> tuple[Note, ...]:
    return tuple(Note(pitch, 64, at_s, duration_s) for at_s, pitch in pairs)


def measured(hand: tuple[Note, ...], player: tuple[Note, ...], **others: object) -> Figures:
    given = {"real": (), "is_lower": True, "length_s": 10.0} | others
    found = figures(hand, player, **given)
    assert found is not None
    return found


def test_a_note_near_one_that_was_just_played_is_a_collision() -> None:
    player = notes_of((0.0, 60))
    hand = notes_of((0.5, 56), (0.6, 55), (0.7, 60), (1.5, 60))
    found = measured(hand, player)
    assert (found.near, found.unison) == (0.5, 0.25)


def test_a_note_that_still_sounds_can_be_collided_with() -> None:
    assert measured(notes_of((2.5, 60)), notes_of((0.0, 60), duration_s=3.0)).near == 1.0


@pytest.mark.parametrize(("is_lower", "share"), [(True, 2 / 3), (False, 1 / 3)])
def test_crossing_is_past_the_nearer_end_of_the_players_span(is_lower: bool, share: float) -> None:
    player = notes_of((0.0, 60), (0.1, 72))
    pitches = (59, 66, 73) if is_lower else (71, 73, 80)
    hand = notes_of(*((0.5 + 0.1 * i, pitch) for i, pitch in enumerate(pitches)))
    assert measured(hand, player, is_lower=is_lower).crossing == pytest.approx(share)


def test_onsets_of_both_are_counted_together() -> None:
    player = notes_of(*((0.05 * i, 60 + i) for i in range(4)))
    hand = notes_of(*((0.05 * i, 40 + i) for i in range(4)))
    found = measured(hand, player)
    assert (found.notes_per_s, found.together_per_s) == (0.4, 0.8)
    assert found.crowded == pytest.approx(1 / 20)
    assert found.struck_together == 1.0


def test_agreement_is_by_pitch_class_at_about_the_time() -> None:
    hand = notes_of((1.0, 48), (2.0, 50), (8.0, 52))
    real = notes_of((1.4, 36), (2.2, 41))
    assert measured(hand, notes_of((0.0, 72)), real=real).agreement == 0.5


def test_where_there_is_nothing_to_agree_with_nothing_is_said() -> None:
    assert np.isnan(measured(notes_of((5.0, 48)), notes_of((0.0, 72)), real=notes_of((1.0, 36))).agreement)


def test_a_hand_without_a_note_has_no_figures() -> None:
    assert figures((), notes_of((0.0, 72)), (), is_lower=True, length_s=1.0) is None


@pytest.mark.parametrize("names", [("MELODY", "PIANO"), ("Piano right", "Piano left"), ("", "")])
def test_hands_are_known_by_their_names_or_by_where_they_lie(tmp_path: Path, names: tuple[str, str]) -> None:
    high, low = Performance(notes_of((0.0, 72), (0.5, 74))), Performance(notes_of((0.0, 48)))
    write_midi(tmp_path / "two.mid", [Track(names[1], low), Track(names[0], high, channel=1)])
    hands = read_two_hands(tmp_path / "two.mid")
    assert hands is not None
    assert [note.pitch for note in hands.upper] == [72, 74]
    assert [note.pitch for note in hands.lower] == [48]


def test_one_hand_is_not_two(tmp_path: Path) -> None:
    write_midi(tmp_path / "one.mid", [Track("MELODY", Performance(notes_of((0.0, 72))))])
    assert read_two_hands(tmp_path / "one.mid") is None


def test_a_stretch_begins_where_both_have_begun() -> None:
    hands = TwoHands("piece", notes_of((1.0, 72), (4.0, 74), (9.0, 76)), notes_of((3.0, 48), (5.0, 50)))
    cut = stretch(hands, 5.0)
    assert [note.onset_s for note in cut.upper] == [1.0]
    assert [note.onset_s for note in cut.lower] == [0.0, 2.0]
