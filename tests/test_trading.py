"""The player and improv in turn, from bar line to bar line."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pytest
from playing import Room, model_that_plays, partner_of
from window_models import RandomModel

from improv_core.notes import Part
from improv_core.representation import Events
from improv_core.sampler import Sampling
from improv_core.window_improviser import WindowImproviser
from improv_daemon.partner import AnswerEnded, CallHeard, Notice, Phase, Said
from improv_daemon.settings import Settings, Time, Trade
from improv_daemon.wire import CancelTurn, Change, Cue, FinishTurn, PlayNote, Released, Sounded, TurnCancelled

STEADY = model_that_plays(dt=200, duration=150, pedal=0)
LEGATO = model_that_plays(dt=300, duration=4000, pedal=0)
PEDALLED = model_that_plays(dt=250, duration=200, pedal=1)
ENDLESS = model_that_plays(dt=50, duration=900)

PULSE, START, CONTINUE, STOP = 0xF8, 0xFA, 0xFB, 0xFC
PULSES_A_BEAT = 24
BEAT_S, BAR_S = 0.5, 2.0
"""At 120 beats a minute, four to the bar."""

ON_THE_LINE_S = 0.005
Notes = Sequence[tuple[float, int]]


@dataclass
class Band:
    """A room where somebody else keeps time, and a player who plays as it is written.

    Attributes:
        room: Where improv plays.
        notices: What it has told.
        beat_s: Of MIDI clock, from now on.
        jitter_s: Most that its pulses come late.
    """

    room: Room
    notices: list[Notice]
    beat_s: float = BEAT_S
    jitter_s: float = 0.0
    _next_s: float | None = None

    def start_clock(self) -> None:
        """The song starts at the next pulse, which comes now."""
        self.room.play(START, source="clock")
        self._next_s = self.room.now_s

    def stop_clock(self) -> None:
        self.room.play(STOP, source="clock")
        self._next_s = None

    def play_until(self, until_s: float, *pieces: Notes, duration_s: float = 0.1) -> None:
        """Time passes, pulses come, and the notes that are due are played."""
        notes = sorted(note for piece in pieces for note in piece if self.room.now_s <= note[0] < until_s)
        moves = [(at_s, (0x90, pitch, 64)) for at_s, pitch in notes]
        moves += [(at_s + duration_s, (0x80, pitch, 0)) for at_s, pitch in notes]
        for at_s, data in sorted(moves):
            self._wait(min(at_s, until_s))
            self.room.play(*data)
        self._wait(until_s)

    def _wait(self, until_s: float) -> None:
        dice = random.Random(round(until_s * 1e6))
        while self._next_s is not None and self._next_s <= until_s:
            late_s = dice.uniform(0.0, self.jitter_s)
            self.room.run_for(max(0.0, self._next_s + late_s - self.room.now_s))
            self.room.play(PULSE, source="clock")
            self._next_s += self.beat_s / PULSES_A_BEAT
        self.room.run_for(max(0.0, until_s - self.room.now_s))

    @property
    def onsets_s(self) -> list[float]:
        return [at_s for at_s, _ in self.room.onsets]

    @property
    def begins_s(self) -> list[float]:
        """When each of improv's turns has begun to sound."""
        firsts: dict[int, float] = {}
        for event in self.room.events:
            if isinstance(event, Sounded):
                firsts.setdefault(event.turn, event.at_s)
        return list(firsts.values())

    @property
    def ends_s(self) -> list[float]:
        """When the last note of each of improv's turns has ended."""
        lasts: dict[int, float] = {}
        for event in self.room.events:
            if isinstance(event, Released):
                lasts[event.turn] = event.at_s
        return list(lasts.values())

    def of(self, kind: type[Notice]) -> list[Notice]:
        return [notice for notice in self.notices if isinstance(notice, kind)]

    @property
    def calls(self) -> list[tuple[int, ...]]:
        return [notice.pitches for notice in self.notices if isinstance(notice, CallHeard)]


