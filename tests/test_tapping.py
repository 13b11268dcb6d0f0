"""Tap tempo: three taps in a row are a beat."""

from __future__ import annotations

import pytest

from improv_core.representation.asking import Pulse
from improv_core.tapping import TapTempo


def tapped(*at_s: float) -> TapTempo:
    taps = TapTempo()
    for one_s in at_s:
        taps.tap(one_s)
    return taps


def test_fewer_than_three_taps_are_no_tempo() -> None:
    assert TapTempo().pulse is None
    assert tapped(1.0).pulse is None
    assert tapped(1.0, 1.5).pulse is None


def test_three_taps_are_a_beat_that_counts_from_the_first() -> None:
    taps = tapped(1.0, 1.5)
    assert taps.tap(2.0) == Pulse(1000.0, 500.0)
    assert taps.pulse == Pulse(1000.0, 500.0)


def test_beat_is_the_median_gap_and_the_latest_tap_is_on_it() -> None:
    assert tapped(1.0, 1.5, 2.0, 2.625).pulse == Pulse(1125.0, 500.0)


def test_only_the_latest_five_gaps_count() -> None:
    assert tapped(0.0, 1.0, 2.0, 3.0, 3.5, 4.0, 4.5).pulse == Pulse(1500.0, 500.0)


def test_switch_that_bounces_is_one_tap() -> None:
    assert tapped(1.0, 1.125, 1.5, 1.5625, 2.0).pulse == Pulse(1000.0, 500.0)


def test_after_a_pause_the_old_tempo_holds_until_there_is_a_new_one() -> None:
    taps = tapped(1.0, 1.5, 2.0)
    assert taps.tap(4.625) == Pulse(1000.0, 500.0)
    assert taps.tap(5.375) == Pulse(1000.0, 500.0)
    assert taps.tap(6.125) == Pulse(4625.0, 750.0)


def test_gap_of_just_two_and_a_half_seconds_is_a_slow_beat() -> None:
    assert tapped(0.0, 2.5, 5.0).pulse == Pulse(0.0, 2500.0)


def test_cleared_taps_are_forgotten() -> None:
    taps = tapped(1.0, 1.5, 2.0)
    taps.clear()
    assert taps.pulse is None
    assert taps.tap(2.5) is None


@pytest.mark.parametrize("bpm", [40.0, 96.0, 208.0])
def test_steady_taps_are_followed_exactly_at_any_tempo(bpm: float) -> None:
    pulse = tapped(*(100.0 + beat * 60 / bpm for beat in range(12))).pulse
    assert pulse is not None
    assert (pulse.origin_ms, pulse.beat_ms) == pytest.approx((100e3, 60e3 / bpm))
