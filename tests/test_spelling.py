from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from improv_training.evaluation.chords import ChordHabits
from improv_training.evaluation.spelling import ClassSpelling, PitchSpelling

C, E, G = 60, 64, 67
TABLE = ("C4", "C4.E4", "C4.E4.G4", "E4.G4", "D5")
SHARES = np.array([0.1, 0.2, 0.1, 0.3, 0.1, 0.2])
"""Of the unknown symbol and those of the table."""


def habits(rising: float = 0.0, doubling: float = 0.25, going_on: float = 0.5) -> ChordHabits:
    return ChordHabits(np.where(np.arange(129) > 1, rising, 0.0), doubling, going_on)


def test_the_first_pitch_of_an_onset_is_any_of_its_chord() -> None:
    first = SHARES @ PitchSpelling(TABLE, habits()).first
    assert first[C] == pytest.approx(0.2 + 0.1 / 2 + 0.3 / 3 + 0.1 / 128)
    assert first[74] == pytest.approx(0.2 + 0.1 / 128)
    assert first[99] == pytest.approx(0.1 / 128)
    assert first.sum() == pytest.approx(1)


def test_the_first_pitch_of_a_rising_chord_is_its_lowest() -> None:
    first = SHARES @ PitchSpelling(TABLE, habits(rising=1.0)).first
    assert first[C] == pytest.approx(0.2 + 0.1 + 0.3 + 0.1 / 128)
    assert first[G] == pytest.approx(0.1 / 128)


def test_a_further_pitch_is_weighed_by_the_symbols_that_go_on_from_what_has_come() -> None:
    """Weights (size - arrived - 1)! / size! over (size - arrived)! / size! of those that hold more."""
    said = PitchSpelling(TABLE, habits()).following(SHARES, [E])
    known = 0.1 / 2 + 0.3 * 2 / 6 + 0.1 / 2
    whole = known + 0.1 / 128
    assert said[C] == pytest.approx((0.1 / 2 + 0.3 / 6 + 0.1 / 128 / 128) / whole)
    assert said[G] == pytest.approx((0.1 / 2 + 0.3 / 6 + 0.1 / 128 / 128) / whole)
    assert said[E] == pytest.approx(0.1 / 128 / 128 / whole)
    assert said.sum() == pytest.approx(1)


def test_a_further_pitch_of_a_rising_chord_is_its_next() -> None:
    spelling = PitchSpelling(TABLE, habits(rising=1.0))
    after_c, after_e = spelling.following(SHARES, [C]), spelling.following(SHARES, [E])
    assert after_c[E] == pytest.approx((0.4 + 0.1 / 128 / 128) / (0.4 + 0.1 / 128))
    assert after_e[G] == pytest.approx((0.1 + 0.1 / 128 / 128) / (0.1 + 0.1 / 128))


def test_a_chord_comes_in_each_order_as_often_as_its_habit_is() -> None:
    shares = np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    spelling = PitchSpelling(TABLE, habits(rising=0.3))
    for order in itertools.permutations((C, E, G)):
        one = float((shares @ spelling.first)[order[0]])
        for place in (1, 2):
            one *= spelling.following(shares, order[:place])[order[place]]
        assert one == pytest.approx(0.7 / 6 + 0.3 * (order == (C, E, G)))


@pytest.mark.parametrize("arrived", [[61], [C, 61], [C, C], [C, E, G]])
def test_what_no_symbol_holds_may_go_on_with_any_pitch(arrived: list[int]) -> None:
    said = PitchSpelling(TABLE, habits()).following(SHARES, arrived)
    np.testing.assert_allclose(said, np.full(128, 1 / 128))


def test_pitch_classes_are_spread_evenly_over_their_octaves() -> None:
    """Of 88 keys eight are A, B flat, B or C, seven each of the others."""
    shares = np.array([0.1, 0.3, 0.6])
    first = shares @ ClassSpelling(("C4", "0.4"), habits()).first
    assert first[C] == pytest.approx(0.3 + 0.6 / 2 / 8 + 0.1 / 128)
    assert first[C + 12] == pytest.approx(0.6 / 2 / 8 + 0.1 / 128)
    assert first[E] == pytest.approx(0.6 / 2 / 7 + 0.1 / 128)
    assert first[108] == pytest.approx(first[C + 12])
    assert first[112] == pytest.approx(0.1 / 128)
    assert first.sum() == pytest.approx(1)


def test_a_chord_of_pitch_classes_goes_on_with_a_missing_or_a_doubled_one() -> None:
    shares = np.array([0.1, 0.3, 0.6])
    said = ClassSpelling(("C4", "0.4"), habits(doubling=0.25)).following(shares, [C])
    chord, unknown = 0.6 / 2 / 8, 0.1 / 128
    assert said[E] == pytest.approx((chord * 0.75 / 7 + unknown / 128) / (chord + unknown))
    assert said[C + 12] == pytest.approx((chord * 0.25 / 7 + unknown / 128) / (chord + unknown))
    assert said[C] == pytest.approx(unknown / 128 / (chord + unknown))
    assert said.sum() == pytest.approx(1)


def test_a_complete_chord_of_pitch_classes_goes_on_as_often_as_its_habit_is() -> None:
    shares = np.array([0.0, 0.5, 0.5])
    said = ClassSpelling(("0.4", "0.4.7"), habits(doubling=0.25, going_on=0.1)).following(shares, [C, E])
    of_two, of_three = 0.5 / 2 / 8 * 0.75 / 7 * 0.1, 0.5 / 3 / 8 * 0.75 / 2 / 7
    assert said[G] == pytest.approx(of_three / (of_two + of_three) * 0.75 / 7)
    assert said.sum() == pytest.approx(1)


def test_an_octave_is_a_chord_of_one_class_that_goes_on_surely() -> None:
    shares = np.array([0.0, 0.5, 0.5])
    said = ClassSpelling(("C4", "0"), habits(going_on=0.1)).following(shares, [C])
    assert said[C + 12] == pytest.approx(1 / 7)
    assert said[C] == 0


def test_without_habits_every_order_is_alike() -> None:
    none = ChordHabits.none()
    assert none.rising.max() == 0
    first = PitchSpelling(("C4.E4",), none).first[1]
    assert first[C] == first[E] == 0.5
    assert math.isclose(first.sum(), 1)
