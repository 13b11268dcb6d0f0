"""Which pulse of a clock is which, through jitter, losses and new tempi."""

from __future__ import annotations

import numpy as np
import pytest

from improv_core.pulse_count import PulseCount


def counted(dues_s: np.ndarray, *, lost: float = 0.0, jitter_s: float = 0.002, seed: int = 1) -> list[int]:
    """How many pulses it has missed or made up, a while after each that came."""
    dice = np.random.default_rng(seed)
    came = np.flatnonzero((dice.random(len(dues_s)) >= lost) | (np.arange(len(dues_s)) < 24))
    times_s = np.sort(dues_s[came] + dice.normal(0.0, jitter_s, len(came)))
    count, wrong = PulseCount(120), []
    for number, at_s in enumerate(times_s.tolist()):
        count.pulse(number, at_s)
        if number + 12 < len(came) and number > 24:
            wrong.append(count.best.lost - int(came[number] - number))
    return wrong


@pytest.mark.parametrize("bpm", [60, 200, 300])
def test_jitter_alone_is_never_taken_for_a_loss(bpm: int) -> None:
    wrong = counted(10 + np.arange(3000) * 60 / bpm / 24)
    assert wrong[-1] == 0
    assert np.mean(np.abs(wrong)) < 0.01


@pytest.mark.parametrize("bpm", [60, 120, 200])
def test_each_of_many_lost_pulses_is_counted_within_a_few_pulses(bpm: int) -> None:
    wrong = counted(10 + np.arange(3000) * 60 / bpm / 24, lost=0.03)
    assert wrong[-1] == 0
    assert np.mean(np.abs(wrong)) < 0.05


@pytest.mark.parametrize(("before", "after"), [(120, 150), (150, 120), (200, 150), (90, 180), (160, 80)])
def test_another_tempo_is_not_taken_for_losses(before: int, after: int) -> None:
    each_s = np.repeat([60 / before / 24, 60 / after / 24], 480)
    assert counted(10 + np.cumsum(each_s))[-1] == 0


def test_place_is_that_of_the_song_whatever_was_lost_before() -> None:
    count = PulseCount(120)
    for number in range(48):
        count.pulse(number, number * 0.02 + (0.04 if number >= 30 else 0.0))
    count.place(47, 6)
    assert count.decided
    assert (count.best.lost, 47 + count.best.lost - count.best.first) == (2, 6)