def band(model: object = STEADY, *, candidates: int = 1, **trade: float) -> Band:
    notices: list[Notice] = []
    time = {key: trade.pop(key) for key in ("tempo_bpm", "beats_per_bar") if key in trade}
    settings = replace(
        Settings(), mode="trade", trade=replace(Trade(), **trade), time=replace(Time(), **time)
    )
    return Band(Room(partner_of(model, notices, settings=settings, candidates=candidates)), notices)


def clocked(model: object = STEADY, **trade: float) -> Band:
    """A band with two bars each by a clock that has just started."""
    one = band(model, **{"bars": 2, **trade})
    one.start_clock()
    return one


def beats(first_s: float, count: int, beat_s: float = BEAT_S, pitch: int = 60) -> list[tuple[float, int]]:
    return [(first_s + i * beat_s, pitch + i % 12) for i in range(count)]


def sounding(room: Room) -> Iterator[tuple[float, float]]:
    """Onset and release of every note of improv's that has ended."""
    onsets = {(e.turn, e.index): e.at_s for e in room.events if isinstance(e, Sounded)}
    for event in room.events:
        if isinstance(event, Released):
            yield onsets[event.turn, event.index], event.at_s


def assert_within(room: Room, stretches_s: Iterable[tuple[float, float]]) -> None:
    """Each of improv's notes lies in one of these, and each of these has some."""
    stretches = list(stretches_s)
    notes = list(sounding(room))
    for begin_s, end_s in stretches:
        assert any(begin_s - ON_THE_LINE_S <= onset_s < end_s for onset_s, _ in notes), f"none from {begin_s}"
    for onset_s, release_s in notes:
        assert any(
            begin_s - ON_THE_LINE_S <= onset_s < end_s and release_s <= end_s + ON_THE_LINE_S
            for begin_s, end_s in stretches
        ), f"{onset_s} to {release_s}"
    assert room.performer.silent


# --- bars -------------------------------------------------------------------------------------------


def test_bars_by_midi_clock_begin_and_end_on_its_bar_lines() -> None:
    one = clocked()
    one.play_until(16.5, beats(0.0, 7), beats(8.0, 7))
    assert one.begins_s == pytest.approx([4.0, 12.0], abs=ON_THE_LINE_S)
    assert_within(one.room, [(4.0, 8.0), (12.0, 16.0)])


def test_the_bar_in_which_the_player_begins_is_their_first() -> None:
    one = clocked()
    one.play_until(14.5, beats(2.75, 6), beats(10.0, 6))
    assert one.begins_s == pytest.approx([6.0, 14.0], abs=ON_THE_LINE_S)


def test_a_pick_up_belongs_to_the_bar_that_it_leads_to() -> None:
    one = clocked()
    one.play_until(10.5, beats(1.8, 1), beats(2.0, 7))
    assert one.begins_s == pytest.approx([6.0], abs=ON_THE_LINE_S)
    assert one.calls == [(60, 60, 61, 62, 63, 64, 65, 66)]


def test_bars_by_tapped_tempo_count_from_the_first_tap() -> None:
    one = band(bars=2)
    for _ in range(4):
        one.room.wish(Cue("tap"))
        one.room.run_for(0.6)
    one.play_until(12.5, beats(2.4, 7, 0.6))
    assert one.begins_s == pytest.approx([2.4 + 8 * 0.6], abs=ON_THE_LINE_S)
    assert_within(one.room, [(7.2, 12.0)])


def test_a_tapped_tempo_is_forgotten_when_trading_is_over() -> None:
    one = band(tempo_bpm=0.0)
    for _ in range(4):
        one.room.wish(Cue("tap"))
        one.room.run_for(BEAT_S)
    ears = one.room.partner._all.ears
    assert ears.pulse(one.room.now_s) is not None
    one.room.wish(Change("mode", "answer"))
    assert ears.pulse(one.room.now_s) is None


