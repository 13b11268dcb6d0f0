"""Bars: where they begin, and whose beat they follow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improv_core.bars import Bars, TempoSource, ruling_bars
from improv_core.clock import MidiClock
from improv_core.pulse import PulseEstimate
from improv_core.representation.asking import Pulse

BARS = Bars(Pulse(1000.0, 500.0), 4)
TAPPED = Pulse(250.0, 400.0)
CLEAR = PulseEstimate(Pulse(10_000.0, 600.0), 0.9)
UNCLEAR = PulseEstimate(Pulse(10_000.0, 600.0), 0.3)


def running_clock(until_s: float) -> MidiClock:
    clock = MidiClock()
    clock.message((0xFA,), until_s - 1.0)
    for pulse in range(49):
        clock.message((0xF8,), until_s - 1.0 + pulse / 48)
    return clock


def test_bar_is_as_long_as_its_beats() -> None:
    assert BARS.length_s == 2.0
    assert Bars(Pulse(0.0, 500.0), 3).length_s == 1.5


@pytest.mark.parametrize(
    ("at_s", "bar"), [(-1.5, -2), (0.9, -1), (1.0, 0), (2.999, 0), (3.0, 1), (2.9999999, 1), (101.0, 50)]
)
def test_bar_line_belongs_to_the_bar_that_it_begins(at_s: float, bar: int) -> None:
    assert BARS.bar_of(at_s) == bar


@pytest.mark.parametrize(
    ("at_s", "line_s"), [(-2.0, -1.0), (0.5, 1.0), (1.0, 1.0), (1.0000001, 1.0), (1.01, 3.0), (100.0, 101.0)]
)
def test_next_bar_line_is_that_one_where_it_is_just_now(at_s: float, line_s: float) -> None:
    assert BARS.bar_start_after(at_s) == line_s


def test_bars_start_where_they_are_counted() -> None:
    assert [BARS.start_s(bar) for bar in (-1, 0, 1, 10)] == [-1.0, 1.0, 3.0, 21.0]


@pytest.mark.parametrize("beats_per_bar", [0, -1])
def test_bar_without_beats_is_refused(beats_per_bar: int) -> None:
    with pytest.raises(ValueError, match=f"beats_per_bar must be at least 1, got {beats_per_bar}"):
        Bars(Pulse(0.0, 500.0), beats_per_bar)


@given(st.floats(-1e6, 1e6), st.floats(200.0, 2000.0), st.integers(1, 16), st.floats(0.0, 1e6))
def test_next_bar_line_is_less_than_a_bar_away_and_begins_its_bar(
    origin_ms: float, beat_ms: float, beats: int, at_s: float
) -> None:
    bars = Bars(Pulse(origin_ms, beat_ms), beats)
    line_s = bars.bar_start_after(at_s)
    assert -1e-5 <= line_s - at_s < bars.length_s + 1e-5
    assert line_s == pytest.approx(bars.start_s(bars.bar_of(line_s + 1e-5)), abs=1e-6)


# --- who rules ------------------------------------------------------------------------------------


def test_running_clock_rules_over_all_and_counts_bars_from_the_start_of_the_song() -> None:
    ruling = ruling_bars(
        50.1, 4, clock=running_clock(50.0), tapped=TAPPED, tempo_bpm=90, played=CLEAR, begin_s=1.0
    )
    assert ruling is not None
    source, bars = ruling
    assert source is TempoSource.CLOCK
    assert (bars.start_s(0), bars.length_s) == pytest.approx((49.0, 2.0))


@pytest.mark.parametrize("gone", ["silent", "stopped", "never there"])
def test_without_a_clock_that_runs_the_tapped_tempo_rules(gone: str) -> None:
    clock = MidiClock() if gone == "never there" else running_clock(50.0)
    if gone == "stopped":
        clock.message((0xFC,), 50.0)
    now_s = 50.6 if gone == "silent" else 50.1
    ruling = ruling_bars(now_s, 4, clock=clock, tapped=TAPPED, tempo_bpm=90, played=CLEAR, begin_s=1.0)
    assert ruling == (TempoSource.TAPPED, Bars(TAPPED, 4))


def test_set_tempo_counts_from_the_players_first_onset() -> None:
    ruling = ruling_bars(50.0, 3, tempo_bpm=120.0, played=CLEAR, begin_s=1.25)
    assert ruling == (TempoSource.SET, Bars(Pulse(1250.0, 500.0), 3))


def test_set_tempo_counts_from_now_where_nothing_was_played() -> None:
    assert ruling_bars(50.0, 4, tempo_bpm=60.0) == (TempoSource.SET, Bars(Pulse(50_000.0, 1000.0), 4))


def test_clear_pulse_counts_bars_from_its_beat_nearest_to_the_first_onset() -> None:
    ruling = ruling_bars(12.0, 4, played=CLEAR, begin_s=1.1)
    assert ruling == (TempoSource.PLAYED, Bars(Pulse(1000.0, 600.0), 4))
    assert ruling_bars(12.0, 4, played=CLEAR) == (TempoSource.PLAYED, Bars(CLEAR.pulse, 4))


def test_nothing_rules_where_no_tempo_is_known_or_clear() -> None:
    assert ruling_bars(12.0, 4) is None
    assert ruling_bars(12.0, 4, played=UNCLEAR, begin_s=1.0) is None
