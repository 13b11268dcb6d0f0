"""What the musician may want at any moment: silence, the same again, another answer, or that it never was."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playing import BY_PACE, Room, model_that_plays, partner_of
from window_models import RandomModel, representations

from improv_core.improvising import MemorySettings
from improv_core.sampler import Sampling
from improv_core.window_improviser import WindowImproviser
from improv_daemon.partner import AnswerEnded, CallHeard, Notice, Phase
from improv_daemon.partner.attending import NO_ANSWERS
from improv_daemon.partner.floor import (
    IS_MUTED,
    NOTHING_TO_LOOP,
    NOTHING_TO_REPEAT,
    NOTHING_TO_UNDO,
    SOLO_IS_OVER,
    UNDONE,
)
from improv_daemon.partner.notices import Looping, Muted, Said
from improv_daemon.partner.partner import MODES
from improv_daemon.partner.taking_turns import NO_ANSWER, PLAYED_SINCE, TOGETHER
from improv_daemon.partner.trading import NOT_MY_BARS
from improv_daemon.settings import Settings
from improv_daemon.wire import CancelTurn, Change, Cue, Panic, TurnCancelled

TUNE = (60, 64, 67, 72, 71)
ANSWERED_S = 30.0
"""By then an answer is over."""

every_mode = pytest.mark.parametrize("mode", MODES)
CUES = ("panic", "mute", "again", "another", "loop", "undo", "hand_over")


class Heard(Room):
    """A room, and what the terminal is told in it."""

    def __init__(self, mode: str = "answer", model: object = None, **settings: object) -> None:
        self.notices: list[Notice] = []
        chosen = replace(Settings(turn=BY_PACE), mode=mode, **settings)
        super().__init__(partner_of(model, self.notices, settings=chosen, length_max_s=6.0))

    def cue(self, name: str) -> list[str]:
        """Give one; what is said."""
        before = len(self.notices)
        self.wish(Cue(name))
        return [notice.text for notice in self.notices[before:] if isinstance(notice, Said)]

    def answered(self, *pitches: int) -> list[tuple[float, tuple[int, ...]]]:
        """What goes out as the answer to a call."""
        self.call(*(pitches or TUNE))
        self.sent.clear()
        self.run_for(ANSWERED_S)
        assert self.onsets
        assert self.performer.silent
        return list(self.sent)

    @property
    def sounding(self) -> set[int]:
        """improv's keys that are down."""
        down: set[int] = set()
        for _, data in self.sent:
            if data[0] & 0xF0 == 0x90:
                down.add(data[1])
            elif data[0] & 0xF0 == 0x80:
                down.discard(data[1])
        return down


def shape_of(sent: list[tuple[float, tuple[int, ...]]]) -> list[tuple[float, tuple[int, ...]]]:
    """Messages from the first note on, in time order of milliseconds."""
    begun_s = next(at_s for at_s, data in sent if data[0] & 0xF0 == 0x90)
    return sorted((round(at_s - begun_s, 3), data) for at_s, data in sent)


# --- panic ------------------------------------------------------------------------------------------


@every_mode
def test_after_a_panic_all_is_silent_and_improv_can_go_on(mode: str) -> None:
    room = Heard(mode)
    room.play(0xB0, 64, 127)
    room.call(*TUNE)
    room.run_for(2.0)
    room.press(48)
    room.run_for(0.3)
    said = room.cue("panic")
    assert room.performer.silent
    assert room.commands[-1][1] == Panic()
    assert said == ([SOLO_IS_OVER] if mode == "solo" else [])
    room.forget()
    room.run_for(60.0)
    assert room.onsets == []
    assert not room.partner._all.ears.turns.keys_down
    room.call(*TUNE)
    room.press(60)
    if mode == "solo":
        room.cue("hand_over")
    room.run_for(5.0)
    assert (room.onsets != []) is (mode != "listen")