def test_the_tempo_may_be_tapped_at_the_instrument() -> None:
    one = band(bars=1)
    one.room.wish(Change("controls.tap", "cc 80"))
    for _ in range(4):
        one.room.play(0xB0, 80, 127)
        one.room.play(0xB0, 80, 0)
        one.room.run_for(0.4)
    one.play_until(3.5, beats(1.6, 3, 0.4))
    assert one.begins_s == pytest.approx([3.2], abs=ON_THE_LINE_S)


def test_bars_by_set_tempo_count_from_the_players_first_note() -> None:
    one = band(bars=2, beats_per_bar=3, tempo_bpm=150.0)
    one.play_until(1.23)
    one.play_until(8.5, beats(1.23, 5, 0.4))
    assert one.begins_s == pytest.approx([1.23 + 2.4], abs=ON_THE_LINE_S)
    assert_within(one.room, [(3.63, 6.03)])


def test_bars_of_a_player_who_plays_in_time_are_those_of_their_pulse() -> None:
    one = band(bars=2)
    one.play_until(10.0, beats(0.5, 16, 0.3))
    assert one.begins_s == pytest.approx([0.5 + 16 * 0.3], abs=0.05)
    assert one.of(Said) == []


def test_seconds_need_no_tempo_and_heed_none() -> None:
    one = clocked(seconds=3.0)
    one.play_until(1.1)
    one.play_until(14.0, beats(1.1, 5), beats(7.2, 5))
    assert one.begins_s == pytest.approx([4.1, 10.1], abs=ON_THE_LINE_S)
    assert_within(one.room, [(4.1, 7.1), (10.1, 13.1)])
    assert one.of(Said) == []


def test_without_any_tempo_bars_last_as_at_120_and_that_is_said_once() -> None:
    one = band(bars=1)
    one.play_until(9.0, [(0.5, 60), (1.23, 62)], [(4.7, 60), (5.9, 62)])
    assert one.begins_s == pytest.approx([2.5, 6.5], abs=ON_THE_LINE_S)
    assert_within(one.room, [(2.5, 4.5), (6.5, 8.5)])
    assert one.of(Said) == [
        Said(
            "There is no tempo to trade bars by, so each of us plays 2 s: send MIDI clock, tap the tempo, or "
            "set time.tempo_bpm."
        )
    ]


# --- in turn ----------------------------------------------------------------------------------------


def test_they_alternate_strictly_for_as_long_as_the_player_plays() -> None:
    one = clocked(bars=1)
    one.play_until(40.5, *(beats(4.0 * i, 3) for i in range(10)))
    assert one.begins_s == pytest.approx([2.0 + 4.0 * i for i in range(10)], abs=ON_THE_LINE_S)
    assert_within(one.room, [(2.0 + 4.0 * i, 4.0 + 4.0 * i) for i in range(10)])
    assert len(one.calls) == len(one.of(AnswerEnded)) == 10
    assert not any(end.yielded for end in one.of(AnswerEnded) if isinstance(end, AnswerEnded))


def test_a_player_who_says_nothing_in_all_of_their_bars_rests_and_improv_with_them() -> None:
    one = clocked()
    one.play_until(30.0, beats(0.0, 7))
    assert one.begins_s == pytest.approx([4.0], abs=ON_THE_LINE_S)
    assert one.room.partner.phase is Phase.LISTENING
    one.play_until(36.5, beats(31.0, 5))
    assert one.begins_s == pytest.approx([4.0, 34.0], abs=ON_THE_LINE_S)


def test_before_the_player_has_played_nothing_happens() -> None:
    one = clocked()
    one.play_until(60.0)
    assert one.room.commands == []


def test_pulses_are_nothing_that_the_player_plays() -> None:
    one = clocked()
    one.play_until(3.0)
    assert one.room.partner._all.ears.last_s is None
    assert one.notices == []


