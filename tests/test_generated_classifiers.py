"""Telling real from generated segments."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np
import pytest
from tiny_corpora import random_performance, require_training_extra

from improv_core.representation import Notes, encode
from improv_training.evaluation.generated.segments import (
    SEQUENCE_WIDTH,
    Segments,
    described,
    segments,
    sequence,
)

with contextlib.suppress(ImportError):
    from improv_training.evaluation.generated.classifiers import RECIPES, Recipe, tell_apart


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def runs(count: int, seed: int) -> list[Notes]:
    return [encode(random_performance(70, seed + i)) for i in range(count)]


def louder(one: Notes) -> Notes:
    return Notes(one.dt_ms, one.pedal, one.pitch, np.minimum(127, one.velocity + 40), one.duration_ms)


def rising(one: Notes) -> Notes:
    """The same notes, the lowest first."""
    return Notes(one.dt_ms, one.pedal, np.sort(one.pitch), one.velocity, one.duration_ms)


def told_apart(generated: list[Notes], recipe: Recipe) -> float:
    """Accuracy on segments of the generated runs and of as many real ones."""
    data = segments(generated, runs(len(generated), 0), [i // 2 for i in range(len(generated))], length=16)
    return tell_apart(data, replace(recipe, epochs=25), folds=2).accuracy


def test_segments_come_in_pairs_of_one_place_and_piece() -> None:
    real, generated = runs(3, 0), runs(3, 50)
    data = segments(generated, real, ["a", "b", "a"], length=20)
    assert len(data.notes) == 18
    assert data.generated.tolist() == [True, False] * 9
    assert data.piece.tolist() == [0] * 6 + [1] * 6 + [0] * 6
    assert {len(notes) for notes in data.notes} == {20}
    np.testing.assert_array_equal(data.notes[2].pitch, generated[0].pitch[20:40])
    np.testing.assert_array_equal(data.notes[3].pitch, real[0].pitch[20:40])


def test_the_shorter_side_says_how_many_segments_there_are() -> None:
    data = segments([encode(random_performance(45, 1))], runs(1, 2), ["a"], length=20)
    assert len(data.notes) == 4


def test_a_segment_is_described_by_numbers_whatever_it_holds() -> None:
    one_key = Notes(*(np.full(20, value) for value in (0, 0, 60, 64, 100)))
    parts = [one_key, *(one for one in segments(runs(2, 1), runs(2, 9), "ab", length=20).notes)]
    told = described(parts)
    assert told.shape[0] == len(parts)
    assert np.isfinite(told).all()
    notes = sequence(parts)
    assert notes.shape == (len(parts), 20, SEQUENCE_WIDTH)
    assert np.isfinite(notes).all()


@pytest.mark.parametrize("index", range(3))
def test_every_classifier_hears_that_one_side_is_louder(index: int) -> None:
    assert told_apart([louder(one) for one in runs(40, 100)], RECIPES[index]) > 0.8


@pytest.mark.parametrize("index", range(3))
def test_no_classifier_tells_apart_what_is_alike(index: int) -> None:
    assert abs(told_apart(runs(40, 100), RECIPES[index]) - 0.5) < 0.15


@pytest.mark.parametrize("index", range(3))
def test_every_classifier_hears_the_order_of_notes(index: int) -> None:
    assert told_apart([rising(one) for one in runs(24, 100)], RECIPES[index]) > 0.8


def test_no_piece_is_trained_on_and_asked_about() -> None:
    real = runs(20, 0)
    data = segments(real, real, range(20), length=32)
    marked = data.piece.astype(np.float32)[:, None] * np.eye(20, dtype=np.float32)[data.piece]
    # Each piece's own label, known to the classifier by the piece alone, is of no use on other pieces.
    labels = np.repeat(np.arange(20) % 2 == 0, len(data.notes) // 20)
    by_piece = Segments(data.notes, labels, data.piece)
    recipe = replace(RECIPES[0], told=lambda _: marked, epochs=20)
    assert tell_apart(by_piece, recipe, folds=5).accuracy <= 0.7


def test_a_verdict_counts_every_segment_once_under_its_piece() -> None:
    data = segments(runs(12, 100), runs(12, 0), [i // 2 for i in range(12)], length=32)
    verdict = tell_apart(data, RECIPES[0], folds=3)
    assert {piece: asked for piece, (_, asked) in verdict.by_piece.items()} == dict.fromkeys(range(6), 8)
    right = sum(right for right, _ in verdict.by_piece.values())
    assert verdict.accuracy == right / len(data.notes)


def test_pieces_that_are_too_few_for_the_folds_are_refused() -> None:
    data = segments(runs(2, 100), runs(2, 0), "ab", length=32)
    with pytest.raises(ValueError, match="2 pieces are too few for 3 folds"):
        tell_apart(data, RECIPES[0], folds=3)