def test_what_goes_round_ends_in_a_panic() -> None:
    room = Heard()
    room.answered()
    room.cue("loop")
    room.run_for(1.0)
    room.cue("panic")
    assert room.performer.silent
    assert room.notices[-1] == Looping(False)
    room.forget()
    room.run_for(60.0)
    assert room.onsets == []


def test_a_count_in_ends_in_a_panic() -> None:
    room = Heard("trade", time=replace(Settings().time, tempo_bpm=120.0, count_in_bars=2))
    room.cue("count_in")
    assert room.partner._all.count_in_s is not None
    room.cue("panic")
    assert room.partner._all.count_in_s is None


# --- mute -------------------------------------------------------------------------------------------


@every_mode
def test_improv_that_is_muted_is_silent_at_once_and_listens(mode: str) -> None:
    room = Heard(mode)
    room.call(*TUNE)
    room.run_for(1.5)
    room.cue("mute")
    assert room.sounding == set()
    assert room.notices[-1] == Muted(True)
    assert room.partner.muted
    room.forget()
    room.call(50, 51, 52)
    room.run_for(60.0)
    assert room.onsets == []
    assert [n.pitch for n in room.improviser.heard][-3:] == [50, 51, 52]
    for cue in ("again", "another", "loop", "hand_over"):
        assert room.cue(cue) == [IS_MUTED]
    room.wish(Change("mode", "answer" if mode != "answer" else "trade"))
    room.call(*TUNE)
    room.run_for(10.0)
    assert room.onsets == []
    room.cue("mute")
    assert room.notices[-1] == Muted(False)
    room.run_for(5.0)
    assert room.onsets == []
    room.call(*TUNE)
    room.run_for(5.0)
    assert room.onsets


def test_a_solo_that_is_muted_goes_on_when_it_is_wanted_again_unless_it_had_been_stopped() -> None:
    room = Heard("solo")
    room.run_for(3.0)
    room.cue("mute")
    room.run_for(3.0)
    room.forget()
    room.cue("mute")
    room.run_for(2.0)
    assert room.onsets
    room.cue("hand_over")
    room.run_for(20.0)
    room.cue("mute")
    room.cue("mute")
    room.forget()
    room.run_for(20.0)
    assert room.onsets == []


# --- again ------------------------------------------------------------------------------------------


def test_the_last_answer_is_played_once_more_with_the_same_notes_and_pedal() -> None:
    room = Heard(model=model_that_plays(pedal=1, dt=250, duration=200))
    before = room.answered()
    heard = list(room.improviser.heard)
    room.forget()
    room.cue("again")
    begun_s = room.now_s
    room.run_for(ANSWERED_S)
    assert any(data[0] & 0xF0 == 0xB0 and data[2] for _, data in room.sent)
    assert shape_of(room.sent) == shape_of(before)
    assert room.onsets[0][0] == pytest.approx(begun_s)
    assert list(room.improviser.heard) == heard
    assert room.performer.silent
    assert room.partner.phase is Phase.LISTENING
    room.forget()
    room.cue("again")
    room.run_for(ANSWERED_S)
    assert shape_of(room.sent) == shape_of(before)


def test_before_anything_was_played_there_is_nothing_to_play_again() -> None:
    room = Heard()
    assert room.cue("again") == [NOTHING_TO_REPEAT]
    assert room.cue("loop") == [NOTHING_TO_LOOP]
    assert room.cue("undo") == [NOTHING_TO_UNDO]
    assert room.cue("another") == [NO_ANSWER]
    assert room.cue("hand_over") == []
    assert room.commands == []


def test_in_the_middle_of_an_answer_what_has_sounded_of_it_begins_again() -> None:
    room = Heard()
    room.call(*TUNE)
    room.sent.clear()
    room.run_for(2.5)
    before = room.onsets
    assert before
    room.cue("again")
    room.forget()
    room.run_for(ANSWERED_S)
    assert [pitch for _, pitch in room.onsets] == [pitch for _, pitch in before]


