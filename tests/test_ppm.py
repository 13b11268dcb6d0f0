from __future__ import annotations

import math

import numpy as np
import pytest

from improv_training.evaluation import ppm as module
from improv_training.evaluation.ppm import Ppm, blended


def counts(**seen: int) -> np.ndarray:
    """``p60=2``: pitch 60 came twice."""
    found = np.zeros(128, dtype=np.int64)
    for name, count in seen.items():
        found[int(name[1:])] = count
    return found


def learned(*pieces: list[int], order: int = 4, adaptive: bool = False) -> Ppm:
    return Ppm.learn((np.array(piece) for piece in pieces), order, adaptive=adaptive)


def test_a_pitch_that_the_longest_context_has_seen_is_as_computed_by_hand() -> None:
    shares = blended([counts(p60=3, p62=1), counts(p60=5, p62=2, p64=1)])
    assert shares[60] == pytest.approx(3 / 6)
    assert shares[62] == pytest.approx(1 / 6)


def test_an_escape_leaves_out_what_the_longer_context_has_seen() -> None:
    shares = blended([counts(p60=3, p62=1), counts(p60=5, p62=2, p64=1)])
    escape = 2 / 6
    assert shares[64] == pytest.approx(escape * 1 / 2)
    assert shares[99] == pytest.approx(escape * 1 / 2 / 125)


def test_a_context_that_has_seen_nothing_new_is_passed_over() -> None:
    with_it = blended([counts(p60=1), counts(p60=7), counts(p62=1)])
    np.testing.assert_allclose(with_it, blended([counts(p60=1), counts(p62=1)]))


def test_where_every_pitch_has_been_seen_nothing_is_left_for_an_escape() -> None:
    every = np.arange(1, 129)
    np.testing.assert_allclose(blended([every]), every / every.sum())


def test_without_anything_seen_all_pitches_are_alike() -> None:
    np.testing.assert_allclose(blended([counts()]), np.full(128, 1 / 128))


def test_a_piece_is_predicted_from_the_contexts_of_training() -> None:
    ppm = learned([60, 62, 60, 62, 64], order=1)
    first, second, third = ppm.distributions(np.array([60, 62, 65]))
    assert first[62] == pytest.approx(2 / (5 + 3))
    assert second[62] == pytest.approx(2 / (2 + 1))
    assert third[60] == pytest.approx(1 / (2 + 2))
    assert third[62] == pytest.approx(1 / 2 * 2 / (2 + 1))


def test_no_context_spans_two_pieces() -> None:
    ppm = learned([60, 62], [64, 65], order=1)
    assert ppm.contexts[1].after(62).sum() == 0
    assert ppm.contexts[1].after(64)[65] == 1


def test_order_four_reads_four_pitches_and_no_more() -> None:
    ppm = learned([1, 2, 3, 4, 5, 6], [1, 9, 3, 4, 5, 7])
    assert len(ppm.contexts) == 5
    read = ppm.distributions(np.array([8, 2, 3, 4, 5, 6]))
    assert read[5][6] == pytest.approx(1 / 2)


def test_without_adapting_a_piece_teaches_nothing() -> None:
    piece = np.array([60, 62] * 10)
    fixed = learned([1, 2, 3]).distributions(piece)
    np.testing.assert_allclose(fixed[19], fixed[17])


def test_adapting_adds_the_past_of_the_piece_and_not_its_future() -> None:
    ppm = learned([1, 2, 3], adaptive=True)
    piece = np.array([60, 62] * 10)
    shares = ppm.distributions(piece)
    np.testing.assert_allclose(shares[:5], ppm.distributions(piece[:5]))
    assert shares[0][60] == pytest.approx((3 / 6) / 125)
    assert shares[19][62] == pytest.approx(7 / 8)
    np.testing.assert_allclose(ppm.distributions(piece), shares)


@pytest.mark.parametrize("adaptive", [False, True])
def test_probabilities_sum_to_one(adaptive: bool) -> None:
    rng = np.random.default_rng(0)
    ppm = learned(*(rng.integers(40, 60, 200).tolist() for _ in range(3)), adaptive=adaptive)
    shares = ppm.distributions(rng.integers(35, 65, 300))
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-12)
    assert shares.min() > 0


def test_counts_are_the_same_in_one_go_and_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [np.random.default_rng(i).integers(60, 64, 50).tolist() for i in range(4)]
    at_once = learned(*pieces)
    monkeypatch.setattr(module, "_PITCHES_AT_ONCE", 1)
    for one, other in zip(at_once.contexts, learned(*pieces).contexts, strict=True):
        np.testing.assert_array_equal(one.codes, other.codes)
        np.testing.assert_array_equal(one.counts, other.counts)


def test_contexts_that_fit_no_number_are_refused() -> None:
    assert len(learned([127] * 20, order=7).contexts) == 8
    with pytest.raises(ValueError, match="at most 7"):
        learned([127] * 20, order=8)


def test_it_learns_a_scale_that_comes_again_and_again() -> None:
    scale = [60, 62, 64, 65, 67, 69, 71, 72] * 20
    shares = learned(scale).distributions(np.array(scale[:40]))
    nats = -np.log(shares[np.arange(40), scale[:40]])
    assert nats[4:].max() < -math.log(0.94)