@pytest.mark.parametrize("mode", ["answer", "solo", "harmonise", "duet", "listen"])
def test_in_no_mode_are_pulses_what_the_player_plays(mode: str) -> None:
    quiet, ticking = band(), band()
    for one in (quiet, ticking):
        one.room.wish(Change("mode", mode))
        one.play_until(1.0)
    ticking.start_clock()
    ticking.stop_clock()
    ticking.play_until(5.0)
    quiet.play_until(5.0)
    assert quiet.room.sent == ticking.room.sent
    assert ticking.room.partner._all.ears.last_s is None


def test_playing_into_improvs_bars_cuts_nothing_and_is_remembered_in_its_place() -> None:
    one = clocked()
    one.play_until(8.5, beats(0.0, 7), beats(5.1, 4, pitch=90))
    assert_within(one.room, [(4.0, 8.0)])
    assert sum(5.0 < at_s < 7.5 for at_s in one.onsets_s) >= 5
    parts = [note.part for note in one.room.improviser.heard if 4.0 <= note.onset_s < 8.0]
    assert parts.count(Part.PLAYER) == 4
    assert parts.index(Part.PLAYER) > 0
    assert parts[-1] is Part.IMPROV or parts.count(Part.IMPROV) > 4


def test_what_was_played_into_improvs_bars_is_no_call() -> None:
    one = clocked()
    one.play_until(20.0, beats(0.0, 7), beats(5.0, 5))
    assert len(one.calls) == 1


def test_notes_of_the_last_eighth_of_improvs_bars_are_the_players_pick_up() -> None:
    one = clocked()
    one.play_until(12.5, beats(0.0, 7), [(5.0, 90), (7.8, 70), (8.0, 71), (9.0, 72)])
    assert one.calls[1] == (70, 71, 72)


def test_a_pick_up_alone_is_something_said() -> None:
    one = clocked()
    one.play_until(12.5, beats(0.0, 7), [(7.9, 70)])
    assert one.calls[1:] == [(70,)]
    assert one.begins_s == pytest.approx([4.0, 12.0], abs=ON_THE_LINE_S)


# --- nothing across a line --------------------------------------------------------------------------


@pytest.mark.parametrize("model", [LEGATO, PEDALLED, ENDLESS, None], ids=["legato", "pedal", "dense", "any"])
@pytest.mark.parametrize("bars", [1, 2, 4])
def test_nothing_of_improvs_sounds_across_a_line(model: object, bars: int) -> None:
    one = clocked(model, bars=bars)
    length_s = bars * BAR_S
    calls = [beats(2 * i * length_s, 4 * bars - 1) for i in range(3)]
    lines = [((2 * i + 1) * length_s, (2 * i + 2) * length_s) for i in range(3)]
    one.play_until(6 * length_s + 0.5, *calls)
    assert_within(one.room, lines)
    for at_s, value in one.room.pedal:
        if value:
            assert any(begin_s - ON_THE_LINE_S <= at_s < end_s for begin_s, end_s in lines)


def test_it_closes_within_its_bars() -> None:
    one = clocked(bars=4)
    one.play_until(16.5, beats(0.0, 15))
    last_s = max(at_s for at_s in one.onsets_s if at_s < 16.0)
    assert 16.0 - 1.1 <= last_s < 16.0 - 0.2


def test_several_candidates_are_thought_of_before_the_line() -> None:
    one = band(None, candidates=4, bars=2)
    one.start_clock()
    one.play_until(3.93, beats(0.0, 7))
    assert one.room.commands == []
    assert one.room.improviser._rehearsal is not None
    assert len(one.room.improviser._rehearsal.answers) > 1
    one.play_until(8.5)
    assert one.begins_s == pytest.approx([4.0], abs=ON_THE_LINE_S)


# --- the clock has its own mind ---------------------------------------------------------------------


