"""Modes ``duet`` and ``solo``: who plays where and when, how it ends, and that nothing is left behind."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from playing import Room, improviser_of, model_that_plays, packaged_model, partner_of
from window_models import RandomModel

from improv_core.closing import CLOSE_S as CLOSING_S
from improv_core.model import Model
from improv_core.representation import ATTRIBUTE_NAMES, Events
from improv_core.sampler import Sampling
from improv_core.window_improviser import WindowImproviser
from improv_daemon.partner import AnswerEnded, Notice, Partner, Phase, Said
from improv_daemon.partner.open_turn import LAST_RELEASE_S, RING_S
from improv_daemon.partner.together import (
    BEGIN_AFTER_S,
    BREATH_S,
    CLOSE_S,
    ENTRY_S,
    PHRASE_S,
    REST_AFTER_S,
    SETTLE_NOTES,
)
from improv_daemon.settings import Settings
from improv_daemon.wire import Change, Cue, FinishTurn, MovePedal, Played, PlayNote, Released, Sounded


def model_of_any_pitch(**values: int) -> Model:
    """Every key is as likely as any other."""
    model = model_that_plays(**values)
    heads, pitch = model.heads, ATTRIBUTE_NAMES.index("pitch")
    weights, biases = list(heads.weights), list(heads.biases)
    weights[pitch], biases[pitch] = np.zeros_like(weights[pitch]), np.zeros_like(biases[pitch])
    model.heads = replace(heads, weights=tuple(weights), biases=tuple(biases))
    return model


STEADY = model_of_any_pitch(dt=200, duration=150, pedal=0)
SLOW = model_of_any_pitch(dt=1000, duration=150, pedal=0)
PEDALLED = model_of_any_pitch(dt=200, duration=150, pedal=1)
LOUD = model_of_any_pitch(dt=200, duration=150, pedal=0, velocity=80)
RESTED_S = max(REST_AFTER_S) + CLOSE_S + CLOSING_S + LAST_RELEASE_S + RING_S


def settings_of(mode: str, **duet: object) -> Settings:
    settings = replace(Settings(), mode=mode)
    return replace(settings, duet=replace(settings.duet, **duet))


def a_room(mode: str, model: Model = STEADY, **duet: object) -> tuple[Room, list[Notice]]:
    notices: list[Notice] = []
    return Room(partner_of(model, notices, settings=settings_of(mode, **duet))), notices


def melody(room: Room, seconds: float, *pitches: int, gap_s: float = 0.3) -> None:
    """The player plays on."""
    for i in range(round(seconds / gap_s)):
        room.call(pitches[i % len(pitches)], gap_s=gap_s, duration_s=gap_s / 2)


def tail_of(room: Room) -> list[object]:
    turn = room.partner._all.improviser._turn
    return [] if turn is None else list(turn.tail)


def struck(room: Room) -> list[int]:
    return [pitch for _, pitch in room.onsets]


# --- duet: when -----------------------------------------------------------------------------------


def test_a_duet_begins_with_the_player() -> None:
    room, notices = a_room("duet")
    room.run_for(3600.0)
    assert room.partner.next_wakeup_s() is None
    assert (room.sent, notices) == ([], [])


def test_improv_joins_in_with_the_second_onset() -> None:
    room, _ = a_room("duet")
    room.call(72)
    assert room.partner.phase is Phase.LISTENING
    room.call(74)
    assert room.partner.phase is Phase.TOGETHER


def test_improv_joins_in_a_moment_after_a_single_chord() -> None:
    room, _ = a_room("duet")
    room.press(67, 72, 76)
    room.run_for(BEGIN_AFTER_S - 0.01)
    assert room.partner.phase is Phase.LISTENING
    room.run_for(0.02)
    assert room.partner.phase is Phase.TOGETHER


def test_improv_joins_in_at_once_when_told_to() -> None:
    room, _ = a_room("duet")
    room.wish(Cue("hand_over"))
    assert room.partner.phase is Phase.TOGETHER
    room.run_for(2.5)
    assert room.onsets


def test_both_play_at_once() -> None:
    room, notices = a_room("duet")
    melody(room, 20.0, 72, 74, 76)
    assert len(room.onsets) > 20
    assert notices == []
    assert len({c.turn for _, c in room.commands if isinstance(c, PlayNote)}) == 1


def test_notes_are_fixed_only_when_they_are_about_to_sound() -> None:
    room, _ = a_room("duet", plan_s=0.06)
    melody(room, 10.0, 72, 74, 76)
    ahead_s = [c.onset_s - at_s for at_s, c in room.commands if isinstance(c, PlayNote)]
    assert len(ahead_s) > 10
    assert max(ahead_s) <= 0.06 + 1e-9


def test_a_note_of_the_players_makes_improv_plan_anew() -> None:
    room, _ = a_room("duet", SLOW, role="lead")
    room.call(72, 74)
    room.run_for(3.0)
    last_s = room.onsets[-1][0]
    room.run_for(last_s + 0.5 - room.now_s)
    room.press(76)
    played_s = room.now_s
    room.run_for(1.5)
    assert room.onsets[-1][0] == pytest.approx(played_s + 1.0, abs=0.03)


def test_what_is_about_to_sound_stands() -> None:
    room, _ = a_room("duet", SLOW, plan_s=0.2)
    room.call(72, 74)
    room.run_for(3.0)
    last_s = room.onsets[-1][0]
    room.run_for(last_s + 0.9 - room.now_s)
    room.press(76)
    room.run_for(0.2)
    assert room.onsets[-1][0] == pytest.approx(last_s + 1.0, abs=0.03)


# --- duet: where and how much -----------------------------------------------------------------------


@pytest.mark.parametrize("distance", [0, 4, 9])
def test_support_stays_under_the_player(distance: int) -> None:
    room, _ = a_room("duet", distance=distance)
    melody(room, 20.0, 67, 72, 76)
    assert len(room.onsets) > 20
    assert max(struck(room)) < 67 - distance


def test_lead_stays_over_the_player() -> None:
    room, _ = a_room("duet", role="lead")
    melody(room, 20.0, 48, 52, 55)
    assert len(room.onsets) > 20
    assert min(struck(room)) > 55 + 4


def test_improv_makes_way_when_the_player_moves() -> None:
    room, _ = a_room("duet")
    melody(room, 10.0, 79, 83)
    before = len(room.onsets)
    melody(room, 10.0, 60, 62)
    assert max(struck(room)[:before]) > 62
    assert max(struck(room)[before + 1 :]) < 60 - 4


def test_a_key_that_the_player_holds_is_theirs() -> None:
    room, _ = a_room("duet")
    room.press(40)
    room.run_for(11.0)
    for _ in range(8):
        melody(room, 10.0, 72, 74)
    after = [pitch for at_s, pitch in room.onsets if at_s > 12.0]
    assert len(set(after)) > 20
    assert 40 not in after


def test_sparse_plays_less_but_never_leaves_the_player_for_long() -> None:
    counts = {}
    for role in ("sparse", "support"):
        room, _ = a_room("duet", role=role)
        melody(room, 40.0, 72, 74, 76)
        counts[role] = len(room.onsets)
        onsets_s = [at_s for at_s, _ in room.onsets]
        assert max(np.diff(onsets_s)) <= 4.4
    assert 8 <= counts["sparse"] < counts["support"] / 2


def test_improv_steps_back_when_the_player_fills_the_time() -> None:
    shares = []
    for gap_s in (0.4, 0.09):
        room, _ = a_room("duet", model_of_any_pitch(dt=30, duration=100, pedal=0))
        melody(room, 12.0, 72, 74, 76, gap_s=gap_s)
        shares.append(len(room.onsets) / 12.0)
        assert shares[-1] + 1 / gap_s < 16.0
    assert shares[1] < shares[0]


def test_a_model_that_only_knows_chords_does_not_play_all_keys_at_once() -> None:
    room, _ = a_room("duet", model_of_any_pitch(dt=0, duration=150))
    melody(room, 20.0, 72, 74)
    room.run_for(60.0)
    onsets_s = np.array([at_s for at_s, _ in room.onsets])
    together = (np.abs(onsets_s - onsets_s[:, None]) < 0.03).sum(axis=1)
    assert together.max() <= 8
    assert len(onsets_s) < 150
    assert room.performer.silent
    assert room.partner.next_wakeup_s() is None


def test_support_is_softer_than_lead() -> None:
    heard = {}
    for role in ("support", "lead"):
        room, _ = a_room("duet", LOUD, role=role)
        melody(room, 6.0, 60)
        heard[role] = {data[2] for _, data in room.sent if data[0] & 0xF0 == 0x90}
    assert max(heard["support"]) < min(heard["lead"])


def test_role_and_distance_may_change_while_playing() -> None:
    room, _ = a_room("duet")
    melody(room, 6.0, 60, 62)
    before = len(room.onsets)
    room.wish(Change("duet.role", "lead"))
    room.wish(Change("duet.distance", 7))
    melody(room, 10.0, 60, 62)
    assert max(struck(room)[:before]) < 60 - 4
    assert min(struck(room)[before + 1 :]) > 62 + 7


# --- duet: how it ends ------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [STEADY, PEDALLED, packaged_model()], ids=["steady", "pedalled", "default"])
def test_when_the_player_stops_improv_comes_to_its_close_and_rests(model: Model) -> None:
    room, notices = a_room("duet", model)
    melody(room, 10.0, 72, 74, 76)
    stopped_s = room.now_s
    room.run_for(REST_AFTER_S[0] - 0.5)
    assert room.partner.phase is Phase.TOGETHER
    room.run_for(RESTED_S)
    assert room.partner.phase is Phase.LISTENING
    room.run_for(7200.0)
    assert max(at_s for at_s, _ in room.onsets) < stopped_s + RESTED_S
    assert [(notice.turn, notice.yielded) for notice in notices if isinstance(notice, AnswerEnded)] == [
        (1, False)
    ]
    assert room.performer.silent
    assert room.partner.next_wakeup_s() is None


@pytest.mark.parametrize(("held", "patience_s"), [(False, REST_AFTER_S[0]), (True, 2 * REST_AFTER_S[0])])
def test_keys_that_are_held_keep_improv_playing_for_longer(held: bool, patience_s: float) -> None:
    room, _ = a_room("duet")
    melody(room, 6.0, 72, 74)
    room.press(72)
    if not held:
        room.release(72)
    room.run_for(patience_s - 0.01)
    assert not room.partner._policy._closing
    room.run_for(0.02)
    assert room.partner._policy._closing


def test_a_player_who_is_back_before_the_close_is_played_with_on() -> None:
    room, notices = a_room("duet")
    melody(room, 10.0, 72, 74)
    room.run_for(REST_AFTER_S[0] + 1.0)
    assert room.partner._policy._closing
    melody(room, 10.0, 72, 74)
    assert room.partner.phase is Phase.TOGETHER
    assert notices == []
    onsets_s = [at_s for at_s, _ in room.onsets]
    assert max(np.diff(onsets_s)) < 2.5


def test_a_player_who_is_back_in_the_last_chord_begins_anew() -> None:
    room, notices = a_room("duet", model_of_any_pitch(dt=200, duration=1900, pedal=1))
    melody(room, 6.0, 72, 74)
    while not room.partner._policy._turn.drawn:
        room.run_for(0.05)
    room.press(76)
    assert [c for at_s, c in room.commands if at_s == room.now_s] == [FinishTurn(1)]
    assert [notice.yielded for notice in notices] == [True]
    room.run_for(BEGIN_AFTER_S + 2.5)
    assert {c.turn for _, c in room.commands if isinstance(c, PlayNote)} == {1, 2}
    room.release(76)
    room.run_for(30.0)
    assert room.performer.silent


@pytest.mark.parametrize("mode", ["duet", "solo"])
def test_another_mode_ends_it_and_what_sounds_comes_to_its_end(mode: str) -> None:
    room, _ = a_room(mode, PEDALLED)
    melody(room, 8.0, 72, 74)
    turn = room.partner._policy._turn.turn
    room.wish(Change("mode", "listen"))
    assert FinishTurn(turn) in [c for _, c in room.commands]
    left_s = room.now_s
    melody(room, 8.0, 72, 74)
    room.run_for(60.0)
    assert max(at_s for at_s, _ in room.onsets) <= left_s
    assert room.performer.silent
    assert room.partner._all.improviser._register is None
    assert room.partner.next_wakeup_s() is None


def test_a_panic_at_the_stage_ends_a_duet_until_the_player_goes_on() -> None:
    room, notices = a_room("duet", PEDALLED)
    melody(room, 6.0, 72, 74)
    room.carry_out(room.performer.panic(room.now_s))
    assert room.partner.phase is Phase.LISTENING
    assert [notice.yielded for notice in notices] == [True]
    room.run_for(60.0)
    before = len(room.onsets)
    melody(room, 6.0, 72, 74)
    assert len(room.onsets) > before


def test_the_pedal_is_up_again_however_often_the_plan_changes() -> None:
    room, _ = a_room("duet")
    room.partner._all.improviser._model = packaged_model()
    melody(room, 40.0, 72, 76, 79, gap_s=0.17)
    room.run_for(60.0)
    assert any(isinstance(c, MovePedal) for _, c in room.commands)
    assert room.pedal[-1][1] == 0
    assert room.performer.silent


# --- duet: hours --------------------------------------------------------------------------------------


def test_a_long_duet_is_settled_as_it_goes_and_its_memory_made_anew_under_way() -> None:
    improviser = improviser_of(STEADY, window_notes=48)
    room = Room(partner_of(improviser=improviser, settings=replace(settings_of("duet"), seed=1)))
    improviser.memory = replace(improviser.memory, window_notes=48)
    most = 0
    for _ in range(40):
        melody(room, 3.0, 72, 74, 76)
        most = max(most, len(tail_of(room)))
    turn = room.partner._policy._turn
    assert turn.turn == 1
    assert most <= 6 * SETTLE_NOTES
    assert len(turn.notes) <= most
    assert len(improviser.window) == 48
    assert not improviser.outgrown
    assert len(room.partner._all.ears.pitches) <= 257
    assert len(turn.pitches) <= 256


@pytest.mark.parametrize("mode", ["duet", "solo"])
def test_notes_that_sound_for_long_hold_nothing_up(mode: str) -> None:
    room, _ = a_room(mode, model_of_any_pitch(dt=200, duration=8000, pedal=0))
    for _ in range(10):
        melody(room, 2.0, 72, 74, 76)
        assert len(tail_of(room)) <= 4 * SETTLE_NOTES
    room.wish(Change("mode", "listen"))
    room.run_for(20.0)
    assert room.performer.silent


@pytest.mark.parametrize("lost", [Sounded, Released], ids=["sounded", "released"])
def test_acknowledgements_that_are_lost_neither_pile_up_nor_keep_it_from_ending(lost: type) -> None:
    room, notices = a_room("duet")
    room.deaf = (lost,)
    melody(room, 40.0, 72, 74)
    if lost is Sounded:
        room.deaf = ()
        melody(room, 6.0, 72, 74)
        assert len(tail_of(room)) < 40
    room.run_for(30.0)
    assert [notice.yielded for notice in notices] == [False]
    assert room.partner.next_wakeup_s() is None


def test_a_duet_in_which_improv_hardly_plays_is_settled_too() -> None:
    room, _ = a_room("duet", role="sparse")
    melody(room, 40.0, 72, 74, 76, gap_s=0.1)
    assert len(tail_of(room)) < 400


@pytest.mark.parametrize("mode", ["duet", "solo"])
def test_the_same_playing_and_seed_give_the_same_notes(mode: str) -> None:
    rooms = [a_room(mode, packaged_model())[0] for _ in range(2)]
    for room in rooms:
        melody(room, 8.0, 72, 76, 67)
        room.run_for(12.0)
    assert rooms[0].commands == rooms[1].commands
    assert rooms[0].onsets


@pytest.mark.parametrize("mode", ["duet", "solo"])
@pytest.mark.parametrize("seed", range(6))
def test_whatever_a_player_does_nothing_is_left_sounding(mode: str, seed: int) -> None:
    chance = random.Random(seed)
    room, _ = a_room(mode, chance.choice((packaged_model(), STEADY, PEDALLED)))
    for _ in range(80):
        pitch, early_s = chance.randrange(50, 80), chance.choice((0.0, 0.0, 0.02, -0.003))
        keys = [(0x90, pitch, 64), (0x90, pitch, 64), (0x80, pitch, 0), (0x91, pitch, 0)]
        others = [(0xB0, 64, 127), (0xB0, 64, 0), (0xB0, 123, 0), (0xE0, 0, 64), (0xC0, 1)]
        room.play(*chance.choice(keys + others), early_s=early_s)
        room.run_for(chance.choice((0.0, 0.0, 0.01, 0.1, 0.4, 3.0)))
        if chance.random() < 0.03:
            room.carry_out(room.performer.panic(room.now_s))
        if chance.random() < 0.03:
            room.wish(Cue("hand_over"))
        room.deaf = chance.choice(((), (), (), (Sounded,), (Released,)))
    room.deaf = ()
    room.wish(Change("mode", "listen"))
    room.run_for(60.0)
    assert room.performer.silent
    assert room.partner.phase is Phase.LISTENING
    assert np.isfinite(room.partner._all.improviser.voice.projected).all()


# --- a model that cannot hear while it plays ----------------------------------------------------------


def test_a_model_that_cannot_hear_while_it_plays_stays_in_its_mode() -> None:
    notices: list[Notice] = []
    improviser = WindowImproviser(RandomModel(Events()), Events(), Sampling(), seed=1)
    partner = Partner(improviser, Settings(), notify=notices.append)
    assert partner.handle(Change("mode", "duet"), 0.0) == []
    assert partner.mode == "answer"
    assert [type(notice) for notice in notices] == [Said]


def test_a_model_that_reads_the_window_anew_plays_a_solo() -> None:
    improviser = WindowImproviser(RandomModel(Events()), Events(), Sampling(), seed=1)
    room = Room(partner_of(improviser=improviser, settings=settings_of("solo")))
    room.run_for(30.0)
    room.wish(Change("mode", "listen"))
    room.run_for(30.0)
    assert room.onsets
    assert room.performer.silent


# --- solo ---------------------------------------------------------------------------------------------


def test_a_solo_begins_at_once_from_nothing() -> None:
    room, _ = a_room("solo")
    room.run_for(ENTRY_S + 0.01)
    assert room.partner.phase is Phase.TOGETHER
    assert room.onsets[0][0] <= ENTRY_S


def test_a_solo_begins_when_its_mode_is_chosen() -> None:
    room, _ = a_room("listen")
    room.call(60, 64, 67)
    room.run_for(5.0)
    chosen_s = room.now_s
    room.wish(Change("mode", "solo"))
    room.run_for(1.0)
    assert chosen_s <= room.onsets[0][0] <= chosen_s + ENTRY_S


def test_it_has_phrases_of_various_lengths_with_a_breath_between() -> None:
    room, notices = a_room("solo")
    room.run_for(120.0)
    lengths_s = [notice.length_s for notice in notices if isinstance(notice, AnswerEnded)]
    assert len(lengths_s) >= 7
    assert min(lengths_s) >= PHRASE_S[0]
    assert max(lengths_s) <= PHRASE_S[1] + CLOSING_S + LAST_RELEASE_S
    assert max(lengths_s) - min(lengths_s) > 2.0
    onsets_s = np.array([at_s for at_s, _ in room.onsets])
    breaths_s = np.diff(onsets_s)[np.diff(onsets_s) > 0.21]
    assert len(breaths_s) == len(lengths_s)
    assert BREATH_S[0] <= breaths_s.min()
    assert breaths_s.max() <= BREATH_S[1] + ENTRY_S + 0.2


def test_what_is_played_into_a_solo_is_heard_and_changes_it() -> None:
    rooms = [a_room("solo", packaged_model())[0] for _ in range(2)]
    for room in rooms:
        room.run_for(4.0)
    assert rooms[0].commands == rooms[1].commands
    rooms[0].call(60, 64, 67)
    rooms[1].run_for(0.75)
    for room in rooms:
        room.run_for(8.0)
    assert rooms[0].commands != rooms[1].commands
    heard = {note.pitch for note in rooms[0].partner._all.improviser.heard if note.part == 0}
    assert heard == {60, 64, 67}


def test_the_player_ends_a_solo_and_has_it_begin_again() -> None:
    room, _ = a_room("solo", PEDALLED)
    room.run_for(4.0)
    room.wish(Cue("hand_over"))
    ended_s = room.now_s
    assert room.commands[-1] == (ended_s, FinishTurn(1))
    room.run_for(600.0)
    assert max(at_s for at_s, _ in room.onsets) <= ended_s
    assert room.performer.silent
    assert room.partner.next_wakeup_s() is None
    room.wish(Cue("hand_over"))
    room.run_for(1.0)
    assert max(at_s for at_s, _ in room.onsets) > ended_s


def test_the_player_may_end_it_in_a_breath_too() -> None:
    room, notices = a_room("solo")
    while not notices:
        room.run_for(0.05)
    assert room.partner.phase is Phase.LISTENING
    room.wish(Cue("hand_over"))
    before = len(room.onsets)
    room.run_for(60.0)
    assert len(room.onsets) == before


def test_after_a_panic_a_solo_goes_on() -> None:
    room, notices = a_room("solo", PEDALLED)
    room.run_for(4.0)
    room.carry_out(room.performer.panic(room.now_s))
    assert [notice.yielded for notice in notices] == [True]
    before = len(room.onsets)
    room.run_for(5.0)
    assert len(room.onsets) > before


def test_a_long_solo_makes_its_memory_anew() -> None:
    improviser = improviser_of(STEADY, window_notes=48)
    room = Room(partner_of(improviser=improviser, settings=settings_of("solo")))
    room.run_for(120.0)
    assert len(improviser.window) == 48
    assert not improviser.outgrown


def test_messages_that_are_no_notes_are_heard_too() -> None:
    for mode in ("duet", "solo"):
        room, _ = a_room(mode)
        melody(room, 3.0, 72, 74)
        room.play(0xB0, 64, 127)
        assert room.partner._all.improviser._pedal == 127
        assert isinstance(room.events[-1], Played)
