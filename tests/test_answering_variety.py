"""How much the phrases of a sitting repeat one another."""

from __future__ import annotations

import pytest
from made_phrases import line

from improv_training.evaluation.answering.variety import shared, variety

TUNE = (60, 62, 64, 65, 67, 64, 60, 59, 60)
OTHER = (60, 55, 57, 59, 60, 69, 68, 67, 60)


def test_phrases_share_what_another_has_in_any_key() -> None:
    assert shared([line(*TUNE), line(*OTHER)]) == 0
    assert shared([line(*TUNE), line(*(pitch + 3 for pitch in TUNE))]) == 1
    assert shared([line(*TUNE), line(*TUNE), line(*OTHER)]) == pytest.approx(4 / 6)
    assert shared([line(60, 62)]) == 0


def test_a_phrase_shares_nothing_with_itself() -> None:
    assert shared([line(*(60, 62) * 20)]) == 0


def test_openings_lengths_and_rests_vary_or_do_not() -> None:
    same = variety([line(*TUNE), line(*TUNE)], [1.0, 1.0])
    assert (same.openings, same.commonest, same.length_spread, same.rest_spread) == (0, 1, 0, 0)
    assert (same.phrases, same.notes, same.length_s, same.rest_s) == (2, 18, 2.0, 1.0)
    varied = variety([line(*TUNE), line(*OTHER[:5])], [0.5, 1.5])
    assert (varied.openings, varied.commonest) == (1, 0.5)
    assert varied.length_spread == pytest.approx(1 / 3)
    assert varied.rest_spread == pytest.approx(0.5)