@pytest.mark.parametrize(("how", "ends"), [("cut", True), ("finish_note", True), ("overlap", False)])
def test_what_is_played_again_yields_as_an_answer_does(how: str, ends: bool) -> None:
    room = Heard()
    room.answered()
    room.wish(Change("yielding.how", how))
    room.cue("again")
    room.run_for(0.3)
    room.press(50)
    if how == "cut":
        assert room.sounding == set()
    room.forget()
    room.run_for(1.0)
    assert (room.onsets == []) is ends
    room.release(50)
    room.run_for(ANSWERED_S)
    assert room.onsets, "the key was not answered"


# --- another ----------------------------------------------------------------------------------------


def test_another_answer_to_the_same_call_and_the_first_is_forgotten() -> None:
    room = Heard()
    room.answered()
    first = list(room.improviser.heard)[len(TUNE) :]
    room.forget()
    assert room.cue("another") == []
    room.run_for(ANSWERED_S)
    second = list(room.improviser.heard)[len(TUNE) :]
    assert [n.pitch for n in second] == [pitch for _, pitch in room.onsets]
    assert [n.pitch for n in second] != [n.pitch for n in first]
    assert sum(isinstance(notice, CallHeard) for notice in room.notices) == 1
    assert sum(isinstance(notice, AnswerEnded) for notice in room.notices) == 2


def test_another_answer_can_be_had_during_the_answer() -> None:
    room = Heard()
    room.call(*TUNE)
    room.run_for(2.0)
    assert room.partner.phase is Phase.ANSWERING
    first = room.partner._all.turns
    room.cue("another")
    assert CancelTurn(first) in [command for _, command in room.commands]
    assert room.partner.phase is Phase.ANSWERING
    room.forget()
    room.run_for(ANSWERED_S)
    assert [n.pitch for n in room.improviser.heard][len(TUNE) :] == [pitch for _, pitch in room.onsets]


def test_an_answer_stays_once_the_player_plays_on() -> None:
    room = Heard()
    room.answered()
    room.press(60)
    assert room.cue("another") == [PLAYED_SINCE]
    room.release(60)
    room.run_for(2.0)
    room.press(72)
    assert room.cue("another") == [PLAYED_SINCE]


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("duet", TOGETHER.format(mode="duet")),
        ("harmonise", NO_ANSWERS.format(mode="harmonise")),
        ("listen", NO_ANSWERS.format(mode="listen")),
        ("trade", NOT_MY_BARS),
    ],
)
def test_where_there_are_no_answers_there_is_no_other(mode: str, sentence: str) -> None:
    room = Heard(mode)
    room.call(*TUNE)
    assert room.cue("another") == [sentence]


def test_another_phrase_of_a_solo() -> None:
    room = Heard("solo")
    room.run_for(3.0)
    room.cue("another")
    room.forget()
    room.run_for(2.0)
    assert [n.pitch for n in room.improviser.heard][: len(room.onsets)] == [p for _, p in room.onsets]


def test_in_bars_of_improvs_something_else_is_played_until_they_end() -> None:
    room = Heard("trade", trade=replace(Settings().trade, seconds=4.0))
    room.call(*TUNE)
    room.run_for(3.75)
    assert room.partner.phase is Phase.ANSWERING
    room.forget()
    assert room.cue("another") == []
    room.run_for(2.6)
    assert room.onsets
    room.run_for(1.0)
    assert room.partner.phase is Phase.LISTENING
    assert room.performer.silent
    assert room.cue("another") == [NOT_MY_BARS]


# --- loop -------------------------------------------------------------------------------------------


