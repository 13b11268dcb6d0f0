from __future__ import annotations

from dataclasses import asdict

import pytest

from improv_training.plan import Plan
from improv_training.shape import Shape


def test_a_stored_plan_comes_back_equal() -> None:
    plan = Plan(hours=3, updates=500, shape=Shape(hidden=64))
    assert Plan.stored(asdict(plan)) == plan


def test_a_plan_stored_before_updates_could_be_planned_comes_back() -> None:
    stored = asdict(Plan(hours=3))
    del stored["updates"]
    assert Plan.stored(stored) == Plan(hours=3)


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
