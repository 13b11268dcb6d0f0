"""Onsets on a grid: in order, never in the past, chords together, and the drawn timeline untouched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improv_core.quantising_grid import STEPS, Quantiser, QuantisingGrid
from improv_core.representation import Pulse

SIXTEENTHS = QuantisingGrid(Pulse(1000.0, 500.0), STEPS["1/16"], 1.0)


def moved(onsets_s: list[float], grid: QuantisingGrid = SIXTEENTHS, now_s: float = 0.0) -> list[float]:
    quantiser, found = Quantiser(), []
    for onset_s in onsets_s:
        quantiser, at_s = quantiser.moved(onset_s, grid, now_s)
        found.append(at_s)
    return found


def test_onsets_go_to_the_nearest_line_and_errors_do_not_add_up() -> None:
    assert moved([1.03, 1.16, 1.29, 1.42, 10.05]) == pytest.approx([1.0, 1.125, 1.25, 1.375, 10.0])


@pytest.mark.parametrize(("strength", "at_s"), [(0.0, 1.04), (0.5, 1.02), (1.0, 1.0)])
def test_strength_is_how_far_they_go(strength: float, at_s: float) -> None:
    grid = QuantisingGrid(SIXTEENTHS.pulse, SIXTEENTHS.step_beats, strength)
    assert moved([1.04], grid) == pytest.approx([at_s])


def test_a_chord_across_the_middle_between_two_lines_stays_together() -> None:
    assert moved([1.055, 1.07, 1.08]) == pytest.approx([1.0, 1.0, 1.0])


def test_a_line_that_has_passed_is_left_for_the_next() -> None:
    assert moved([1.03], now_s=1.01) == pytest.approx([1.125])


@pytest.mark.parametrize(("name", "steps"), [("1/4", 1), ("1/8", 2), ("1/8t", 3), ("1/16t", 6), ("1/32", 8)])
def test_grids_have_so_many_steps_a_beat(name: str, steps: int) -> None:
    assert STEPS[name] * steps == pytest.approx(1.0)


@given(
    st.lists(st.floats(0.0, 0.4), min_size=1, max_size=30),
    st.sampled_from(sorted(STEPS)),
    st.floats(0.0, 1.0),
    st.floats(0.0, 3.0),
)
def test_what_comes_out_is_in_order_and_not_before_now(
    gaps_s: list[float], name: str, strength: float, now_s: float
) -> None:
    onsets_s = [1.0 + sum(gaps_s[: i + 1]) for i in range(len(gaps_s))]
    found = moved(onsets_s, QuantisingGrid(SIXTEENTHS.pulse, STEPS[name], strength), now_s)
    assert found == sorted(found)
    assert min(found) >= now_s
