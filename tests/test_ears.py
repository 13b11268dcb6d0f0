"""Whose beat improv hears, and that a clock is nobody's playing."""

from __future__ import annotations

import pytest
from playing import Room, model_that_plays, partner_of
from scripted_improviser import ScriptedImproviser

from improv_core.bars import TempoSource
from improv_core.representation import Pulse
from improv_core.turns import TurnBounds, TurnTaker
from improv_daemon.partner.ears import Ears
from improv_daemon.wire import Cue, Played

PULSE, START, CONTINUE, STOP, POSITION = (0xF8,), (0xFA,), (0xFB,), (0xFC,), (0xF2, 4, 0)
STEADY = model_that_plays(dt=200, duration=150, pedal=0)


def ears() -> Ears:
    return Ears(ScriptedImproviser(), TurnTaker(TurnBounds()))


def play(one: Ears, until_s: float, beat_s: float = 0.64) -> None:
    """Notes on each beat."""
    for i in range(round(until_s / beat_s) + 1):
        one.take(Played((0x90, 60, 64), i * beat_s, "keyboard"))
        one.take(Played((0x80, 60, 64), i * beat_s + 0.1, "keyboard"))


def tick(one: Ears, from_s: float, until_s: float, beat_s: float = 0.6) -> None:
    count = round((until_s - from_s) / beat_s * 24)
    for i in range(count + 1):
        one.keep_time(Played(PULSE, from_s + i * beat_s / 24, "clock"))


def tap(one: Ears, from_s: float, beat_s: float = 0.5) -> None:
    for i in range(4):
        one.tap(from_s + i * beat_s)


@pytest.mark.parametrize("data", [PULSE, START, CONTINUE, STOP, POSITION, (0xFE,)])
def test_messages_of_the_system_are_nothing_that_anybody_plays(data: tuple[int, ...]) -> None:
    one = ears()
    assert one.keep_time(Played(data, 1.0, "clock"))
    assert (one.last_s, one.turns.call) == (None, None)


@pytest.mark.parametrize("data", [(0x90, 60, 64), (0xB0, 64, 127), (0xE0, 0, 64), ()])
def test_everything_else_is_left_to_be_heard(data: tuple[int, ...]) -> None:
    assert not ears().keep_time(Played(data, 1.0, "keyboard"))


def test_without_anything_heard_there_is_no_pulse() -> None:
    assert ears().pulse(1.0) is None


def test_a_running_clock_rules_over_taps_and_those_over_what_is_played() -> None:
    one = ears()
    play(one, 7.68)
    played = one.pulse(8.1)
    assert played is not None
    assert played.beat_ms == pytest.approx(640.0, abs=4.0)
    tap(one, 6.5)
    assert one.pulse(8.1) == Pulse(6500.0, 500.0)
    tick(one, 5.0, 8.0)
    told = one.pulse(8.1)
    assert told is not None
    assert (told.origin_ms, told.beat_ms) == pytest.approx((5000.0, 600.0))
    one.keep_time(Played(STOP, 8.2, "clock"))
    assert one.pulse(8.3) == Pulse(6500.0, 500.0)


def test_bars_are_of_whoever_rules() -> None:
    one = ears()
    assert one.bars(1.0, 3) is None
    ruling = one.bars(1.0, 3, tempo_bpm=60.0, begin_s=0.5)
    assert ruling is not None
    assert (ruling[0], ruling[1].start_s(1)) == (TempoSource.SET, 3.5)
    tick(one, 0.0, 1.0)
    ruling = one.bars(1.0, 3, tempo_bpm=60.0, begin_s=0.5)
    assert ruling is not None
    assert (ruling[0], ruling[1].start_s(1)) == (TempoSource.CLOCK, pytest.approx(1.8))


def test_answers_begin_on_the_beat_of_a_running_clock() -> None:
    room = Room(partner_of(STEADY))
    notes = {0.33: 60, 0.71: 64, 0.94: 67}
    for i in range(480):
        at_s = i * 0.5 / 24
        for onset_s in [onset_s for onset_s in notes if onset_s <= at_s]:
            room.press(notes[onset_s])
            room.run_for(0.0)
            room.release(notes.pop(onset_s))
        room.run_for(max(0.0, at_s - room.now_s))
        room.play(*PULSE, source="clock")
    halves = room.onsets[0][0] / 0.25
    assert halves == pytest.approx(round(halves), abs=0.01)


def test_answers_begin_on_the_beat_that_was_tapped() -> None:
    room = Room(partner_of(STEADY))
    for _ in range(4):
        room.wish(Cue("tap"))
        room.run_for(0.45)
    room.run_for(0.2)
    room.call(60, 64, 67, gap_s=0.37)
    room.run_for(4.0)
    halves = room.onsets[0][0] / 0.225
    assert halves == pytest.approx(round(halves), abs=0.01)
