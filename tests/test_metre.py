"""A tempo and bars, to go on in."""

from __future__ import annotations

import pytest

from improv_core.metre import Metre, conductor_of
from improv_core.tempo_map import Conductor


def test_a_bar_lasts_as_long_as_its_beats() -> None:
    assert (Metre(90.0, 3.0).beat_s, Metre(90.0, 3.0).bar_s) == (pytest.approx(2 / 3), pytest.approx(2.0))


@pytest.mark.parametrize(
    ("beats_per_bar", "signature"),
    [(4.0, (4, 4)), (3.0, (3, 4)), (2.0, (2, 4)), (1.5, (3, 8)), (3.5, (7, 8)), (0.75, (3, 16))],
)
def test_beats_are_quarters_where_they_can_be(beats_per_bar: float, signature: tuple[int, int]) -> None:
    assert Metre(120.0, beats_per_bar).signature == signature


def test_a_steady_time_is_one_tempo_and_one_signature() -> None:
    assert conductor_of([(0.0, Metre(100.0))]) == Conductor.steady(100.0)


def test_changes_are_on_their_ticks_and_what_stays_is_not_told_again() -> None:
    changes = [
        (0.0, Metre(120.0)),
        (2.0, Metre(120.0, 3.0)),
        (3.5, Metre(60.0, 3.0)),
        (5.5, Metre(60.0, 3.0)),
    ]
    assert conductor_of(changes) == Conductor(((0, 500_000), (6720, 1_000_000)), ((0, 4, 4), (3840, 3, 4)))
