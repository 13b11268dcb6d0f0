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


def held_up(due_s: np.ndarray, stalls_s: list[tuple[float, float]]) -> np.ndarray:
    """When pulses arrive at one who stands still so long from such moments on; then all come at once."""
    came_s = due_s.copy()
    for from_s, stall_s in stalls_s:
        waits = (came_s >= from_s) & (came_s < from_s + stall_s)
        came_s[waits] = from_s + stall_s + 0.0001 * np.arange(waits.sum())
    return came_s


@pytest.mark.parametrize("stall_s", [0.03, 0.06, 0.1])
@pytest.mark.parametrize("bpm", [90, 120, 200])
def test_pulses_that_were_held_up_and_come_all_at_once_are_counted_and_move_nothing(
    stall_s: float, bpm: int
) -> None:
    each_s = 60 / bpm / 24
    due_s = 10 + np.arange(480) * each_s
    count, stalls_s = PulseCount(120), [(due_s[place] - 0.3 * each_s, stall_s) for place in (100, 200, 330)]
    for number, at_s in enumerate(held_up(due_s, stalls_s).tolist()):
        count.pulse(number, at_s)
        if number > 24 and count.held_up:
            assert count.best.lost == 0
            assert count.best.at_s == pytest.approx(due_s[number], abs=0.002)
    assert count.best.lost == 0
    assert count.best.each_s == pytest.approx(each_s, rel=1e-4)


def test_held_up_are_the_late_one_and_those_that_came_with_it() -> None:
    due_s = np.arange(60) * 0.02
    came_s = held_up(due_s, [(0.97, 0.062)])  # 49, 50 and 51 are due meanwhile
    count = PulseCount(120)
    told = []
    for number, at_s in enumerate(came_s.tolist()):
        count.pulse(number, at_s)
        told.append(count.held_up)
    assert np.flatnonzero(told).tolist() == [50, 51]
    assert told[49:53] == [0, 2, 3, 0]
