"""MIDI clock out and clicks: when each is due, however the tempo is corrected and whoever is late."""

from __future__ import annotations

from itertools import pairwise

import pytest

from improv_core.timekeeping import Tick, Timekeeper

BEAT_S = 0.48
EACH_S = BEAT_S / 24


def run(keeper: Timekeeper, until_s: float) -> list[Tick]:
    """Everything that falls due until then, each at its time."""
    ticks = list[Tick]()
    while (at_s := keeper.next_deadline_s()) is not None and at_s <= until_s:
        ticks += keeper.due(at_s)
    return ticks


def times(ticks: list[Tick], kind: str) -> list[float]:
    return [tick.at_s for tick in ticks if tick.kind == kind]


def keeping(now_s: float = 10.0, origin_s: float = 10.0, **others: float) -> Timekeeper:
    keeper = Timekeeper()
    keep(keeper, now_s, origin_s, **others)
    return keeper


def keep(keeper: Timekeeper, now_s: float, origin_s: float, beat_s: float = BEAT_S, **others: float) -> None:
    clicks = {"click_from_s": 0.0, "click_until_s": 0.0} | others
    keeper.keep(origin_s, beat_s, 4, now_s=now_s, **clicks)


def test_start_comes_just_before_the_pulse_of_a_bar_line_and_pulses_before_it() -> None:
    ticks = run(keeping(now_s=10.5), 12.0)
    (start_s,) = times(ticks, "start")
    assert start_s == pytest.approx(10.0 + 4 * BEAT_S - 0.002)
    assert times(ticks, "pulse")[0] == pytest.approx(10.0 + 25 * EACH_S)
    assert 10.0 + 4 * BEAT_S in [pytest.approx(at_s) for at_s in times(ticks, "pulse")]


def test_a_bar_line_that_has_just_passed_is_not_waited_for_again() -> None:
    ticks = run(keeping(now_s=10.01), 11.0)
    assert [tick.kind for tick in ticks[:2]] == ["start", "pulse"]
    assert times(ticks, "start") == pytest.approx([10.01])
    assert times(ticks, "pulse")[-1] == pytest.approx(10.0 + (len(times(ticks, "pulse")) - 1) * EACH_S)


def test_pulses_of_an_even_tempo_are_exact() -> None:
    pulses = times(run(keeping(now_s=9.99), 60.0), "pulse")
    assert pulses == pytest.approx([10.0 + i * EACH_S for i in range(len(pulses))], abs=1e-9)


@pytest.mark.parametrize("off_s", [-0.1, -0.01, 0.01, 0.1])
def test_a_correction_is_made_softly_and_fully(off_s: float) -> None:
    keeper = keeping()
    before = run(keeper, 12.0)
    keep(keeper, 12.0, 10.0 + off_s)
    after = run(keeper, 20.0)
    pulses = times(before, "pulse") + times(after, "pulse")
    assert all(b - a + 1e-9 >= 0.75 * EACH_S and b - a <= 1.25 * EACH_S + 1e-9 for a, b in pairwise(pulses))
    assert (pulses[-1] - 10.0 - off_s) / EACH_S == pytest.approx(len(pulses) - 1, abs=1e-6)
    assert not times(after, "stop")


def test_a_jump_of_more_than_half_a_beat_stops_and_starts_on_the_next_bar_line() -> None:
    keeper = keeping()
    run(keeper, 12.0)
    keep(keeper, 12.0, 10.0 + 2 * BEAT_S)
    ticks = run(keeper, 16.0)
    assert times(ticks, "stop") == [12.0]
    assert times(ticks, "start") == pytest.approx([10.0 + 6 * BEAT_S - 0.002])


def test_a_song_that_jumps_by_whole_bars_goes_on() -> None:
    keeper = keeping()
    run(keeper, 12.0)
    keep(keeper, 12.0, 10.0 - 40 * BEAT_S)
    ticks = run(keeper, 16.0)
    assert {tick.kind for tick in ticks} == {"pulse"}


def test_stop_comes_when_the_tempo_goes_and_nothing_after_it() -> None:
    keeper = keeping()
    run(keeper, 12.0)
    assert keeper.running
    keeper.stop(12.0)
    assert keeper.due(12.0) == [Tick("stop", 12.0)]
    assert keeper.next_deadline_s() is None
    assert not keeper.running


def test_a_song_that_has_not_started_is_not_stopped() -> None:
    keeper = keeping(now_s=10.5)
    keeper.stop(10.6)
    assert keeper.due(10.6) == []


def test_pulses_that_nobody_asked_for_come_one_by_one_and_none_is_lost() -> None:
    keeper = keeping()
    sent = [(at_s, tick) for at_s in (10.0,) for tick in keeper.due(at_s)]
    now_s = 10.2  # nobody came for ten pulses
    while now_s < 13.0:
        sent += [(now_s, tick) for tick in keeper.due(now_s)]
        now_s = max(now_s, keeper.next_deadline_s() or now_s)
    pulses = [at_s for at_s, tick in sent if tick.kind == "pulse"]
    assert all(b - a >= 0.75 * EACH_S - 1e-9 for a, b in pairwise(pulses))
    assert pulses[-1] == pytest.approx(10.0 + (len(pulses) - 1) * EACH_S, abs=1e-6)


def test_clicks_are_on_the_beats_of_their_window_and_bars_are_accented() -> None:
    keeper = Timekeeper(pulses=False)
    keep(keeper, 10.0, 10.0, click_from_s=10.0, click_until_s=10.0 + 8 * BEAT_S)
    ticks = run(keeper, 30.0)
    assert times(ticks, "click") == pytest.approx([10.0 + i * BEAT_S for i in range(8)])
    assert [tick.accent for tick in ticks] == [True, False, False, False] * 2


def test_a_beat_that_is_moved_on_does_not_click_twice() -> None:
    keeper = Timekeeper(pulses=False)
    keep(keeper, 10.0, 10.0, click_from_s=0.0, click_until_s=1e12)
    first = run(keeper, 10.5)
    keep(keeper, 10.5, 10.03, click_from_s=0.0, click_until_s=1e12)
    assert times(first, "click") == pytest.approx([10.0, 10.48])
    assert times(run(keeper, 11.0), "click") == pytest.approx([10.99])


def test_a_click_that_is_late_is_left_out() -> None:
    keeper = Timekeeper(pulses=False)
    keep(keeper, 10.0, 10.0, click_from_s=0.0, click_until_s=1e12)
    assert times(keeper.due(10.1 + BEAT_S), "click") == []
    assert keeper.next_deadline_s() == pytest.approx(10.0 + 2 * BEAT_S)


@pytest.mark.parametrize(("beat_s", "beats_per_bar"), [(-1.0, 4), (0.5, 0)])
def test_beats_that_cannot_be_are_refused(beat_s: float, beats_per_bar: int) -> None:
    with pytest.raises(ValueError, match="beats"):
        Timekeeper().keep(0.0, beat_s, beats_per_bar, 0.0, 0.0, 0.0)
