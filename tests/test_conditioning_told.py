"""What a model is told of a piece when it is told one thing."""

from __future__ import annotations

import contextlib
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_corpora import random_performance, require_training_extra
from tiny_models import saved, tiny_graph, tiny_network

from improv_core.representation import STYLES, Notes, Piano, Setting, encode
from improv_core.representation.asking import (
    ASKED,
    FREE_DENSITY,
    FREE_LEFT,
    FREE_STYLE,
    NO_PERIOD,
    NO_PHASE,
    density_class,
    left_class,
)
from improv_core.representation.piano import COLUMNS

with contextlib.suppress(ImportError):
    from improv_training.evaluation.conditioning.told import TOLD, gains
    from improv_training.evaluation.scoring import open_scorer

STYLE, DENSITY, LEFT = (
    [column.name for column in ASKED].index(name) for name in ("style", "density", "left")
)
READ_STYLE, PHASE, PERIOD = (
    [name for name, _ in COLUMNS].index(name) for name in ("style", "beat_phase", "beat_period")
)


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    require_training_extra()


def steady(count: int = 13, gap_ms: int = 250) -> Notes:
    """A pop song of two beats a second, a note on each half of one."""
    ones, place = np.ones(count, dtype=np.int64), np.arange(count)
    setting = Setting(voice=0 * ones, beat_ticks=240 * place, beat_ms=500 * ones, style="pop")
    return Notes(gap_ms * np.minimum(place, 1), 0 * ones, 60 + place % 5, 64 * ones, 100 * ones, setting)


def known(told: str) -> set[str]:
    """Of which conditions anything is known, in what the heads are told or in what is read."""
    rows = TOLD[told](Piano(), steady())
    free = {
        "style asked": (rows.asked[:, STYLE], FREE_STYLE),
        "density": (rows.asked[:, DENSITY], FREE_DENSITY),
        "left": (rows.asked[:, LEFT], FREE_LEFT),
        "style read": (rows.read.columns[:, READ_STYLE], FREE_STYLE),
        "phase": (rows.read.columns[:, PHASE], NO_PHASE),
        "period": (rows.read.columns[:, PERIOD], NO_PERIOD),
    }
    return {name for name, (values, nothing) in free.items() if (values != nothing).any()}


def test_each_condition_is_told_alone() -> None:
    assert {name: known(name) for name in TOLD} == {
        "nothing": set(),
        "style": {"style asked", "style read"},
        "beat": {"phase", "period"},
        "density": {"density"},
        "phrase left": {"left"},
    }


def test_what_is_told_is_true() -> None:
    notes = steady()
    style = TOLD["style"](Piano(), notes)
    assert style.asked[:, STYLE].tolist() == [STYLES.index("pop")] * 13
    assert TOLD["beat"](Piano(), notes).read.columns[:, PHASE].tolist() == [0, 12] * 6 + [0]
    density = TOLD["density"](Piano(), notes).asked[:, DENSITY].tolist()
    assert density[1] == density_class(13 / 3)  # all but the first come after it, and it comes at once itself
    left = TOLD["phrase left"](Piano(), notes).asked[:, LEFT].tolist()
    assert left == [FREE_LEFT, *(left_class(3000 - 250 * i) for i in range(12))]


def test_notes_without_a_setting_can_be_told_of_all_the_same() -> None:
    notes = replace(steady(), setting=None)
    assert (TOLD["style"](Piano(), notes).asked[:, STYLE] == FREE_STYLE).all()
    assert (TOLD["beat"](Piano(), notes).read.columns[:, PHASE] == NO_PHASE).all()


def test_all_conditions_are_scored_on_the_same_notes(tmp_path: Path) -> None:
    knows_nothing = open_scorer(saved(tiny_graph(tiny_network(spread=0.0)), tmp_path / "a.onnx"))
    found = gains(knows_nothing, [steady(), encode(random_performance(30))])
    assert [one.told for one in found] == list(TOLD)
    for one in found:
        assert one.nats == pytest.approx([math.log(size) for size in (96, 2, 128, 32, 128)], rel=1e-5)


def test_only_what_is_known_of_a_piece_changes_its_nats(tmp_path: Path) -> None:
    scorer = open_scorer(saved(tiny_graph(tiny_network()), tmp_path / "a.onnx"))
    nothing, *told = gains(scorer, [replace(steady(), setting=None)])
    assert [one.told for one in told if one.nats.sum() != nothing.nats.sum()] == ["density", "phrase left"]
