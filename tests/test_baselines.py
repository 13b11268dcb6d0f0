from __future__ import annotations

import math

import numpy as np
import pytest
from tiny_corpora import make_corpus, random_performance

from improv_core.errors import DataError
from improv_core.notes import Note, Performance
from improv_core.representation import ATTRIBUTE_NAMES, ATTRIBUTES, Attribute, NoteAttributes, Piano, targets
from improv_core.representation.binning import Grid, Identity
from improv_training.evaluation import baselines as module
from improv_training.evaluation.baselines import BIGRAM_WEIGHT, Baselines, PairCounter, as_classes
from improv_training.evaluation.contexts import Contexts

PITCH = ATTRIBUTE_NAMES.index("pitch")


def melody(*pitches: int) -> Performance:
    return Performance.of(Note(pitch, 64, i * 0.5, 0.25) for i, pitch in enumerate(pitches))


def test_the_unigram_is_as_computed_by_hand() -> None:
    baselines = Baselines.learn([make_corpus({"a": melody(60, 62, 60, 64)})], Piano())
    share = baselines.unigram(PITCH)
    assert share[60] == (2 + 1) / (4 + 128)
    assert share[62] == (1 + 1) / (4 + 128)
    assert share[99] == 1 / (4 + 128)


def test_the_bigram_is_as_computed_by_hand() -> None:
    baselines = Baselines.learn([make_corpus({"a": melody(60, 62, 60, 64)})], Piano())
    after = baselines.bigram(PITCH, np.array([60, 62, 99]), np.array([62, 60, 60]))
    assert after[0] == pytest.approx((1 + BIGRAM_WEIGHT * 2 / 132) / (2 + BIGRAM_WEIGHT))
    assert after[1] == pytest.approx((1 + BIGRAM_WEIGHT * 3 / 132) / (1 + BIGRAM_WEIGHT))
    assert after[2] == pytest.approx(3 / 132)


def test_nats_of_a_piece_are_as_computed_by_hand() -> None:
    corpus = make_corpus({"a": melody(60, 62, 60, 64), "b": melody(60, 62)}, {"b": "test"})
    baselines = Baselines.learn([corpus], Piano())
    (wanted,) = (targets(piece) for piece in corpus.pieces("test"))
    first, then = 3 / 132, (1 + BIGRAM_WEIGHT * 2 / 132) / (2 + BIGRAM_WEIGHT)
    everything = np.ones(2, dtype=np.bool_)
    assert baselines.unigram_nats(wanted, everything)[PITCH] == pytest.approx(
        -math.log(first) - math.log(2 / 132)
    )
    assert baselines.bigram_nats(wanted, everything)[PITCH] == pytest.approx(
        -math.log(first) - math.log(then)
    )


def test_probabilities_of_every_attribute_sum_to_one() -> None:
    baselines = Baselines.learn([make_corpus({"a": random_performance(200)})], Piano())
    for i, attribute in enumerate(ATTRIBUTES):
        every = np.arange(attribute.binning.size)
        np.testing.assert_allclose(baselines.unigram(i).sum(), 1)
        np.testing.assert_allclose(baselines.bigram(i, every[:, None], every[None, :]).sum(axis=1), 1)


def test_only_train_pieces_are_learned_from_and_all_corpora_together() -> None:
    first = make_corpus({"a": melody(60, 60), "b": melody(70, 70)}, {"b": "validation"})
    second = make_corpus({"c": melody(60, 61)})
    counts = Baselines.learn([first, second], Piano()).single[PITCH]
    assert (counts[60], counts[61], counts[70]) == (1 + 3, 1 + 1, 1)


def test_no_pair_spans_two_pieces() -> None:
    corpus = make_corpus({"a": melody(60, 61), "b": melody(62, 63)})
    pair = Baselines.learn([corpus], Piano()).pair[PITCH]
    assert pair.of(np.array([60, 61, 62]), np.array([61, 62, 63])).tolist() == [1, 0, 1]
    assert pair.befores.sum() == 2


def test_without_train_pieces_there_is_nothing_to_learn_from() -> None:
    corpus = make_corpus({"a": melody(60)}, {"a": "test"}, name="exam")
    with pytest.raises(DataError, match=r"exam: no piece in the train split.*--baselines-from"):
        Baselines.learn([corpus], Piano())


def test_pairs_are_counted_alike_in_one_go_and_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [np.random.default_rng(i).integers(9, size=50) for i in range(5)]
    tables = []
    for at_once in (10**6, 60, 1):
        monkeypatch.setattr(module, "_PAIRS_AT_ONCE", at_once)
        counter = PairCounter(9)
        for values in pieces:
            counter.add(values)
        every = np.arange(9)
        tables.append(counter.counted().of(every[:, None], every[None, :]))
    expected = np.zeros((9, 9), dtype=np.int64)
    for values in pieces:
        np.add.at(expected, (values[:-1], values[1:]), 1)
    for table in tables:
        np.testing.assert_array_equal(table, expected)


def test_steps_that_do_not_count_are_left_out_but_condition_those_that_do() -> None:
    representation = NoteAttributes((Attribute("pitch", Identity(128)),))
    baselines = Baselines.learn([make_corpus({"a": melody(60, 62, 60, 64)})], representation)
    classes, scored = np.array([[60], [60], [62]]), np.array([False, False, True])
    after = float(baselines.bigram(0, np.array(60), np.array(62)))
    assert baselines.bigram_nats(classes, scored)[0] == pytest.approx(-math.log(after))
    assert baselines.unigram_nats(classes, scored)[0] == pytest.approx(-math.log(2 / 132))


def test_times_that_are_regressed_are_put_into_classes() -> None:
    binning = Grid.geometric(96, first=0, single=26, last=1000)
    attributes = (Attribute("pitch", ATTRIBUTES[PITCH].binning), Attribute("dt", binning, head="regression"))
    assert as_classes(attributes, np.array([[60, 0], [61, 124], [62, 126]])).tolist() == [
        [60, 0],
        [61, 12],
        [62, 13],
    ]


def test_ppm_is_that_of_each_attribute_by_itself_over_the_steps_that_count() -> None:
    corpus = make_corpus({"a": random_performance(90), "b": random_performance(40, 2)})
    baselines = Baselines.learn([corpus], Piano())
    classes = targets(make_corpus({"c": random_performance(30, 3)}).piece(0))
    scored = np.arange(30) % 3 > 0
    sums = baselines.ppm_nats([(classes, scored), (classes[:7], scored[:7])])
    for i, attribute in enumerate(ATTRIBUTES):
        pieces = [targets(piece)[:, i] for piece in corpus.pieces("train")]
        nats = Contexts.learn(pieces, attribute.binning.size).nats(classes[:, i])
        assert sums[0, i] == pytest.approx(nats[scored].sum())
        assert sums[1, i] == pytest.approx(nats[:7][scored[:7]].sum())
