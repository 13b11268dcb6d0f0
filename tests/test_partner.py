"""The live partner: when it answers, how long, how it yields, and that it never gets stuck."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from playing import Room, improviser_of, model_that_plays, partner_of
from scripted_improviser import ScriptedImproviser
from window_models import RandomModel

from improv_core.closing import CLOSING_NOTES
from improv_core.improvising import Ask
from improv_core.representation import Events
from improv_core.sampler import Sampling
from improv_core.window_improviser import WindowImproviser
from improv_core.window_turn import READ_AT_ONCE
from improv_daemon.partner import (
    PATIENCE_S,
    AnswerEnded,
    CallHeard,
    Notice,
    Phase,
    new_seed,
)
from improv_daemon.partner.open_turn import LAST_RELEASE_S, RING_S
from improv_daemon.wire import (
    CancelTurn,
    Counts,
    Cue,
    MovePedal,
    PedalMoved,
    Played,
    PlayNote,
    Ready,
    Released,
    Sounded,
    Trouble,
    TurnCancelled,
)

STEADY = model_that_plays(dt=200, duration=150, pedal=0)
PEDALLED = model_that_plays(dt=200, duration=150, pedal=1)
CHORDS = model_that_plays(dt=0, duration=150)


def a_room(model: object = STEADY, **answer: float) -> tuple[Room, list[Notice]]:
    notices: list[Notice] = []
    return Room(partner_of(model, notices, **answer)), notices


def answering(model: object = STEADY, **answer: float) -> tuple[Room, list[Notice]]:
    """A room in the middle of an answer of about three seconds."""
    room, notices = a_room(model, length_min_s=3.0, **answer)
    room.call(60, 64, 67, 72)
    room.run_for(1.5)
    assert room.partner.phase is Phase.ANSWERING
    assert room.onsets
    return room, notices


def heard(notices: list[Notice]) -> list[tuple[int, ...]]:
    return [notice.pitches for notice in notices if isinstance(notice, CallHeard)]


def answers(notices: list[Notice]) -> list[AnswerEnded]:
    return [notice for notice in notices if isinstance(notice, AnswerEnded)]


# --- the end of the player's turn -----------------------------------------------------------------


def test_without_a_call_nothing_is_played_and_no_wake_up_is_wanted() -> None:
    room, notices = a_room()
    room.play(0xB0, 64, 127)
    room.play(0x80, 60, 0)
    room.run_for(3600.0)
    assert room.partner.next_wakeup_s() is None
    assert (room.sent, notices) == ([], [])


def test_a_turn_ends_by_silence() -> None:
    room, notices = a_room()
    room.call(60, 64, 67, gap_s=0.2, duration_s=0.1)
    assert room.partner._policy._deadline_s() == pytest.approx(0.4 + 2.5 * 0.2)
    room.run_for(0.29)
    assert room.partner.phase is Phase.LISTENING
    room.run_for(0.02)
    assert room.partner.phase is Phase.ANSWERING
    assert heard(notices) == [(60, 64, 67)]


def test_a_chord_that_stays_down_ends_a_turn_after_the_longer_bound() -> None:
    room, notices = a_room()
    room.press(48, 55, 64)
    room.run_for(1.49)
    assert notices == []
    room.run_for(0.02)
    assert heard(notices) == [(48, 55, 64)]


def test_the_pedal_never_holds_a_turn() -> None:
    dry, _ = a_room()
    wet, _ = a_room()
    wet.play(0xB0, 64, 127)
    for room in (dry, wet):
        room.call(60, 64, 67)
    assert wet.partner.next_wakeup_s() == dry.partner.next_wakeup_s()
    wet.run_for(1.0)
    assert wet.partner.phase is Phase.ANSWERING


def test_the_first_note_comes_within_the_longest_wait() -> None:
    room, notices = a_room(model_that_plays(dt=9000))
    room.call(60, 64, 67)
    room.run_for(5.0)
    assert isinstance(notices[0], CallHeard)
    turn_over_s = next(at_s for at_s, _ in room.commands)
    assert turn_over_s < room.onsets[0][0] <= turn_over_s + 0.81


def test_every_call_is_answered_even_one_of_a_single_note() -> None:
    room, notices = a_room()
    for pitch in (60, 62, 64):
        room.call(pitch)
        room.run_for(8.0)
    assert heard(notices) == [(60,), (62,), (64,)]
    assert [answer.yielded for answer in answers(notices)] == [False] * 3
    assert all(len(answer.pitches) > 1 for answer in answers(notices))


def test_velocity_zero_is_a_release() -> None:
    room, notices = a_room()
    room.press(60)
    room.run_for(0.2)
    room.play(0x90, 60, 0)
    room.run_for(0.4)
    assert heard(notices) == [(60,)]


@pytest.mark.parametrize("controller", [120, 123])
def test_all_notes_off_lets_every_key_go(controller: int) -> None:
    room, notices = a_room()
    room.press(48, 55, 64)
    room.run_for(0.1)
    room.play(0xB0, controller, 0)
    room.run_for(0.4)
    assert heard(notices) == [(48, 55, 64)]


@pytest.mark.parametrize(
    "data",
    [(), (0x90,), (0x90, 60), (0xC0, 5), (0xE0, 0, 64), (0xB0, 1, 99), (0xF0, 1, 2, 0xF7), (0xF8,)],
    ids=str,
)
def test_messages_that_are_no_notes_are_no_call_and_no_reason_to_yield(data: tuple[int, ...]) -> None:
    room, notices = a_room()
    room.play(*data)
    room.run_for(10.0)
    assert notices == []
    room, _ = answering()
    room.play(*data)
    assert room.partner.phase is Phase.ANSWERING


def test_notes_of_two_sources_are_one_call() -> None:
    room, notices = a_room()
    room.play(0x90, 60, 64, source="keyboard")
    room.play(0x91, 72, 64, source="pads", early_s=0.004)
    room.run_for(0.2)
    room.play(0x81, 72, 0, source="pads")
    room.play(0x80, 60, 0, source="keyboard", early_s=0.003)
    room.run_for(0.5)
    assert heard(notices) == [(60, 72)]


def test_what_the_stage_says_besides_changes_nothing() -> None:
    room, _ = a_room()
    for event in (Ready((), (), None, ()), PedalMoved(1, 0, 0.0), Trouble("x"), Counts(0, 0, 0)):
        assert room.partner.handle(event, 0.0) == []
    assert room.partner.phase is Phase.LISTENING


# --- the answer -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("call_s", "answer_s"), [(0.5, 1.5), (4.0, 4.0), (12.0, 12.0), (40.0, 20.0)])
def test_an_answer_is_about_as_long_as_the_call(call_s: float, answer_s: float) -> None:
    room, notices = a_room()
    room.call(*([60, 64, 67, 72] * int(call_s / 0.25 / 4 + 0.99))[: int(call_s / 0.25)], gap_s=0.25)
    room.run_for(30.0)
    (answer,) = answers(notices)
    assert not answer.yielded
    assert answer_s - 0.05 <= answer.length_s <= answer_s + 0.4


def scripted(*gaps_s: float, **answer: float) -> tuple[Room, ScriptedImproviser, list[AnswerEnded]]:
    """An answer of two seconds, as it is written down, to a call of one note."""
    notices: list[Notice] = []
    improviser = ScriptedImproviser(*gaps_s)
    room = Room(partner_of(notices=notices, improviser=improviser, length_min_s=2.0, **answer))
    room.call(60)
    room.run_for(15.0)
    return room, improviser, answers(notices)


@pytest.mark.parametrize(
    ("gaps_s", "onsets_s"),
    [
        ((1.0, 0.9, 0.1, 0.1), [0.0, 1.0, 1.9, 2.0]),
        ((1.0, 0.9, 0.6, 0.1), [0.0, 1.0, 1.9, 2.5]),
        ((1.0, 0.9, 0.9, 0.1), [0.0, 1.0, 1.9]),
        ((1.0, 0.96, 0.1), [0.0, 1.0, 1.96]),
        ((1.0, 0.9, 0.2, 0.02, 0.02, 0.1), [0.0, 1.0, 1.9, 2.1, 2.12, 2.14]),
    ],
    ids=["at its end", "a little after it", "before a long silence", "just before it", "with a chord"],
)
def test_an_answer_closes_with_the_note_or_chord_that_reaches_its_end(
    gaps_s: tuple[float, ...], onsets_s: list[float]
) -> None:
    room, improviser, ended = scripted(*gaps_s)
    first_s = room.onsets[0][0]
    assert [at_s - first_s for at_s, _ in room.onsets] == pytest.approx(onsets_s)
    assert [answer.yielded for answer in ended] == [False]
    assert len(improviser.sounded[0]) == len(onsets_s)
    assert room.performer.silent


def test_a_closing_chord_without_end_is_ended() -> None:
    room, _, ended = scripted(1.0, 1.0, *[0.0] * 1000)
    assert len(room.onsets) == 2 + CLOSING_NOTES
    assert len(ended) == 1


def test_gaps_are_bounded_within_the_answer_and_free_behind_its_end() -> None:
    _, improviser, _ = scripted(1.0, 9.0, max_gap_s=1.2)
    assert improviser.bounds_s == pytest.approx([1.2, 1.2, 10.0])


def test_each_answer_is_told_how_long_it_is_to_be() -> None:
    improviser = ScriptedImproviser(0.5)
    room = Room(partner_of(improviser=improviser))
    room.call(60)
    room.run_for(10.0)
    room.call(*[60, 64] * 8, gap_s=0.25, duration_s=0.25)
    room.run_for(20.0)
    assert improviser.asks == [Ask(length_s=1.5), Ask(length_s=pytest.approx(4.0))]


def test_no_note_is_held_long_after_its_answer() -> None:
    room, notices = a_room(model_that_plays(dt=200, duration=19_000, pedal=0))
    room.call(60, 64, 67)
    room.run_for(30.0)
    (answer,) = answers(notices)
    assert answer.length_s == pytest.approx(1.5 + LAST_RELEASE_S, abs=0.01)
    assert room.performer.silent


def test_notes_are_drawn_a_little_ahead_and_two_at_a_time_at_most() -> None:
    room, _ = answering(length_max_s=3.0)
    plays = [(at_s, c.onset_s) for at_s, c in room.commands if isinstance(c, PlayNote)]
    assert all(0.0 < onset_s - at_s <= 0.25 + 0.25 for at_s, onset_s in plays[1:])
    for at_s, _ in plays:
        assert sum(1 for other_s, _ in plays if other_s == at_s) <= 2


def test_a_model_that_only_knows_chords_ends_its_answers_too() -> None:
    room, notices = a_room(CHORDS)
    room.call(60, 64, 67)
    room.run_for(20.0)
    assert len(answers(notices)) == 1
    assert room.performer.silent


def test_every_note_on_has_its_note_off() -> None:
    room, _ = a_room(None)
    for i in range(3):
        room.call(60 + i, 64 + i, 67 + i)
        room.run_for(8.0)
    balance: dict[int, int] = {}
    for _, (status, pitch, *_rest) in room.sent:
        if status & 0xF0 in (0x80, 0x90):
            balance[pitch] = balance.get(pitch, 0) + (1 if status & 0xF0 == 0x90 else -1)
            assert balance[pitch] in {0, 1}
    assert balance
    assert set(balance.values()) == {0}


def test_the_pedal_catches_the_chord_and_comes_up_after_the_last_notes_have_rung() -> None:
    room, notices = a_room(PEDALLED)
    room.call(60, 64, 67)
    room.run_for(10.0)
    (first_s, down), (last_s, up) = room.pedal
    assert (down, up) == (127, 0)
    assert first_s == pytest.approx(room.onsets[0][0])
    last_release_s = max(at_s for at_s, data in room.sent if data[0] & 0xF0 == 0x80)
    assert last_s == pytest.approx(last_release_s + RING_S)
    assert len(answers(notices)) == 1
    assert room.performer.silent


def test_a_mind_that_was_held_up_goes_on_from_now() -> None:
    room, notices = answering()
    held_up_s = room.now_s + 2.0
    while (deadline_s := room.performer.next_deadline_s()) is not None and deadline_s <= held_up_s:
        room.now_s = deadline_s
        room.carry_out(room.performer.advance(deadline_s))
    room.now_s = held_up_s
    before = len(room.commands)
    room.run_for(10.0)
    onsets = [c.onset_s for _, c in room.commands[before:] if isinstance(c, PlayNote)]
    assert all(onset_s >= held_up_s - 0.02 for onset_s in onsets)
    assert [answer.yielded for answer in answers(notices)] == [False]
    assert room.performer.silent


def test_the_same_playing_and_seed_give_the_same_answer() -> None:
    rooms = [a_room(None)[0] for _ in range(2)]
    for room in rooms:
        room.call(60, 64, 67)
        room.run_for(8.0)
    assert rooms[0].commands == rooms[1].commands


# --- an improviser that is slow to draw -----------------------------------------------------------


def slow_room(notices: list[Notice]) -> tuple[Room, RandomModel]:
    """A model that reads the whole call before the first note and draws many steps for each."""
    model = RandomModel(Events())
    improviser = WindowImproviser(model, Events(), Sampling(), seed=1)
    room = Room(partner_of(notices=notices, improviser=improviser))
    room.call(*range(40, 80))
    return room, model


def test_between_a_few_steps_of_the_model_whatever_was_played_is_heard() -> None:
    notices: list[Notice] = []
    room, model = slow_room(notices)
    deadline_s = room.partner._policy._deadline_s()
    assert deadline_s is not None
    room.now_s = deadline_s
    wakes = 0
    while not room.commands:
        before = model.read
        assert room.partner.next_wakeup_s() <= room.now_s
        room.obey(room.partner.wake(room.now_s))
        assert model.read - before <= READ_AT_ONCE
        wakes += 1
    assert wakes > 100 // READ_AT_ONCE
    assert len(heard(notices)) == 1


def test_a_player_who_is_back_before_the_first_note_is_heard_at_once() -> None:
    notices: list[Notice] = []
    room, model = slow_room(notices)
    deadline_s = room.partner._policy._deadline_s()
    assert deadline_s is not None
    room.now_s = deadline_s
    assert room.partner.wake(room.now_s) == []
    read = model.read
    room.press(60)
    assert room.partner.phase is Phase.LISTENING
    assert model.read == read
    assert [(answer.pitches, answer.yielded) for answer in answers(notices)] == [((), True)]
    room.release(60)
    room.run_for(10.0)
    assert heard(notices)[1] == (60,)
    assert answers(notices)[1].pitches
    assert room.performer.silent


# --- yielding -------------------------------------------------------------------------------------


def test_a_key_makes_improv_stop_at_once() -> None:
    room, notices = answering(PEDALLED)
    room.press(60)
    assert [c for at_s, c in room.commands if at_s == room.now_s] == [CancelTurn(1)]
    assert room.performer.silent
    assert room.pedal[-1] == (room.now_s, 0)
    stopped_s = room.now_s
    room.run_for(1.0)
    assert max(at_s for at_s, _ in room.onsets) <= stopped_s
    assert [answer.yielded for answer in answers(notices)] == [True]


def test_the_key_that_stopped_improv_begins_the_next_call() -> None:
    room, notices = answering()
    room.call(48, 50)
    room.run_for(8.0)
    assert heard(notices) == [(60, 64, 67, 72), (48, 50)]
    assert [answer.yielded for answer in answers(notices)] == [True, False]


def test_notes_played_while_improv_yields_are_not_lost() -> None:
    room, notices = answering()
    room.deaf = (TurnCancelled,)
    room.press(48)
    assert room.partner.phase is Phase.YIELDING
    room.run_for(0.05)
    room.release(48)
    room.press(50)
    room.run_for(0.05)
    room.tell(TurnCancelled(1, room.now_s, 0))
    room.release(50)
    room.run_for(8.0)
    assert heard(notices)[1] == (48, 50)
    assert not any(isinstance(c, CancelTurn) for at_s, c in room.commands[1:] if at_s > room.now_s - 7.9)


def test_improv_does_not_wait_for_ever_for_the_stage_to_confirm_that_it_stopped() -> None:
    room, notices = answering()
    room.deaf = (TurnCancelled,)
    room.press(48)
    room.run_for(PATIENCE_S - 0.01)
    assert room.partner.phase is Phase.YIELDING
    room.run_for(0.02)
    assert room.partner.phase is Phase.LISTENING
    room.release(48)
    room.run_for(8.0)
    assert heard(notices)[1] == (48,)
    assert [answer.yielded for answer in answers(notices)] == [True, False]


@pytest.mark.parametrize("lost", [Sounded, Released], ids=["sounded", "released"])
def test_an_answer_ends_though_acknowledgements_are_lost(lost: type) -> None:
    room, notices = a_room()
    room.deaf = (lost,)
    room.call(60, 64, 67)
    room.run_for(8.0)
    assert [answer.yielded for answer in answers(notices)] == [False]
    assert room.partner.next_wakeup_s() is None
    room.deaf = ()
    room.call(60, 64)
    room.run_for(8.0)
    assert len(answers(notices)) == 2


def test_releases_and_the_pedal_do_not_make_improv_yield() -> None:
    room, notices = a_room()
    room.press(48, 55)
    room.run_for(2.0)
    assert room.partner.phase is Phase.ANSWERING
    room.release(48)
    room.play(0x90, 55, 0)
    room.play(0xB0, 64, 127)
    room.play(0xB0, 64, 0)
    assert room.partner.phase is Phase.ANSWERING
    room.run_for(8.0)
    assert [answer.yielded for answer in answers(notices)] == [False]


def test_a_key_during_the_ring_of_the_pedal_lifts_it_and_begins_a_call() -> None:
    room, notices = a_room(PEDALLED)
    room.call(60, 64, 67)
    while room.partner.phase is not Phase.ANSWERING or not room.turn.drawn:
        room.run_for(0.05)
    room.run_for(room.turn.ends_s - RING_S / 2 - room.now_s)
    assert room.pedal[-1][1] == 127
    room.press(48)
    assert room.pedal[-1] == (room.now_s, 0)
    room.release(48)
    room.run_for(8.0)
    assert heard(notices)[1] == (48,)


def test_a_key_before_the_first_note_has_sounded_leaves_the_memory_as_it_was() -> None:
    room, notices = a_room(model_that_plays(dt=1500))
    room.call(60, 64, 67)
    while room.partner.phase is not Phase.ANSWERING:
        room.run_for(0.005)
    memory = room.improviser.voice.before
    committed = room.improviser._committed.state
    assert room.onsets == []
    room.press(48)
    assert room.improviser._committed.before is committed
    assert memory is not committed
    assert answers(notices) == [AnswerEnded(1, (), 0.0, True)]


def test_acknowledgements_of_an_earlier_turn_are_ignored() -> None:
    room, notices = answering()
    room.call(48, 50)
    room.run_for(1.2)
    assert room.partner.phase is Phase.ANSWERING
    sounded = dict(room.turn.sounded)
    for event in (Sounded(1, 40, 60, 64, 0.0, 0.0), Released(1, 0, 60, 0.0), TurnCancelled(1, 0.0, 3)):
        room.tell(event)
    assert room.partner.phase is Phase.ANSWERING
    assert room.turn.sounded == sounded
    assert len(answers(notices)) == 1


def test_a_panic_at_the_stage_ends_the_answer() -> None:
    room, notices = answering(PEDALLED)
    room.carry_out(room.performer.panic(room.now_s))
    assert room.partner.phase is Phase.LISTENING
    assert [answer.yielded for answer in answers(notices)] == [True]
    room.run_for(10.0)
    assert room.partner.next_wakeup_s() is None
    assert len(heard(notices)) == 1


def test_only_what_sounded_is_told_of_an_answer_that_was_cut() -> None:
    room, notices = answering()
    room.press(48)
    (answer,) = answers(notices)
    assert answer.pitches == tuple(pitch for _, pitch in room.onsets)
    assert answer.length_s == pytest.approx(room.now_s - room.onsets[0][0], abs=0.2)


def test_impatient_repeated_returns_leave_nothing_behind() -> None:
    room, notices = a_room(None)
    for i in range(40):
        room.call(60 + i % 12)
        room.run_for(0.35 + 0.02 * i)
    room.run_for(10.0)
    assert room.performer.silent
    assert room.partner.phase is Phase.LISTENING
    assert len(heard(notices)) == len(answers(notices))
    assert sum(len(pitches) for pitches in heard(notices)) == 40


# --- stuck and odd players ------------------------------------------------------------------------


def test_a_drone_under_a_melody_is_answered_and_may_stay() -> None:
    room, notices = a_room()
    room.press(36)
    for _ in range(3):
        room.call(60, 62, 64)
        room.run_for(10.0)
    assert heard(notices) == [(36, 60, 62, 64), (60, 62, 64), (60, 62, 64)]
    assert room.partner.next_wakeup_s() is None


def test_a_note_off_that_never_comes_delays_the_answers_but_does_not_prevent_them() -> None:
    room, notices = a_room()
    room.press(90)
    room.run_for(10.0)
    for _ in range(3):
        room.call(60, 62)
        room.run_for(10.0)
    assert len(answers(notices)) == 4


def test_a_long_call_is_heard_to_its_end_and_answered_within_bounds() -> None:
    room, notices = a_room()
    room.call(*([60, 64, 67, 72, 76] * 80), gap_s=0.15, duration_s=0.1)
    room.run_for(40.0)
    assert [len(pitches) for pitches in heard(notices)] == [400]
    assert answers(notices)[0].length_s == pytest.approx(20.0, abs=0.3)


def test_events_stamped_a_moment_ahead_of_the_clock_are_taken_as_they_come() -> None:
    room, notices = a_room()
    for pitch in (60, 64):
        room.play(0x90, pitch, 64, early_s=-0.005)
        room.play(0x80, pitch, 0, early_s=-0.005)
    room.run_for(8.0)
    assert heard(notices) == [(60, 64)]
    assert len(answers(notices)) == 1


def test_waking_again_at_the_same_time_comes_to_an_end() -> None:
    for model in (STEADY, CHORDS, None):
        room, _ = a_room(model)
        room.call(60, 64, 67)
        wakes = 0
        while room.partner.phase is Phase.LISTENING or room.turn.drawn is False:
            room.now_s = max(room.now_s, room.partner.next_wakeup_s() or 0.0)
            while (wakeup_s := room.partner.next_wakeup_s()) is not None and wakeup_s <= room.now_s:
                room.obey(room.partner.wake(room.now_s))
                wakes += 1
                assert wakes < 2000


def test_waking_too_early_does_nothing() -> None:
    room, _ = a_room()
    assert room.partner.wake(0.0) == []
    room.call(60)
    assert room.partner.wake(room.now_s) == []
    assert room.partner.phase is Phase.LISTENING


# --- the memory -----------------------------------------------------------------------------------


def test_between_answers_the_memory_is_made_anew_from_the_window() -> None:
    room = Room(partner_of(improviser=improviser_of(STEADY, window_notes=40)))
    for _ in range(8):
        room.call(60, 62, 64, 65, 67, gap_s=0.2, duration_s=0.1)
        room.run_for(3.5)
    room.run_for(1.0)
    assert not room.improviser.outgrown
    assert room.partner.next_wakeup_s() is None
    assert len(room.improviser.window) == 40


def test_while_the_player_plays_on_it_is_made_anew_too() -> None:
    room = Room(partner_of(improviser=improviser_of(STEADY, window_notes=40)))
    outgrown = []
    for _ in range(30):
        room.call(60, 62, 64, 65, 67, gap_s=0.2, duration_s=0.1)
        outgrown.append(room.improviser.outgrown)
    assert len(room.commands) == 0
    assert sum(outgrown) <= 3


def test_a_hand_over_in_the_middle_of_it_puts_it_off() -> None:
    room = Room(partner_of(improviser=improviser_of(STEADY, window_notes=512)))
    for i in range(700):
        room.improviser.press(40 + i % 40, 64, 0.01 * i)
    room.now_s = 10.0
    assert room.improviser.outgrown
    room.call(60)
    room.partner.wake(room.now_s)
    committed = room.improviser._committed.before
    room.wish(Cue("hand_over"))
    assert room.improviser._committed.before is committed
    room.run_for(8.0)
    assert not room.improviser.outgrown


def test_seeds_are_numbers_that_settings_may_hold() -> None:
    seeds = {new_seed() for _ in range(20)}
    assert len(seeds) == 20
    assert all(1 <= seed < 2**32 for seed in seeds)


def test_a_planned_pedal_movement_belongs_to_the_turn_of_its_notes() -> None:
    room, _ = answering(PEDALLED)
    assert {c.turn for _, c in room.commands if isinstance(c, MovePedal)} == {1}
    assert isinstance(room.events[0], Played)
    assert replace(room.events[0], at_s=0.0) == Played((0x90, 60, 64), 0.0, "keyboard")


@pytest.mark.parametrize("seed", range(8))
def test_whatever_a_player_does_improv_comes_to_rest_and_listens(seed: int) -> None:
    chance = random.Random(seed)
    room, notices = a_room(chance.choice((None, STEADY, PEDALLED)), length_min_s=0.5, length_max_s=2.0)
    for _ in range(60):
        pitch, early_s = chance.randrange(55, 66), chance.choice((0.0, 0.0, 0.02, -0.003))
        keys = [(0x90, pitch, 64), (0x90, pitch, 64), (0x80, pitch, 0), (0x91, pitch, 0)]
        others = [(0xB0, 64, 127), (0xB0, 64, 0), (0xB0, 123, 0), (0xE0, 0, 64), (0xC0, 1)]
        data = chance.choice(keys + others)
        room.play(*data, early_s=early_s)
        room.run_for(chance.choice((0.0, 0.0, 0.01, 0.1, 0.4, 3.0)))
        if chance.random() < 0.03:
            room.carry_out(room.performer.panic(room.now_s))
        room.deaf = chance.choice(((), (), (), (TurnCancelled,), (Sounded,), (Released,)))
    room.deaf = ()
    room.run_for(30.0)
    assert room.performer.silent
    assert room.partner.phase is Phase.LISTENING
    assert room.partner.next_wakeup_s() is None or room.improviser.outgrown
    assert [notice.turn for notice in notices[1::2]] == [notice.turn for notice in notices[::2]]
    assert np.isfinite(room.improviser._committed.projected).all()
