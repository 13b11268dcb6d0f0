"""What the stage is told of the beats: metronome, count-in, clock out, and what quantising makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playing import Room, model_that_plays, partner_of

from improv_core.bars import TempoSource
from improv_daemon.partner import Notice, Said
from improv_daemon.partner.timekeeping import FOREVER_S
from improv_daemon.settings import Settings, Time, Trade
from improv_daemon.wire import Change, Cue, KeepTime, PlayNote

PULSE, START, STOP = 0xF8, 0xFA, 0xFC


def room_of(mode: str = "listen", notices: list[Notice] | None = None, **time: object) -> Room:
    settings = replace(Settings(), mode=mode, trade=Trade(bars=1), time=Time(**time))
    model = model_that_plays(dt=170, duration=120, pedal=0)
    room = Room(partner_of(model, notices, settings=settings), now_s=1.0)
    room.obey(room.partner.begin(1.0))
    return room


def told(room: Room) -> list[KeepTime]:
    return [command for _, command in room.commands if isinstance(command, KeepTime)]


def ticking(room: Room, seconds: float, beat_s: float = 0.5) -> None:
    for _ in range(round(seconds / beat_s * 24)):
        room.play(PULSE, source="daw")
        room.run_for(beat_s / 24)


def test_a_metronome_clicks_the_set_tempo_from_the_start_and_for_ever() -> None:
    (one,) = told(room_of(metronome=True, tempo_bpm=100.0))
    assert (one.origin_s, one.beat_s, one.beats_per_bar) == pytest.approx((1.1, 0.6, 4))
    assert (one.click_from_s, one.click_until_s, one.source) == (1.0, FOREVER_S, "")


def test_what_is_due_is_done_at_its_time_to_the_last_bit() -> None:
    looked_s = 7.863
    assert (looked_s + 0.25) - looked_s < 0.25
    room = room_of(metronome=True)
    room.now_s = looked_s - 1.0
    room.press(60)
    room.now_s = looked_s
    room.press(62)
    room.run_for(1.0)  # fails where something is due again and again
    assert room.partner.next_wakeup_s() > room.now_s


def test_nobody_is_told_of_a_tempo_that_nobody_asks_for() -> None:
    room = room_of(tempo_bpm=100.0)
    room.call(60, 62, 64)
    ticking(room, 2.0)
    assert told(room) == []


def test_another_tempo_goes_on_from_where_the_beats_are() -> None:
    room = room_of(metronome=True, tempo_bpm=120.0)
    room.run_for(2.1 + 0.25)  # four and a half beats
    room.wish(Change("time.tempo_bpm", 60.0))
    new = told(room)[-1]
    assert new.beat_s == pytest.approx(1.0)
    assert (room.now_s - new.origin_s) / new.beat_s == pytest.approx(4.5)


def test_a_metronome_that_is_switched_off_is_silent() -> None:
    room = room_of(metronome=True, tempo_bpm=120.0)
    room.wish(Change("time.metronome", False))
    assert told(room)[-1] == KeepTime(0.0, 0.0, 4, 0.0, 0.0, "")
    room.run_for(0.01)
    assert room.partner.next_wakeup_s() is None


def test_clock_that_comes_in_is_told_with_its_source_and_seldom_anew_and_stops() -> None:
    room = room_of(clock_out="all")
    room.play(START, source="daw")
    ticking(room, 10.0)
    assert told(room)[-1].source == "daw"
    assert told(room)[-1].beat_s == pytest.approx(0.5, rel=1e-3)
    assert len(told(room)) < 5
    room.play(STOP, source="daw")
    assert told(room)[-1].beat_s == 0.0


def test_clock_that_falls_silent_is_noticed_without_any_event() -> None:
    room = room_of(clock_out="all")
    ticking(room, 2.0)
    room.run_for(1.0)
    assert told(room)[-1].beat_s == 0.0


def test_clock_is_not_followed_where_it_is_not_to_be() -> None:
    room = room_of(clock_out="all", follow_clock=False)
    ticking(room, 2.0)
    assert told(room) == []
    room.wish(Change("time.follow_clock", True))
    assert told(room)[-1].source == "daw"


def test_count_in_clicks_its_bars_and_the_players_bars_begin_at_its_end() -> None:
    room = room_of("trade", tempo_bpm=120.0, count_in_bars=2)
    (one,) = told(room)
    assert one.click_from_s == pytest.approx(one.origin_s - 0.125)
    assert one.click_until_s == pytest.approx(one.origin_s + 4.0 - 0.125)
    begin_s = one.origin_s + 4.0
    room.run_for(begin_s + 0.3 - room.now_s)
    room.call(60, 62, 64)
    room.run_for(2.0)
    first_s = min(c.onset_s for _, c in room.commands if isinstance(c, PlayNote))
    assert first_s == pytest.approx(begin_s + 2.0, abs=1e-6)


def test_count_in_by_a_running_clock_begins_at_its_next_bar_line() -> None:
    room = room_of()
    room.play(START, source="daw")
    ticking(room, 5.0)
    room.wish(Cue("count_in"))
    one = told(room)[-1]
    assert one.click_from_s == pytest.approx(1.0 + 6.0 - 0.125, abs=0.002)
    assert one.click_until_s == pytest.approx(1.0 + 8.0 - 0.125, abs=0.002)


def test_count_in_without_a_tempo_says_so() -> None:
    notices = list[Notice]()
    room = room_of(notices=notices)
    room.wish(Cue("count_in"))
    assert notices == [
        Said("There is no tempo to count in: send MIDI clock, tap the tempo, or set time.tempo_bpm.")
    ]
    assert told(room) == []


def test_setting_a_tempo_takes_the_place_of_what_was_tapped() -> None:
    room = room_of(metronome=True)
    for _ in range(4):
        room.wish(Cue("tap"))
        room.run_for(0.4)
    assert room.partner.tempo(room.now_s)[0] is TempoSource.TAPPED
    room.wish(Change("time.tempo_bpm", 90.0))
    assert told(room)[-1].beat_s == pytest.approx(60 / 90)


@pytest.mark.parametrize("cue", ["mute", "loop"])
def test_nothing_is_counted_in_while_the_mode_does_nothing(cue: str) -> None:
    room = room_of("trade", count_in_bars=1)
    room.call(60, 62, 64)
    room.wish(Cue(cue))
    for _ in range(4):
        room.wish(Cue("tap"))
        room.run_for(0.5)
    assert [one for one in told(room) if one.click_until_s > 0.0] == []


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_onsets_are_as_far_from_the_grid_as_the_strength_leaves_them(strength: float) -> None:
    room = room_of("answer", metronome=True, tempo_bpm=120.0, grid="1/8", quantise=strength)
    room.run_for(0.6)
    room.call(60, 62, 64, 65)
    room.run_for(6.0)
    onsets_s = [c.onset_s for _, c in room.commands if isinstance(c, PlayNote)]
    off_s = [abs((at_s - 1.1 + 0.125) % 0.25 - 0.125) for at_s in onsets_s]
    assert len(onsets_s) > 4
    assert onsets_s == sorted(onsets_s)
    assert max(off_s) <= 0.125 * (1 - strength) + 1e-6
    assert all(on_s >= at_s for at_s, c in room.commands if isinstance(c, PlayNote) for on_s in [c.onset_s])


def test_when_the_tempo_rises_in_improvs_bars_it_closes_sooner() -> None:
    room = room_of("trade", metronome=True, tempo_bpm=60.0)
    room.run_for(0.15)
    room.call(60, 62, 64)
    room.run_for(5.2 - room.now_s)  # improv has begun at 5.1
    asked_s = room.partner._policy._open.ask.length_s
    room.wish(Change("time.tempo_bpm", 120.0))
    room.run_for(0.2)
    turn = room.partner._policy._open
    assert turn.until_s == pytest.approx(5.2 + 3.9 / 2)
    assert turn.ask.length_s is not None
    assert turn.ask.length_s < asked_s - 1.0
    room.run_for(3.0)
    last_s = max(c.onset_s for _, c in room.commands if isinstance(c, PlayNote))
    assert turn.until_s - 1.1 < last_s < turn.until_s
