"""What `bench.live_cache` makes of scores."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from tiny_corpora import require_training_extra

with contextlib.suppress(ImportError):
    from bench.live_cache import CHOSEN_AT, STRENGTHS, error, gain, mean, some_pieces

    from improv_training.corpora.corpus import Corpus
    from improv_training.evaluation.adapting import LEAST_NOTES, Halves


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def halves(notes: int, model: float, cache: float) -> Halves:
    return Halves(np.full((notes, 2), model), np.full((notes, 2), cache))


def test_a_mean_is_that_of_the_notes_and_not_of_the_pieces() -> None:
    one, other = halves(30, 0.5, 0.5), halves(10, 0.25, 0.5)
    both = mean([one.nats, other.nats], [one, other])
    assert both.tolist() == pytest.approx([np.log(2) * 1.25] * 2)


def test_a_gain_is_that_of_all_attributes_together() -> None:
    value, spread = gain([halves(30, 0.1, 0.3), halves(10, 0.1, 0.3)], 0.5)
    assert value == pytest.approx(2 * np.log(2))
    assert spread == pytest.approx(0, abs=1e-12)


def test_the_standard_error_is_that_of_drawing_other_pieces() -> None:
    pieces = [halves(10, 0.5, 0.5)] * 50
    values = np.random.default_rng(1).normal(size=50).tolist()
    assert error(values, pieces) == pytest.approx(np.std(values) / np.sqrt(50), rel=0.1)


def test_pieces_are_spread_evenly_over_those_that_are_long_enough() -> None:
    lengths = [LEAST_NOTES, LEAST_NOTES - 1, *[LEAST_NOTES] * 9]
    offsets = np.cumsum([0, *lengths])
    split = ("test",) * 10 + ("train",)
    corpus = Corpus("a", tuple("abcdefghijk"), split, offsets, np.zeros((offsets[-1], 8), dtype=np.int32))
    assert some_pieces(corpus, "test", 3) == [0, 5, 9]
    assert some_pieces(corpus, "test", 40) == [0, *range(2, 10)]
    assert some_pieces(corpus, "validation", 40) == []


def test_what_is_chosen_is_chosen_at_the_strongest_setting() -> None:
    assert max(STRENGTHS) == CHOSEN_AT