def test_an_answer_goes_round_until_it_is_stopped() -> None:
    room = Heard(model=model_that_plays(dt=250, duration=200))
    room.answered()
    room.forget()
    room.cue("loop")
    assert room.notices[-1] == Looping(True)
    room.run_for(60.0)
    begun_s, lasts_s = room.onsets[0][0], room.partner._floor._again._period_s
    rounds = [
        [(round(at_s - begun_s - lasts_s * number, 3), pitch) for at_s, pitch in room.onsets]
        for number in range(3)
    ]
    count = sum(at_s < begun_s + lasts_s - 0.001 for at_s, _ in room.onsets)
    assert count > 5
    assert rounds[0][:count] == rounds[1][count : 2 * count] == rounds[2][2 * count : 3 * count]
    room.cue("loop")
    assert room.notices[-1] == Looping(False)
    room.forget()
    room.run_for(60.0)
    assert room.onsets == []
    assert room.performer.silent


def test_the_players_phrase_goes_round_if_it_was_played_last_and_in_its_own_time() -> None:
    room = Heard("listen")
    room.call(40, 41)
    room.run_for(10.0)
    begun_s = room.now_s
    for pitch, wait_s in ((60, 0.31), (62, 0.2), (64, 0.12)):
        room.call(pitch, gap_s=wait_s, duration_s=0.1)
    room.cue("loop")
    room.run_for(4.0)
    onsets = [(round(at_s - begun_s, 3), pitch) for at_s, pitch in room.onsets]
    period_s = 0.51 + (0.31 + 0.2) / 2
    expected = [
        (round(number * period_s + at_s, 3), pitch)
        for number in range(1, 9)
        for at_s, pitch in ((0.0, 60), (0.31, 62), (0.51, 64))
    ]
    assert onsets == [one for one in expected if one[0] <= room.now_s - begun_s][: len(onsets)]
    assert len(onsets) >= 12


def test_on_a_clear_beat_a_round_is_so_many_whole_beats() -> None:
    room = Heard("listen", time=replace(Settings().time, tempo_bpm=120.0))
    begun_s = room.now_s
    room.call(60, 62, 64, 65, 67, gap_s=0.5, duration_s=0.4)
    room.run_for(0.7)
    room.cue("loop")
    room.run_for(12.0)
    starts = [at_s - begun_s for at_s, pitch in room.onsets if pitch == 60]
    assert starts == pytest.approx([4.0, 8.0, 12.0])


def test_a_key_that_was_held_on_and_on_is_struck_in_each_round_and_ends_with_the_loop() -> None:
    room = Heard("listen", time=replace(Settings().time, tempo_bpm=120.0))
    room.call(60, 62, gap_s=0.5, duration_s=0.4)
    room.press(64)
    room.run_for(30.0)
    room.cue("loop")
    room.run_for(9.0)
    assert sum(pitch == 64 for _, pitch in room.onsets) == 4
    room.cue("loop")
    room.run_for(2.5)
    assert room.performer.silent


def test_the_player_may_play_over_it_and_is_not_answered_but_for_a_hand_over() -> None:
    room = Heard()
    room.answered()
    room.cue("loop")
    room.call(*TUNE)
    turns = room.partner._all.turns
    room.run_for(20.0)
    assert room.partner._all.turns == turns
    assert [n.pitch for n in room.improviser.heard][-len(TUNE) :] == list(TUNE)
    room.cue("hand_over")
    assert Looping(False) in room.notices
    assert isinstance(room.notices[-1], CallHeard)
    room.run_for(ANSWERED_S)
    assert room.performer.silent


def test_a_loop_survives_thousands_of_turns_of_the_modes() -> None:
    room = Heard()
    room.answered()
    room.cue("loop")
    for _ in range(5):
        for _ in range(300):
            room.partner._all.next_turn()
        room.forget()
        room.run_for(15.0)
        assert room.onsets
    room.cue("loop")
    room.run_for(10.0)
    assert room.performer.silent


