"""MIDI clock: tempo and song position, smoothed; stops, loops, lost pulses and new tempi."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improv_core.clock import MidiClock

START, CONTINUE, STOP, PULSE = (0xFA,), (0xFB,), (0xFC,), (0xF8,)
EACH_S = 0.5 / 24
"""At 120 beats a minute."""


class Sender:
    """Another program that sends clock."""

    def __init__(self, at_s: float = 10.0, bpm: float = 120.0) -> None:
        self.clock = MidiClock()
        self.at_s = at_s
        self.each_s = 60 / bpm / 24

    def send(self, *data: int) -> None:
        self.clock.message(data, self.at_s)

    def pulses(self, count: int, jitter_s: Iterator[float] | None = None) -> None:
        """That many, the first of them now; afterwards it is time for the next."""
        for _ in range(count):
            self.clock.message(PULSE, self.at_s + (0.0 if jitter_s is None else next(jitter_s)))
            self.at_s += self.each_s

    @property
    def beat(self) -> float:
        """Where the clock thinks the next pulse is."""
        return beat_at(self.clock, self.at_s)


def beats(clock: MidiClock) -> tuple[float, float]:
    """Origin and length of the pulse in milliseconds."""
    pulse = clock.pulse
    assert pulse is not None
    return pulse.origin_ms, pulse.beat_ms


def beat_at(clock: MidiClock, at_s: float) -> float:
    """Which beat of the song that is, from 0."""
    origin_ms, beat_ms = beats(clock)
    return (at_s * 1e3 - origin_ms) / beat_ms


def time_of_beat(clock: MidiClock, beat: float) -> float:
    """When that beat of the song is, in seconds."""
    origin_ms, beat_ms = beats(clock)
    return (origin_ms + beat * beat_ms) / 1e3


@pytest.fixture
def sender() -> Sender:
    return Sender()


def started(bpm: float = 120.0) -> Sender:
    made = Sender(bpm=bpm)
    made.send(*START)
    return made


def test_nothing_is_known_before_there_is_a_clock() -> None:
    clock = MidiClock()
    assert not clock.running
    assert clock.pulse is None
    assert clock.silent(0.0)


def test_first_pulse_after_a_start_is_beat_0() -> None:
    sender = started()
    sender.at_s = 10.25
    sender.pulses(25)
    assert sender.clock.running
    assert beats(sender.clock) == pytest.approx((10250.0, 500.0))
    assert beat_at(sender.clock, 11.25) == pytest.approx(2.0)
    assert time_of_beat(sender.clock, 4.0) == pytest.approx(12.25)


def test_two_pulses_are_a_tempo_and_one_is_none() -> None:
    sender = started()
    sender.pulses(1)
    assert sender.clock.pulse is None
    sender.pulses(1)
    assert beats(sender.clock) == pytest.approx((10000.0, 500.0))


def test_clock_that_is_heard_without_a_start_runs_from_its_first_pulse(sender: Sender) -> None:
    sender.pulses(24)
    assert sender.clock.running
    assert sender.beat == pytest.approx(1.0)


@pytest.mark.parametrize("data", [(), (0x90, 60, 64), (0xFE,), (0xF0, 1, 0xF7)])
def test_what_is_no_clock_message_says_nothing(sender: Sender, data: tuple[int, ...]) -> None:
    sender.send(*data)
    assert not sender.clock.running
    assert sender.clock.silent(sender.at_s)


# --- start, stop, continue, song position ---------------------------------------------------------


def test_stopped_clock_has_no_pulse() -> None:
    sender = started()
    sender.pulses(48)
    sender.send(*STOP)
    assert not sender.clock.running
    assert sender.clock.pulse is None


@pytest.mark.parametrize("idle", [0, 7, 100])
def test_continue_goes_on_where_it_stopped_however_many_pulses_came_meanwhile(idle: int) -> None:
    sender = started()
    sender.pulses(36)
    sender.send(*STOP)
    sender.pulses(idle)
    sender.send(*CONTINUE)
    sender.pulses(12)
    assert sender.beat == pytest.approx(2.0)


def test_continue_after_a_pause_without_pulses_goes_on_where_it_stopped() -> None:
    sender = started()
    sender.pulses(36)
    sender.send(*STOP)
    sender.at_s += 20.0
    sender.send(*CONTINUE)
    sender.pulses(12)
    assert sender.beat == pytest.approx(2.0)


def test_start_begins_the_song_anew() -> None:
    sender = started()
    sender.pulses(36)
    sender.send(*STOP)
    sender.send(*START)
    sender.pulses(6)
    assert sender.beat == pytest.approx(0.25)


def test_stop_and_continue_before_the_first_pulse_of_a_start_keep_beat_0() -> None:
    sender = started()
    sender.send(*STOP)
    sender.pulses(5)
    sender.send(*CONTINUE)
    sender.pulses(24)
    assert sender.beat == pytest.approx(1.0)


def test_continue_without_anything_before_begins_at_beat_0_whatever_came_while_stopped(
    sender: Sender,
) -> None:
    sender.send(*STOP)
    sender.pulses(10)
    sender.send(*CONTINUE)
    sender.pulses(24)
    assert sender.beat == pytest.approx(1.0)


def test_song_position_counts_sixteenths_and_holds_when_the_song_goes_on(sender: Sender) -> None:
    sender.send(*STOP)
    sender.send(0xF2, 0x02, 0x01)  # 130 sixteenths
    sender.send(*CONTINUE)
    sender.pulses(12)
    assert sender.beat == pytest.approx(33.0)


def test_song_position_of_a_running_clock_holds_from_the_next_pulse_on() -> None:
    sender = started()
    sender.pulses(96)
    sender.send(0xF2, 0, 0)
    sender.pulses(1)
    assert sender.beat == pytest.approx(1 / 24)
    assert beats(sender.clock) == pytest.approx((12000.0, 500.0))


def test_looping_keeps_bar_lines_exact_for_a_hundred_rounds() -> None:
    sender = started()
    for _ in range(100):
        sender.pulses(96)
        sender.send(0xF2, 0, 0)
    sender.pulses(1)
    assert time_of_beat(sender.clock, 4.0) == pytest.approx(10.0 + 101 * 2.0, abs=1e-9)


def test_start_that_falls_between_two_pulses_is_followed_at_once() -> None:
    sender = started()
    sender.pulses(100)
    sender.send(*STOP)
    sender.at_s += 0.4 * EACH_S
    sender.send(*START)
    sender.pulses(2)
    assert time_of_beat(sender.clock, 0.0) == pytest.approx(sender.at_s - 2 * EACH_S, abs=1e-9)


# --- silence and sources --------------------------------------------------------------------------


def test_clock_whose_pulses_stay_away_is_silent_after_half_a_second() -> None:
    sender = started()
    sender.pulses(24)
    last_s = sender.at_s - EACH_S
    assert not sender.clock.silent(last_s + 0.5)
    assert sender.clock.silent(last_s + 0.51)


def test_after_a_silence_the_tempo_is_learnt_anew_and_pulses_count_on() -> None:
    sender = started()
    sender.pulses(48)
    sender.at_s += 3.0
    sender.each_s = 60 / 90 / 24
    sender.pulses(24)
    assert sender.beat == pytest.approx(3.0)
    assert beats(sender.clock)[1] == pytest.approx(60e3 / 90)


def test_first_source_is_followed_until_it_falls_silent() -> None:
    clock = MidiClock()
    for place in range(48):
        clock.message(PULSE, place * 0.02, "one")
        clock.message(PULSE, place * 0.02 + 0.003, "two")
    assert beats(clock) == pytest.approx((0.0, 480.0), abs=1e-6)
    for place in range(48):
        clock.message(PULSE, 2.0 + place * 0.025, "two")
    assert beats(clock)[1] == pytest.approx(600.0)


# --- jitter ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bpm", [60.0, 120.0, 180.0])
def test_jitter_of_2_ms_moves_bar_lines_by_less_than_1_ms_rms_a_bar_ahead_and_half_a_ms_when_due(
    bpm: float,
) -> None:
    jitter_s = iter(np.random.default_rng(5).normal(0.0, 0.002, 100_000).tolist())
    sender = started(bpm)
    sender.pulses(8 * 24, jitter_s)
    ahead_s, due_s = [], []
    for bar in range(2, 100):
        line_s = 10.0 + bar * 96 * sender.each_s
        due_s.append(time_of_beat(sender.clock, 4.0 * bar) - line_s)
        ahead_s.append(time_of_beat(sender.clock, 4.0 * bar + 4) - line_s - 96 * sender.each_s)
        sender.pulses(96, jitter_s)
    assert np.sqrt(np.mean(np.square(due_s))) < 0.0005
    assert np.sqrt(np.mean(np.square(ahead_s))) < 0.001


def test_hours_of_clock_keep_their_place_to_the_microsecond() -> None:
    sender = started(150.0)
    sender.clock._number = 10_000_000
    sender.pulses(24 * 8)
    assert sender.beat == pytest.approx(8.0, abs=1e-6)


# --- lost pulses and new tempi --------------------------------------------------------------------


@pytest.mark.parametrize("lost", [1, 2, 10])
def test_lost_pulses_do_not_lose_the_place(lost: int) -> None:
    sender = started()
    sender.pulses(96)
    sender.at_s += lost * EACH_S
    sender.pulses(96 - lost)
    assert sender.beat == pytest.approx(8.0, abs=1e-9)
    assert beats(sender.clock) == pytest.approx((10000.0, 500.0))


def test_pulse_that_is_one_whole_pulse_late_is_not_taken_for_a_lost_one() -> None:
    sender = started()
    sender.pulses(96)
    sender.clock.message(PULSE, sender.at_s + 0.9 * EACH_S)
    sender.at_s += EACH_S
    sender.pulses(120)
    assert sender.beat == pytest.approx(217 / 24, abs=1e-9)


@pytest.mark.parametrize("bpm", [60.0, 75.0, 100.0, 121.0, 130.0, 240.0])
def test_new_tempo_is_followed_exactly_after_a_beat_and_no_pulse_is_miscounted(bpm: float) -> None:
    sender = started()
    sender.pulses(96)
    sender.each_s = 60 / bpm / 24
    sender.pulses(36)
    assert sender.beat == pytest.approx(132 / 24, abs=1e-6)
    assert beats(sender.clock)[1] == pytest.approx(60e3 / bpm, rel=1e-6)


@pytest.mark.parametrize(
    ("before_bpm", "bpm"), [(60, 250), (40, 160), (40, 180), (30, 200), (45, 300), (240, 50)]
)
def test_a_tempo_that_leaps_to_several_times_as_much_is_no_stall(before_bpm: float, bpm: float) -> None:
    sender = started(before_bpm)
    sender.pulses(96)
    sender.each_s = 60 / bpm / 24
    sender.pulses(48)
    assert sender.beat == pytest.approx(144 / 24, abs=1e-3)
    assert beats(sender.clock)[1] == pytest.approx(60e3 / bpm, rel=1e-3)


@pytest.mark.parametrize("stall_s", [0.03, 0.06, 0.1])
def test_beats_stay_where_they_are_when_pulses_are_held_up_and_come_all_at_once(stall_s: float) -> None:
    sender = started()
    dice = np.random.default_rng(8)
    due_s = 10.0 + np.arange(120 * 24) * EACH_S + 0.0005 * dice.normal(size=120 * 24)
    for stall in np.arange(13.0, 69.0, 1.7):  # it stands still for a moment
        waits = (due_s > stall) & (due_s < stall + stall_s)
        due_s[waits] = stall + stall_s + 0.0001 * np.arange(waits.sum())
    off_s = []
    for number, at_s in enumerate(due_s.tolist()):
        sender.clock.message(PULSE, at_s)
        if number > 48 and number % 24 == 23:
            beat = (number + 1) // 24
            off_s.append(time_of_beat(sender.clock, beat) - 10.0 - beat * 24 * EACH_S)
    assert np.max(np.abs(off_s)) < 0.005
    assert beats(sender.clock)[1] == pytest.approx(500.0, rel=2e-3)


def test_new_tempo_through_jitter_is_within_2_ms_after_a_beat() -> None:
    jitter_s = iter(np.random.default_rng(6).normal(0.0, 0.002, 1000).tolist())
    sender = started()
    sender.pulses(192, jitter_s)
    sender.each_s = 60 / 130 / 24
    sender.pulses(32, jitter_s)
    for _ in range(10):
        assert abs(sender.beat - round(sender.beat * 24) / 24) * 60 / 130 < 0.002
        sender.pulses(24, jitter_s)


def test_slowing_down_evenly_is_followed_within_3_ms() -> None:
    sender = started()
    sender.pulses(96)
    for number in range(96, 96 + 192):
        sender.each_s = EACH_S * (1 + (number - 96) / 384)
        sender.pulses(1)
        assert abs(time_of_beat(sender.clock, (number + 1) / 24) - sender.at_s) < 0.003


@given(
    st.lists(
        st.tuples(
            st.sampled_from([PULSE, PULSE, PULSE, START, CONTINUE, STOP, (0xF2, 5, 0)]),
            st.sampled_from([0.0, 0.001, 0.02, 0.04, 0.7]),
        ),
        max_size=120,
    )
)
def test_any_messages_leave_a_clock_that_a_start_puts_right(
    messages: list[tuple[tuple[int, ...], float]],
) -> None:
    sender = Sender()
    for data, later_s in messages:
        sender.at_s += later_s
        sender.send(*data)
    sender.at_s += 1.0
    sender.send(*START)
    sender.pulses(48)
    assert sender.clock.running
    assert sender.beat == pytest.approx(2.0, abs=1e-6)