def test_when_the_tempo_changes_the_lines_move() -> None:
    one = clocked()
    one.play_until(2.0, beats(0.0, 12))
    one.beat_s = 0.75
    one.play_until(12.0, beats(2.5, 2))
    line_s = 2.0 + BEAT_S / PULSES_A_BEAT + (4 * PULSES_A_BEAT - 1) * 0.75 / PULSES_A_BEAT
    assert one.begins_s == pytest.approx([line_s], abs=ON_THE_LINE_S)
    cancelled_s = [at_s for at_s, command in one.room.commands if isinstance(command, CancelTurn)]
    assert cancelled_s == pytest.approx([line_s + 6.0], abs=ON_THE_LINE_S)


def test_when_it_gets_faster_improv_is_over_at_the_new_line() -> None:
    one = clocked(LEGATO)
    one.play_until(4.5, beats(0.0, 7))
    one.beat_s = 0.25
    one.play_until(8.0)
    assert_within(one.room, [(4.0, 4.5 + 7 * 0.25 + 0.03)])


def test_when_it_gets_faster_in_improvs_bars_it_closes_within_what_is_left_of_them() -> None:
    one = clocked(bars=4)
    one.play_until(8.5, beats(0.0, 15))
    one.beat_s = 0.25
    one.play_until(13.0)
    line_s = 8.5 + BEAT_S / PULSES_A_BEAT + (15 * PULSES_A_BEAT - 1) * 0.25 / PULSES_A_BEAT
    assert one.begins_s == pytest.approx([8.0], abs=ON_THE_LINE_S)
    assert line_s - 1.1 <= max(one.onsets_s) < line_s - 0.2


def test_a_loop_keeps_the_bars_on_the_grid() -> None:
    one = clocked()
    for again in range(3):
        one.play_until(8.0 * (again + 1) - 0.001, beats(8.0 * again, 7))
        one.room.play(0xF2, 0, 0, source="clock")
    assert one.begins_s == pytest.approx([4.0, 12.0, 20.0], abs=ON_THE_LINE_S)


def test_a_loop_within_the_players_bars_leaves_as_many_of_them() -> None:
    one = clocked(bars=4)
    one.play_until(3.999, beats(0.0, 6))
    one.room.play(0xF2, 0, 0, source="clock")
    one.play_until(9.0, beats(4.0, 6))
    assert one.begins_s == pytest.approx([8.0], abs=ON_THE_LINE_S)


def test_when_the_clock_stops_in_the_players_bars_no_others_follow() -> None:
    one = clocked()
    one.play_until(2.0, beats(0.0, 4))
    one.stop_clock()
    one.play_until(30.0, beats(2.5, 2))
    assert one.onsets_s == []
    assert one.room.partner.next_wakeup_s() is None


def test_when_the_clock_stops_in_improvs_bars_it_plays_them_to_the_end() -> None:
    one = clocked()
    one.play_until(5.0, beats(0.0, 7))
    one.stop_clock()
    one.play_until(30.0)
    assert_within(one.room, [(4.0, 8.0)])
    assert max(one.onsets_s) > 6.0
    assert one.room.partner.next_wakeup_s() is None


def test_when_the_clock_falls_silent_it_is_as_if_it_had_stopped() -> None:
    one = clocked()
    one.play_until(1.0, beats(0.0, 2))
    one._next_s = None
    one.play_until(30.0)
    assert one.onsets_s == []


def test_after_the_clock_has_stopped_the_next_note_begins_anew() -> None:
    one = clocked(tempo_bpm=60.0)
    one.play_until(2.0, beats(0.0, 4))
    one.stop_clock()
    one.play_until(10.3)
    one.play_until(28.0, beats(10.3, 5, 1.0))
    assert one.begins_s == pytest.approx([18.3], abs=ON_THE_LINE_S)


