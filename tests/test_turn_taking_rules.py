"""What becomes of a call under a rule that says when a turn is over, and what is told of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from test_turn_taking_phrases import played, steady

from improv_core.expectation import Expectation
from improv_core.representation import Notes, Setting
from improv_core.representation.piano import DT
from improv_core.turns import LONG_SILENCE_S, TurnBounds, patience_s
from improv_training.evaluation.turn_taking.figures import Curve, Figures, equal_weights, quantile
from improv_training.evaluation.turn_taking.fitting import fit, logistic, most_patient
from improv_training.evaluation.turn_taking.phrases import Span
from improv_training.evaluation.turn_taking.rules import (
    FixedRule,
    Heard,
    Outcome,
    bar,
    fixed,
    improv,
    outcome,
    pace,
)


def heard(notes: Notes, begin: int, end: int, silences: Sequence[float] | None = None) -> Heard:
    """A call, with how likely a silence is after each note."""
    shares = [None] * len(notes) if silences is None else [expecting(one) for one in silences]
    return Heard("here", notes, shares, Span(begin, end))


def expecting(silence: float) -> Expectation:
    return Expectation(np.full(DT.size + 1, silence))


SILENCE = 0.02

# Two seconds of quarters with a pause of 0.9 s, then the end.
ONSETS_S = [0.0, 0.4, 0.8, 1.7, 2.1, 2.5]
CALL = heard(played(*ONSETS_S, duration_s=0.3), 0, 6)


def test_a_silence_within_the_call_that_is_taken_for_its_end_is_false() -> None:
    assert outcome(CALL, FixedRule(0.6)) == Outcome(1, pytest.approx(0.6), pytest.approx(0.3))
    assert outcome(CALL, FixedRule(1.0)) == Outcome(0, pytest.approx(1.0), pytest.approx(0.7))


def test_nothing_is_handed_over_while_keys_are_down() -> None:
    assert outcome(CALL, FixedRule(0.1)) == Outcome(5, pytest.approx(0.3), 0.0)


def test_keys_that_stay_down_end_a_turn_under_any_rule_as_under_improvs() -> None:
    drone = heard(played(0.0, 0.4, 0.8, duration_s=9.0), 0, 3)
    held_s = max(TurnBounds().held_min_s, TurnBounds().held_factor * 0.4)
    for rule in (fixed(0.3), fixed(1.0), pace):
        assert outcome(drone, rule(drone)) == Outcome(0, pytest.approx(held_s), 0.0)


def test_the_pace_of_what_came_before_the_call_is_known_but_not_the_pause() -> None:
    slow_then_one = heard(played(*steady(0.0, 6, 0.8), 20.0), 6, 7)
    assert outcome(slow_then_one, pace(slow_then_one)).wait_s == pytest.approx(
        0.8 * TurnBounds().silence_factor
    )


def test_improv_waits_as_long_as_the_model_and_the_longest_gap_say() -> None:
    bounds = TurnBounds()
    call = heard(CALL.notes, 0, 6, [SILENCE] * 6)
    waited_s = patience_s(bounds.silence_factor, 0.9, SILENCE)
    assert bounds.silence_min_s < waited_s < bounds.silence_max_s
    assert outcome(call, improv(call)).wait_s == pytest.approx(waited_s)
    assert outcome(call, pace(call)).wait_s == pytest.approx(bounds.silence_factor * 0.4)


@pytest.mark.parametrize(("beat_ms", "bar_s"), [(500, 2.0), (300, 1.2), (0, 2.0)])
def test_a_bar_has_four_beats_or_lasts_two_seconds(beat_ms: int, bar_s: float) -> None:
    zeros = np.zeros(6, dtype=np.int64)
    notes = replace(CALL.notes, setting=Setting(zeros, zeros, np.full(6, beat_ms)))
    call = heard(notes, 0, 6)
    assert outcome(call, bar(call)).wait_s == pytest.approx(bar_s)


def test_every_corpus_counts_the_same() -> None:
    corpora = ["a", "a", "a", "b"]
    assert equal_weights(corpora) == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])
    outcomes = [Outcome(0, 0.5, 0.1), Outcome(0, 0.6, 0.2), Outcome(3, 0.7, 0.3), Outcome(2, 1.0, 0.4)]
    assert Figures.of(corpora, outcomes) == Figures(
        pytest.approx(1.5), pytest.approx(2 / 3), 0.7, pytest.approx(0.8), 1.0, 0.3
    )


def test_the_median_is_the_least_value_that_half_do_not_exceed() -> None:
    assert quantile(np.array([3.0, 1.0, 2.0]), np.full(3, 1 / 3), 0.5) == 2.0
    assert quantile(np.array([3.0, 1.0]), np.full(2, 0.5), 0.5) == 1.0
    assert quantile(np.array([3.0, 1.0]), np.full(2, 0.5), 1.0) == 3.0


def figures(false: float, wait_s: float) -> Figures:
    return Figures(false, false / 10, wait_s, wait_s, wait_s, wait_s)


CURVE = Curve(
    (0.1, 0.2, 0.6, 1.0), (figures(8.0, 0.4), figures(4.0, 0.4), figures(2.0, 0.6), figures(1.0, 1.0))
)


@pytest.mark.parametrize(
    ("wait_s", "silence_s", "false"),
    [(0.4, 0.2, 4.0), (0.5, 0.4, 3.0), (0.6, 0.6, 2.0), (2.0, 1.0, 1.0), (0.1, 0.1, 8.0)],
)
def test_the_fixed_rule_with_the_same_median_wait_is_the_slowest_that_has_it(
    wait_s: float, silence_s: float, false: float
) -> None:
    assert CURVE.alike(wait_s) == pytest.approx((silence_s, false, false / 10))


def test_logistic_regression_finds_the_slope_of_two_halves() -> None:
    features = np.array([[0.0], [0.0], [0.0], [0.0], [1.0], [1.0], [1.0], [1.0]])
    over = np.array([True, False, False, False, True, True, True, False])
    assert logistic(features, over, np.ones(8)) == pytest.approx([2 * np.log(3)], rel=1e-2)


def test_what_ends_after_gaps_that_were_short_makes_patience_grow_with_the_longest() -> None:
    quick = [*steady(0.0, 8, 0.2), 10.0]
    slow = [*steady(0.0, 8, 0.7), 10.0]
    even = [0.1, 0.3, 0.5, 0.2, 0.6, 0.4, 0.3, 0.2, 0.3]
    calls = [heard(played(*onsets), 0, 8, even) for onsets in (quick, slow)]
    assert fit(calls).longest > 0


def test_what_ends_in_a_silence_that_the_model_did_not_expect_makes_patience_grow_with_it() -> None:
    onsets_s = [*steady(0.0, 8, 0.7), 20.0]
    silences = [0.5] * 7 + [0.1, 0.5]
    assert expecting(0.5).silence(LONG_SILENCE_S) == 0.5
    powers = fit(
        [heard(played(*onsets_s), 0, 8, silences), heard(played(*steady(0.0, 9, 0.9)), 0, 8, [0.4] * 9)]
    )
    assert powers.silence > 0


def test_the_most_patient_is_the_last_that_is_soon_enough() -> None:
    assert most_patient(lambda patience: patience <= 3.0, 0.01, 1000.0) == pytest.approx(3.0, rel=1e-3)
