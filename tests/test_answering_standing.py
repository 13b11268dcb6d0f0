"""Where answers stand beside what pieces go on with."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest

from improv_core.ranking import TYPICAL
from improv_core.traits import Traits
from improv_training.evaluation.answering.standing import mean_over_pieces, standings

NOTHING = Traits(**{field.name: 0.0 for field in fields(Traits)})


def traits(name: str, values: list[float]) -> list[Traits]:
    return [replace(NOTHING, **{name: value}) for value in values]


REAL = traits("density", [i / 100 for i in range(101)])


def test_what_is_like_the_real_holds_with_four_fifths_inside() -> None:
    (density,) = [one for one in standings(REAL, REAL) if one.name == "density"]
    assert (density.real.low, density.real.middle, density.real.high) == pytest.approx((0.1, 0.5, 0.9))
    assert density.inside == 81 / 101
    assert density.holds


def test_a_median_outside_does_not_hold_nor_do_too_many_outside() -> None:
    def density(values: list[float]) -> tuple[float, bool]:
        one = standings(traits("density", values), REAL)[1]
        return one.inside, one.holds

    assert density([0.95] * 100) == (0.0, False)
    assert density([0.5] * 73 + [0.95] * 27) == (0.73, True)
    assert density([0.5] * 71 + [0.95] * 29) == (0.71, False)
    assert density([0.5] * 10) == (1.0, True)


def test_what_cannot_be_told_counts_neither_way() -> None:
    one = standings(traits("density", [0.5, math.nan, 0.95, math.nan]), REAL)[1]
    assert one.inside == 0.5
    assert one.error == pytest.approx(math.sqrt(0.16 / 2))


def test_every_trait_has_its_standing() -> None:
    assert [one.name for one in standings(REAL, REAL)] == list(TYPICAL)


def test_a_mean_is_as_sure_as_pieces_agree() -> None:
    agreed = mean_over_pieces([1.0, 3.0] * 5, [piece for piece in range(5) for _ in range(2)])
    assert (agreed.value, agreed.low, agreed.high) == (2.0, 2.0, 2.0)
    split = mean_over_pieces([1.0, 1.0, 3.0, 3.0, math.nan], ["a", "a", "b", "b", "b"])
    assert (split.value, split.low, split.high) == (2.0, 1.0, 3.0)