def test_a_clock_that_starts_in_the_middle_takes_the_lines_to_its_own() -> None:
    one = band(bars=2, tempo_bpm=100.0)
    one.play_until(1.0, beats(0.3, 2))
    one.start_clock()
    one.play_until(12.0, beats(1.5, 5))
    assert (one.begins_s[0] - 1.0) % BAR_S == pytest.approx(0.0, abs=ON_THE_LINE_S)


# --- what the musician wants ------------------------------------------------------------------------


def test_hand_over_ends_the_players_bars_with_this_one() -> None:
    one = clocked(bars=8)
    one.play_until(2.5, beats(0.0, 5))
    one.room.wish(Cue("hand_over"))
    one.play_until(20.5, beats(2.6, 2))
    assert one.begins_s == pytest.approx([4.0], abs=ON_THE_LINE_S)
    assert_within(one.room, [(4.0, 20.0)])


def test_hand_over_is_at_once_where_there_are_no_bars() -> None:
    one = band(seconds=20.0)
    one.play_until(2.5, beats(0.0, 4))
    one.room.wish(Cue("hand_over"))
    one.play_until(3.0)
    assert one.begins_s == pytest.approx([2.56], abs=ON_THE_LINE_S)


def test_hand_over_may_be_a_switch_at_the_instrument() -> None:
    one = clocked(bars=8)
    one.room.wish(Change("controls.hand_over", "cc 80"))
    one.play_until(1.0, beats(0.0, 2))
    one.room.play(0xB0, 80, 127)
    one.play_until(2.5)
    assert one.begins_s == pytest.approx([2.0], abs=ON_THE_LINE_S)


def test_hand_over_means_nothing_where_nothing_was_said() -> None:
    one = clocked()
    one.room.wish(Cue("hand_over"))
    one.play_until(10.0)
    assert one.room.commands == []


def test_another_number_of_bars_counts_from_the_next_turn() -> None:
    one = clocked()
    one.play_until(1.0, beats(0.0, 2))
    one.room.wish(Change("trade.bars", 1))
    one.play_until(8.5, beats(1.0, 4), beats(6.0, 3))
    assert one.begins_s == pytest.approx([4.0, 8.0], abs=ON_THE_LINE_S)
    one.play_until(10.5)
    assert_within(one.room, [(4.0, 6.0), (8.0, 10.0)])


def test_other_beats_to_the_bar_count_from_the_next_turn() -> None:
    one = clocked(bars=3)
    one.play_until(1.0, beats(0.0, 2))
    one.room.wish(Change("time.beats_per_bar", 2))
    one.play_until(12.5, beats(1.0, 9), beats(9.0, 5))
    assert one.begins_s == pytest.approx([6.0, 12.0], abs=ON_THE_LINE_S)


def test_seconds_instead_of_bars_count_from_the_next_turn() -> None:
    one = clocked()
    one.play_until(1.0, beats(0.0, 2))
    one.room.wish(Change("trade.seconds", 1.5))
    one.play_until(7.5, beats(1.0, 5), beats(5.5, 2))
    assert one.begins_s == pytest.approx([4.0, 7.0], abs=ON_THE_LINE_S)


@pytest.mark.parametrize("model", [LEGATO, PEDALLED], ids=["legato", "pedal"])
def test_leaving_the_mode_lets_what_sounds_end_and_begins_nothing(model: object) -> None:
    one = clocked(model)
    one.play_until(5.1, beats(0.0, 7))
    before = len(one.onsets_s)
    one.room.wish(Change("mode", "listen"))
    assert [type(c) for _, c in one.room.commands if not isinstance(c, PlayNote)][-1] is FinishTurn
    one.play_until(12.0)
    assert len(one.onsets_s) == before > 1
    assert one.room.performer.silent
    assert len(one.of(AnswerEnded)) == 1


