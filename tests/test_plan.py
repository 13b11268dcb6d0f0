from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from improv_training.plan import Plan
from improv_training.shape import Shape


def test_a_stored_plan_comes_back_equal() -> None:
    plan = Plan(hours=3, updates=500, shape=Shape(hidden=64))
    assert Plan.stored(asdict(plan)) == plan


def test_a_plan_from_before_canonical_notes_is_of_notes_as_played() -> None:
    stored = asdict(Plan())
    del stored["canonical"]
    assert Plan.stored(stored) == Plan()


def test_a_plan_that_does_not_say_its_styles_has_none() -> None:
    stored = asdict(Plan(styles=("pop",), beats=True))
    assert Plan.stored(stored) == Plan(styles=("pop",), beats=True)
    del stored["styles"], stored["beats"]
    assert Plan.stored(stored) == Plan()


def test_a_style_that_there_is_not_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^styles are of classical, roll era, pop, jazz line, not polka$"):
        Plan(styles=("pop", "polka"))


def test_elapsed_goes_by_hours_unless_updates_are_planned() -> None:
    assert Plan(hours=4).elapsed(hours=1, updates=99) == 0.25
    assert Plan(hours=4, updates=200).elapsed(hours=1, updates=100) == 0.5
    assert Plan(hours=4).elapsed(hours=5, updates=0) == 1


def test_the_learning_rate_warms_up_and_falls_along_a_cosine() -> None:
    plan = Plan(rate=1e-3, warm_up=10)
    assert plan.learning_rate(elapsed=0, update=0) == pytest.approx(1e-4)
    assert plan.learning_rate(elapsed=0, update=9) == pytest.approx(1e-3)
    assert plan.learning_rate(elapsed=0.5, update=99) == pytest.approx(0.51e-3)
    assert plan.learning_rate(elapsed=1, update=99) == pytest.approx(0.02e-3)


def test_a_short_run_warms_up_in_a_tenth_of_its_updates() -> None:
    assert Plan(rate=1e-3, updates=50).learning_rate(elapsed=0, update=5) == pytest.approx(1e-3)


def test_a_constant_rate_only_warms_up() -> None:
    plan = Plan(rate=1e-3, warm_up=10, schedule="constant")
    assert plan.learning_rate(elapsed=0, update=4) == pytest.approx(5e-4)
    assert plan.learning_rate(elapsed=1, update=99) == 1e-3


def test_epochs_end_a_plan_as_well() -> None:
    plan = Plan(hours=4, epochs=10)
    assert plan.elapsed(hours=1, updates=0, epochs=5) == 0.5
    assert plan.elapsed(hours=3, updates=0, epochs=5) == 0.75


@pytest.mark.parametrize("wrong", [{"schedule": "linear"}, {"precision": "64-true"}])
def test_a_word_that_no_plan_knows_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is one of"):
        Plan(**wrong)
