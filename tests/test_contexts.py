from __future__ import annotations

import math

import numpy as np
import pytest

from improv_training.evaluation.contexts import Contexts
from improv_training.evaluation.ppm import Ppm

CLASSES = 128


def by_ppm(pieces: list[np.ndarray], values: np.ndarray, order: int = 4) -> np.ndarray:
    """Step by step, out of whole distributions."""
    shares = Ppm.learn(pieces, order).distributions(values)
    return np.asarray(-np.log(shares[np.arange(len(values)), values]))


@pytest.mark.parametrize("variety", [2, 6, 40, CLASSES])
def test_nats_are_those_of_the_slow_way(variety: int) -> None:
    rng = np.random.default_rng(variety)
    pieces = [rng.integers(0, variety, length) for length in (300, 1, 4, 500)]
    values = rng.integers(0, min(CLASSES, variety + 3), 400)
    nats = Contexts.learn(pieces, CLASSES).nats(values)
    np.testing.assert_allclose(nats, by_ppm(pieces, values), atol=1e-12)


def test_a_step_is_as_computed_by_hand() -> None:
    nats = Contexts.learn([np.array([5, 6, 5, 6, 7])], 8, order=1).nats(np.array([5, 6, 5, 0]))
    after_six = math.log((2 + 2) / 1)  # 5 and 7 came once each
    np.testing.assert_allclose(nats[:3], [math.log((5 + 3) / 2), math.log((2 + 1) / 2), after_six])
    from_five = math.log((2 + 1) / 1)  # an escape past 6
    from_nothing = math.log((3 + 2) / 2)  # past 5 and 7, which came three times
    np.testing.assert_allclose(nats[3], from_five + from_nothing + math.log(8 - 3))


def test_where_every_class_has_been_seen_nothing_is_left_for_an_escape() -> None:
    nats = Contexts.learn([np.tile(np.arange(3), 4)], 3, order=0).nats(np.array([0, 1, 2]))
    np.testing.assert_allclose(nats, math.log(3))


def test_without_anything_learned_all_classes_are_alike() -> None:
    for pieces in ([], [np.zeros(0, dtype=np.int64)]):
        np.testing.assert_allclose(Contexts.learn(pieces, 10).nats(np.array([3, 4])), math.log(10))


def test_no_context_spans_two_pieces() -> None:
    apart = Contexts.learn([np.array([1, 2]), np.array([3, 4])], 10)
    values = np.array([2, 3])
    np.testing.assert_allclose(apart.nats(values), math.log((4 + 4) / 1))


def test_any_number_of_classes_fits() -> None:
    many = 1_000_000
    scale = np.arange(0, many, many // 8)
    nats = Contexts.learn([np.tile(scale, 20)], many).nats(np.tile(scale, 2))
    assert nats[4:].max() < -math.log(0.94)


def test_a_piece_of_no_steps_has_no_nats() -> None:
    assert len(Contexts.learn([np.array([1, 2])], 10).nats(np.zeros(0, dtype=np.int64))) == 0