@every_mode
def test_another_mode_ends_what_goes_round(mode: str) -> None:
    room = Heard("answer" if mode != "answer" else "listen")
    room.call(*TUNE)
    room.cue("loop")
    room.run_for(2.0)
    assert room.onsets
    room.wish(Change("mode", mode))
    assert Looping(False) in room.notices
    room.run_for(0.5)
    room.cue("mute")
    room.forget()
    room.run_for(10.0)
    assert room.onsets == []
    assert room.performer.silent


# --- undo -------------------------------------------------------------------------------------------


def test_what_is_undone_changes_nothing_of_what_comes_next() -> None:
    undone, never = Heard(), Heard()
    for room in (undone, never):
        room.answered()
    undone.answered(50, 51, 54, 53, 50)
    assert undone.cue("undo") == [UNDONE]
    assert undone.cue("again") == [NOTHING_TO_REPEAT]
    assert undone.cue("another") == [NO_ANSWER]
    never.partner._all.turns = undone.partner._all.turns
    for room in (undone, never):
        room.run_for(200.0 - room.now_s)
        room.forget()
        room.call(*TUNE)
        room.run_for(ANSWERED_S)
    assert undone.improviser.heard == never.improviser.heard
    assert undone.sent == never.sent


@every_mode
def test_the_last_turn_can_be_undone_in_every_mode(mode: str) -> None:
    room = Heard(mode)
    room.call(*TUNE)
    room.run_for(3.0)
    assert room.cue("undo") == [UNDONE]
    assert list(room.improviser.heard) == []
    room.run_for(60.0)
    assert room.cue("undo") == [UNDONE if mode == "solo" else NOTHING_TO_UNDO]


def test_a_call_that_is_not_over_is_undone_alone_and_not_answered() -> None:
    room = Heard()
    room.answered()
    before = list(room.improviser.heard)
    room.call(50, 51)
    room.forget()
    assert room.cue("undo") == [UNDONE]
    assert list(room.improviser.heard) == before
    room.run_for(ANSWERED_S)
    assert room.onsets == []


def test_while_improv_yields_the_answer_and_its_call_are_undone_after_what_cut_them() -> None:
    room = Heard(yielding=replace(Settings().yielding, how="cut"))
    room.call(*TUNE)
    room.run_for(2.0)
    room.deaf = (TurnCancelled,)
    room.press(50)
    assert room.partner.phase is Phase.YIELDING
    room.release(50)
    assert room.cue("undo") == [UNDONE]
    assert {n.pitch for n in room.improviser.heard} >= set(TUNE)
    assert room.cue("undo") == [UNDONE]
    assert list(room.improviser.heard) == []


def test_a_model_that_reads_the_window_at_each_turn_does_all_of_it() -> None:
    model = RandomModel(representations()["events"])
    improviser = WindowImproviser(
        model, model.representation, Sampling(), seed=1, memory=MemorySettings(window_notes=64)
    )
    notices: list[Notice] = []
    room = Room(partner_of(notices=notices, improviser=improviser, length_max_s=4.0))
    room.call(*TUNE)
    room.run_for(ANSWERED_S)
    for cue in ("again", "another", "loop", "loop", "undo"):
        room.wish(Cue(cue))
        room.run_for(ANSWERED_S)
    assert [notice.text for notice in notices if isinstance(notice, Said)] == [UNDONE]
    assert list(room.improviser.heard) == []
    assert room.performer.silent


# --- one after the other ----------------------------------------------------------------------------


@every_mode
@pytest.mark.parametrize("when_s", [0.0, 1.2])
def test_any_cue_at_any_moment_leaves_nothing_sounding(mode: str, when_s: float) -> None:
    room = Heard(mode)
    for cue in CUES:
        for other in CUES:
            room.call(60, 64, 67)
            room.run_for(when_s)
            room.cue(cue)
            room.run_for(0.2)
            room.cue(other)
            if room.partner.muted:
                room.cue("mute")
    room.cue("panic")
    assert room.performer.silent
