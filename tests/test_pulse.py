"""The player's beat: found in steady playing however it is played, doubted in free playing."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improv_core.pulse import CLEAR_FROM, FORGET_AFTER_S, PulseEstimate, PulseTracker
from improv_core.representation.asking import Pulse

Rhythm = list[float]
"""Onsets in beats."""

MARCH: Rhythm = [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]
EIGHTHS: Rhythm = [0, 0, 0, 0.5, 1, 1, 1.5, 2, 2, 2.5, 3, 3, 3.5]
WALTZ: Rhythm = [0, 0, 1, 1, 1, 2, 2, 2]


def play(
    tracker: PulseTracker,
    rhythm: Rhythm,
    *,
    beat_s: float,
    bars: int = 8,
    per_bar: int = 4,
    from_s: float = 100.0,
    late_s: Callable[[], float] = lambda: 0.0,
) -> float:
    """Play bars of a rhythm, beats louder than what is between; returns where the next beat is."""
    onsets = [
        (from_s + (bar * per_bar + beat) * beat_s + late_s(), 80 if beat == int(beat) else 50)
        for bar in range(bars)
        for beat in rhythm
    ]
    for at_s, velocity in sorted(onsets):
        tracker.onset(at_s, velocity)
    return from_s + bars * per_bar * beat_s


def known(tracker: PulseTracker, now_s: float) -> PulseEstimate:
    estimate = tracker.estimate(now_s)
    assert estimate is not None
    return estimate


def off_ms(estimate: PulseEstimate, beat_s: float) -> float:
    """How far the estimated beat nearest to a real one is from it."""
    pulse = estimate.pulse
    beats = round((beat_s * 1e3 - pulse.origin_ms) / pulse.beat_ms)
    return abs(pulse.origin_ms + beats * pulse.beat_ms - beat_s * 1e3)


# --- steady playing -------------------------------------------------------------------------------


@pytest.mark.parametrize("beat_s", [0.5, 0.6, 0.7, 0.8])
@pytest.mark.parametrize("rhythm", [MARCH, EIGHTHS])
def test_beat_of_steady_playing_is_exact_and_clear(rhythm: Rhythm, beat_s: float) -> None:
    tracker = PulseTracker()
    next_s = play(tracker, rhythm, beat_s=beat_s)
    estimate = known(tracker, next_s)
    assert estimate.pulse.beat_ms == pytest.approx(beat_s * 1e3, rel=1e-3)
    assert off_ms(estimate, next_s) < 1.0
    assert estimate.clear


def test_fast_playing_may_be_counted_in_halves_but_on_the_beat() -> None:
    tracker = PulseTracker()
    next_s = play(tracker, MARCH, beat_s=0.4)
    estimate = known(tracker, next_s)
    assert estimate.pulse.beat_ms == pytest.approx(800.0, rel=1e-3)
    assert off_ms(estimate, next_s) < 1.0 or off_ms(estimate, next_s + 0.4) < 1.0


def test_waltz_has_its_beat_too() -> None:
    tracker = PulseTracker()
    next_s = play(tracker, WALTZ, beat_s=0.5, bars=10, per_bar=3)
    estimate = known(tracker, next_s)
    assert estimate.pulse.beat_ms == pytest.approx(500.0, rel=1e-3)
    assert off_ms(estimate, next_s) < 1.0


def test_origin_is_the_beat_nearest_to_the_latest_onset() -> None:
    tracker = PulseTracker()
    next_s = play(tracker, MARCH, beat_s=0.6)
    pulse = known(tracker, next_s + 1.0).pulse
    assert pulse.origin_ms == pytest.approx((next_s - 0.6) * 1e3, abs=1.0)


@pytest.mark.parametrize("seed", range(4))
def test_unsteadiness_of_15_ms_moves_the_next_beat_by_less_than_15_ms(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tracker = PulseTracker()
    next_s = play(tracker, EIGHTHS, beat_s=0.6, late_s=lambda: float(rng.normal(0.0, 0.015)))
    estimate = known(tracker, next_s)
    assert off_ms(estimate, next_s) < 15.0
    assert estimate.clear


def test_another_tempo_is_found_within_eight_seconds() -> None:
    tracker = PulseTracker()
    next_s = play(tracker, EIGHTHS, beat_s=0.5)
    next_s = play(tracker, EIGHTHS, beat_s=0.66, bars=3, from_s=next_s)
    estimate = known(tracker, next_s)
    assert estimate.pulse.beat_ms == pytest.approx(660.0, rel=0.01)
    assert off_ms(estimate, next_s) < 20.0


def test_speeding_up_by_a_tenth_in_16_bars_is_followed() -> None:
    tracker = PulseTracker()
    at_s, worst_ms = 10.0, 0.0
    for beat in range(64):
        length_s = 0.6 * (1 - 0.1 * beat / 64)
        for part in (0.0, 0.5):
            tracker.onset(at_s + part * length_s, 80 if part == 0 else 50)
        at_s += length_s
        if beat >= 16:
            worst_ms = max(worst_ms, off_ms(known(tracker, at_s), at_s))
    assert worst_ms < 70.0


# --- what is not clear ----------------------------------------------------------------------------


def test_nothing_is_known_before_the_third_onset() -> None:
    tracker = PulseTracker()
    assert tracker.estimate(0.0) is None
    for at_s in (1.0, 1.5):
        tracker.onset(at_s, 64)
        assert tracker.estimate(at_s) is None
    tracker.onset(2.0, 64)
    assert tracker.estimate(2.0) is not None


@pytest.mark.parametrize("chords", [1, 2])
def test_a_chord_or_two_are_no_beat(chords: int) -> None:
    tracker = PulseTracker()
    for chord in range(chords):
        for note in range(10):
            tracker.onset(1.0 + chord + note * 0.004, 64)
    assert tracker.estimate(3.0) is None


@pytest.mark.parametrize("seed", range(8))
def test_onsets_at_any_time_are_not_clear(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tracker = PulseTracker()
    at_s, clear, asked = 50.0, 0, 0
    for note in range(200):
        at_s += float(rng.exponential(0.2))
        tracker.onset(at_s, int(rng.integers(30, 100)))
        if note >= 8:
            estimate = tracker.estimate(at_s)
            asked += 1
            clear += estimate is not None and estimate.clear
    assert clear / asked < 0.15


def test_steady_playing_is_surer_than_free_playing_and_silence_makes_less_sure() -> None:
    rng = np.random.default_rng(0)
    steady, free = PulseTracker(), PulseTracker()
    next_s = play(steady, EIGHTHS, beat_s=0.5)
    play(free, EIGHTHS, beat_s=0.5, late_s=lambda: float(rng.normal(0.0, 0.12)))
    sure = known(steady, next_s).confidence
    assert sure > CLEAR_FROM > known(free, next_s).confidence
    confidences = [known(steady, next_s + silence_s).confidence for silence_s in (0.0, 1.0, 3.0, 6.0)]
    assert confidences == sorted(confidences, reverse=True)
    assert len(set(confidences)) == 4


# --- time -----------------------------------------------------------------------------------------


def test_after_a_long_silence_nothing_is_known_and_all_is_learnt_anew() -> None:
    tracker, fresh = PulseTracker(), PulseTracker()
    last_s = play(tracker, EIGHTHS, beat_s=0.5) - 0.25
    assert tracker.estimate(last_s + FORGET_AFTER_S) is not None
    assert tracker.estimate(last_s + FORGET_AFTER_S + 0.01) is None
    begin_s = last_s + FORGET_AFTER_S + 1.0
    for one in (tracker, fresh):
        next_s = play(one, EIGHTHS, beat_s=0.7, bars=2, from_s=begin_s)
    assert tracker.estimate(next_s) == fresh.estimate(next_s)


def test_asking_changes_nothing() -> None:
    asked, unasked = PulseTracker(), PulseTracker()
    for note in range(40):
        for tracker in (asked, unasked):
            tracker.onset(10.0 + note * 0.3, 64)
        for ahead_s in (0.0, 0.1, 5.0):
            asked.estimate(10.0 + note * 0.3 + ahead_s)
    assert asked.estimate(22.0) == unasked.estimate(22.0)


def test_when_it_began_does_not_matter() -> None:
    early, late = PulseTracker(), PulseTracker()
    early_next_s = play(early, EIGHTHS, beat_s=0.5, from_s=1.0)
    late_next_s = play(late, EIGHTHS, beat_s=0.5, from_s=1e6)
    assert off_ms(known(late, late_next_s), late_next_s) < 1.0
    assert known(late, late_next_s).confidence == pytest.approx(
        known(early, early_next_s).confidence, abs=1e-4
    )


def test_hours_of_playing_leave_the_beat_as_exact_as_at_first() -> None:
    tracker = PulseTracker()
    tracker.onset(0.0, 64)
    for note in range(1, 60):
        tracker.onset(note * 7.9, 64)  # never so silent that it forgets
    tracker._tempogram._begun_s = -50_000.0
    next_s = play(tracker, EIGHTHS, beat_s=0.6, from_s=475.0, bars=10)
    assert off_ms(known(tracker, next_s), next_s) < 2.0


def test_onset_a_little_out_of_order_is_heard() -> None:
    in_order, swapped = PulseTracker(), PulseTracker()
    times = [10.0 + note * 0.25 for note in range(32)]
    for at_s in times:
        in_order.onset(at_s, 64)
        in_order.onset(at_s + 0.01, 64)
        swapped.onset(at_s + 0.01, 64)
        swapped.onset(at_s, 64)
    one, other = known(in_order, times[-1]), known(swapped, times[-1])
    assert other.pulse.beat_ms == pytest.approx(one.pulse.beat_ms, rel=1e-3)
    assert other.confidence == pytest.approx(one.confidence, abs=0.02)


@given(
    st.lists(st.tuples(st.floats(-0.02, 12.0), st.integers(1, 127)), max_size=60),
    st.floats(0.0, 10.0),
)
def test_whatever_is_played_the_estimate_is_a_pulse_with_a_probability(
    gaps: list[tuple[float, int]], later_s: float
) -> None:
    tracker, at_s = PulseTracker(), 5.0
    for gap_s, velocity in gaps:
        at_s += gap_s
        tracker.onset(at_s, velocity)
    estimate = tracker.estimate(at_s + later_s)
    if estimate is not None:
        assert isinstance(estimate.pulse, Pulse)
        assert 100.0 < estimate.pulse.beat_ms < 3000.0
        assert math.isfinite(estimate.pulse.origin_ms)
        assert 0.0 < estimate.confidence < 1.0
