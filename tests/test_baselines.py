from __future__ import annotations

import math

import numpy as np
import pytest
from tiny_corpora import make_corpus, random_performance

from improv_core.errors import DataError
from improv_core.notes import Note, Performance
from improv_core.representation import ATTRIBUTE_NAMES, ATTRIBUTES, targets
from improv_training.baselines import BIGRAM_WEIGHT, Baselines

PITCH = ATTRIBUTE_NAMES.index("pitch")


def melody(*pitches: int) -> Performance:
    return Performance.of(Note(pitch, 64, i * 0.5, 0.25) for i, pitch in enumerate(pitches))


def test_the_unigram_is_as_computed_by_hand() -> None:
    baselines = Baselines.learn([make_corpus({"a": melody(60, 62, 60, 64)})])
    share = baselines.unigram(PITCH)
    assert share[60] == (2 + 1) / (4 + 128)
    assert share[62] == (1 + 1) / (4 + 128)
    assert share[99] == 1 / (4 + 128)


def test_the_bigram_is_as_computed_by_hand() -> None:
    baselines = Baselines.learn([make_corpus({"a": melody(60, 62, 60, 64)})])
    after = baselines.bigram(PITCH)
    assert after[60, 62] == pytest.approx((1 + BIGRAM_WEIGHT * 2 / 132) / (2 + BIGRAM_WEIGHT))
    assert after[62, 60] == pytest.approx((1 + BIGRAM_WEIGHT * 3 / 132) / (1 + BIGRAM_WEIGHT))
    assert after[99, 60] == pytest.approx(3 / 132)


def test_nats_of_a_piece_are_as_computed_by_hand() -> None:
    corpus = make_corpus({"a": melody(60, 62, 60, 64), "b": melody(60, 62)}, {"b": "test"})
    baselines = Baselines.learn([corpus])
    (wanted,) = (targets(piece) for piece in corpus.pieces("test"))
    first, then = 3 / 132, (1 + BIGRAM_WEIGHT * 2 / 132) / (2 + BIGRAM_WEIGHT)
    assert baselines.unigram_nats(wanted)[PITCH] == pytest.approx(-math.log(first) - math.log(2 / 132))
    assert baselines.bigram_nats(wanted)[PITCH] == pytest.approx(-math.log(first) - math.log(then))


def test_probabilities_of_every_attribute_sum_to_one() -> None:
    baselines = Baselines.learn([make_corpus({"a": random_performance(200)})])
    for i, attribute in enumerate(ATTRIBUTES):
        np.testing.assert_allclose(baselines.unigram(i).sum(), 1)
        np.testing.assert_allclose(baselines.bigram(i).sum(axis=1), np.ones(attribute.binning.size))


def test_only_train_pieces_are_learned_from_and_all_corpora_together() -> None:
    first = make_corpus({"a": melody(60, 60), "b": melody(70, 70)}, {"b": "validation"})
    second = make_corpus({"c": melody(60, 61)})
    counts = Baselines.learn([first, second]).single[PITCH]
    assert (counts[60], counts[61], counts[70]) == (1 + 3, 1 + 1, 1)


def test_no_pair_spans_two_pieces() -> None:
    pair = Baselines.learn([make_corpus({"a": melody(60, 61), "b": melody(62, 63)})]).pair[PITCH]
    assert pair[61, 62] == 0
    assert pair.sum() == 2


def test_without_train_pieces_there_is_nothing_to_learn_from() -> None:
    corpus = make_corpus({"a": melody(60)}, {"a": "test"}, name="exam")
    with pytest.raises(DataError, match=r"exam: no piece in the train split.*--baselines-from"):
        Baselines.learn([corpus])