# --- whatever happens -------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [TurnCancelled, Sounded, Released], ids=lambda kind: kind.__name__)
def test_it_goes_on_though_acknowledgements_are_lost(lost: type) -> None:
    one = clocked(bars=1)
    one.room.deaf = (lost,)
    one.play_until(12.5, *(beats(4.0 * i, 4) for i in range(3)))
    one.room.deaf = ()
    one.play_until(20.5, *(beats(4.0 * i + 0.5, 3) for i in (3, 4)))
    assert len(one.of(AnswerEnded)) == len(one.calls) == 5
    assert one.room.performer.silent


def test_a_panic_ends_what_sounds_and_the_bars_go_on() -> None:
    one = clocked()
    one.play_until(5.0, beats(0.0, 7))
    before = len(one.onsets_s)
    one.room.carry_out(one.room.performer.panic(one.room.now_s))
    one.play_until(12.5, beats(8.0, 7))
    assert not any(5.0 < at_s < 12.0 - ON_THE_LINE_S for at_s in one.onsets_s)
    assert len(one.onsets_s) > before
    assert [end.yielded for end in one.of(AnswerEnded) if isinstance(end, AnswerEnded)][:1] == [True]


def test_with_a_jittery_clock_improv_still_begins_near_the_line() -> None:
    one = clocked(bars=1)
    one.jitter_s = 0.004
    one.play_until(40.5, *(beats(4.0 * i, 3) for i in range(10)))
    late_s = [at_s - 2.0 - 4.0 * i for i, at_s in enumerate(one.begins_s)]
    assert len(late_s) == 10
    assert max(abs(one_s - 0.002) for one_s in late_s) < 0.003


@pytest.mark.parametrize("seed", range(6))
def test_whatever_clock_player_and_musician_do_nothing_is_left_sounding(seed: int) -> None:
    dice = random.Random(seed)
    one = clocked(dice.choice((None, LEGATO, PEDALLED)), bars=1)
    wishes = (
        *(Change("trade.seconds", seconds) for seconds in (0.0, 1.0, 2.5)),
        *(Change("trade.bars", bars) for bars in (1, 2)),
        *(Change("time.beats_per_bar", count) for count in (1, 3, 4)),
        *(Change("time.tempo_bpm", bpm) for bpm in (0.0, 240.0)),
        *(Cue(name) for name in ("tap", "tap", "hand_over")),
    )
    for _ in range(120):
        now_s = one.room.now_s
        match dice.randrange(7):
            case 0:
                one.room.wish(dice.choice(wishes))
            case 1 if one._next_s is None:
                one.start_clock()
            case 2 if dice.random() < 0.2:
                one.stop_clock()
            case 3:
                one.beat_s = dice.choice((0.2, 0.3, 0.5, 1.0))
            case 4:
                one.room.play(0xF2, dice.randrange(128), 0, source="clock")
            case _:
                one.play_until(now_s + dice.choice((0.01, 0.1, 0.7)), beats(now_s, dice.randrange(4), 0.15))
    if one._next_s is not None:
        one.stop_clock()
    one.play_until(one.room.now_s + 60.0)
    assert one.room.performer.silent
    assert one.room.partner.phase is Phase.LISTENING
    assert len(one.of(AnswerEnded)) == len(one.calls)


def test_a_model_that_reads_the_music_anew_for_each_turn_trades_too() -> None:
    notices: list[Notice] = []
    improviser = WindowImproviser(RandomModel(Events()), Events(), Sampling(), seed=1)
    settings = replace(Settings(), mode="trade", trade=Trade(bars=2))
    one = Band(Room(partner_of(notices=notices, improviser=improviser, settings=settings)), notices)
    one.start_clock()
    one.play_until(16.5, beats(0.0, 7), beats(5.0, 3), beats(8.0, 7))
    assert one.begins_s == pytest.approx([4.0, 12.0], abs=ON_THE_LINE_S)
    assert_within(one.room, [(4.0, 8.0), (12.0, 16.0)])
