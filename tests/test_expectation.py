"""When the model expects the player's next note."""

from __future__ import annotations

import numpy as np
import pytest

from improv_core.expectation import Expectation, expectation_of
from improv_core.model import Heads
from improv_core.representation import Piano
from improv_core.representation.piano import DT

BOUNDS_S = DT.bounds_ms() / 1000


def heads_of(logits: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Heads:
    """Whatever the state: these logits of ``dt``, but for who is to play."""
    asked = [np.zeros((column.size, 1), dtype=np.float32) for column in Piano().asked]
    asked[0][1] = 1000.0  # were improv asked, another class would win
    weights = np.zeros((DT.size, 1), dtype=np.float32)
    weights[0] = 1.0
    return Heads(
        asked=tuple(asked),
        weights=(weights,),
        biases=(logits.astype(np.float32),),
        given=(None,),
        conditions=((),),
        rectified=True,
        scales=(None,),
    )


def certain(of_class: int) -> Expectation:
    """The next onset is of one class."""
    logits = np.full(DT.size, -1000.0)
    logits[of_class] = 0.0
    return expectation_of(heads_of(logits), np.zeros(1, dtype=np.float32))


def test_survival_falls_from_one_to_nothing() -> None:
    survival = expectation_of(heads_of(np.zeros(DT.size)), np.zeros(1, dtype=np.float32)).survival
    assert survival.shape == (DT.size + 1,)
    assert survival == pytest.approx(np.arange(DT.size, -1, -1) / DT.size)


def test_what_is_certain_to_come_later_leaves_silence_until_then() -> None:
    expectation = certain(50)
    assert expectation.silence(0.0) == 1.0
    assert expectation.silence(float(BOUNDS_S[50])) == 1.0
    assert expectation.silence(float(BOUNDS_S[51])) == 0.0


def test_within_a_class_an_onset_is_as_likely_anywhere() -> None:
    middle_s = float(BOUNDS_S[90] + BOUNDS_S[91]) / 2
    assert certain(90).silence(middle_s) == pytest.approx(0.5)


def test_beyond_the_longest_class_nothing_is_left() -> None:
    assert certain(DT.size - 1).silence(1000.0) == 0.0


def test_it_is_the_player_who_is_expected() -> None:
    logits = np.full(DT.size, -1000.0)
    logits[50] = 0.0
    assert expectation_of(heads_of(logits), np.zeros(1, dtype=np.float32)).silence(float(BOUNDS_S[50])) == 1.0
