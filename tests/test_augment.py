from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_corpora import random_performance

from improv_core.notes import Part
from improv_core.representation import Notes, encode
from improv_training.augment import Augmentation, augmented, chords_shuffled, random_parts

STILL = Augmentation(transpose_down=0, transpose_up=0, tempo=0, velocity=0)


def notes(seed: int = 3) -> Notes:
    return encode(random_performance(80, seed=seed))


def chords(piece: Notes, transposed: int = 0) -> list[set[int]]:
    """Pitches of each onset, in the order of the onsets."""
    onset_ms = np.cumsum(piece.dt_ms)
    return [set((piece.pitch[onset_ms == at] - transposed).tolist()) for at in np.unique(onset_ms)]


def rows(piece: Notes) -> list[tuple[int, ...]]:
    """Onset and attributes of each note."""
    columns = (np.cumsum(piece.dt_ms), piece.pitch, piece.velocity, piece.pedal, piece.duration_ms)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_chords_keep_their_place_and_their_notes() -> None:
    piece = notes()
    for seed in range(20):
        variant = augmented(piece, Augmentation(), np.random.default_rng(seed))
        assert chords(variant, int(variant.pitch.min() - piece.pitch.min())) == chords(piece)


def test_shuffling_reorders_notes_within_a_chord_and_nothing_else() -> None:
    piece = notes()
    shuffled = chords_shuffled(piece, np.random.default_rng(0))
    assert shuffled.pitch.tolist() != piece.pitch.tolist()
    np.testing.assert_array_equal(shuffled.dt_ms, piece.dt_ms)
    assert sorted(rows(shuffled)) == sorted(rows(piece))


def test_transposition_and_velocity_stay_within_their_ranges() -> None:
    piece = notes()
    moves = set()
    for seed in range(200):
        variant = augmented(piece, Augmentation(), np.random.default_rng(seed))
        moves.add(int(variant.pitch.min() - piece.pitch.min()))
        assert variant.velocity.min() >= 1
        assert variant.velocity.max() <= 127
        assert abs(int(variant.velocity.max()) - int(piece.velocity.max())) <= 10
    assert moves == set(range(-5, 7))


@pytest.mark.parametrize(("low", "high"), [(0, 127), (2, 126)])
def test_a_piece_that_fills_the_keyboard_is_moved_only_as_far_as_it_fits(low: int, high: int) -> None:
    piece = replace(notes(), pitch=np.linspace(low, high, len(notes())).astype(np.int64))
    for seed in range(60):
        pitch = augmented(piece, Augmentation(), np.random.default_rng(seed)).pitch
        assert pitch.min() >= 0
        assert pitch.max() <= 127


def test_tempo_scales_the_whole_piece_and_no_key_is_struck_while_it_is_down() -> None:
    piece = notes()
    for seed in range(20):
        variant = augmented(piece, Augmentation(), np.random.default_rng(seed))
        assert 0.9 <= variant.dt_ms.sum() / piece.dt_ms.sum() <= 1.1
        onset_ms = np.cumsum(variant.dt_ms)
        for pitch in set(variant.pitch.tolist()):
            own = variant.pitch == pitch
            assert np.all(onset_ms[own][1:] >= (onset_ms + variant.duration_ms)[own][:-1])


def test_without_changes_only_the_order_in_chords_differs() -> None:
    piece = notes()
    variant = augmented(piece, STILL, np.random.default_rng(1))
    np.testing.assert_array_equal(variant.dt_ms, piece.dt_ms)
    assert chords(variant) == chords(piece)
    assert sorted(variant.duration_ms.tolist()) == sorted(piece.duration_ms.tolist())


def test_parts_are_all_improv_all_player_or_turns() -> None:
    rng = np.random.default_rng(5)
    kinds = {tuple(sorted(set(random_parts(300, rng).tolist()))) for _ in range(40)}
    assert kinds == {(Part.PLAYER,), (Part.IMPROV,), (Part.PLAYER, Part.IMPROV)}
