"""What improv does when the player returns into its answer, and what it makes of what it then hears."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playing import Room, model_that_plays, partner_of

from improv_core.notes import Part
from improv_daemon.partner import AnswerEnded, CallHeard, Notice, Phase
from improv_daemon.partner.open_turn import RING_S
from improv_daemon.settings import Settings, Yielding
from improv_daemon.wire import CancelTurn, Change, FinishTurn, PlayNote

STEADY = model_that_plays(dt=200, duration=150, pedal=0)
LEGATO = model_that_plays(dt=200, duration=900, pedal=0)
PEDALLED = model_that_plays(dt=200, duration=150, pedal=1)


def answering(
    model: object = STEADY, length_s: float = 4.0, **yielding: str | int
) -> tuple[Room, list[Notice]]:
    """A room one second into an answer of a few seconds."""
    notices: list[Notice] = []
    settings = replace(Settings(), yielding=replace(Yielding(), **yielding))
    room = Room(partner_of(model, notices, settings=settings, length_min_s=length_s, length_max_s=length_s))
    room.call(60, 64, 67, 72)
    while not room.onsets:
        room.run_for(0.01)
    room.run_for(1.0)
    assert room.partner.phase is Phase.ANSWERING
    return room, notices


def ends(notices: list[Notice]) -> list[AnswerEnded]:
    return [notice for notice in notices if isinstance(notice, AnswerEnded)]


def calls(notices: list[Notice]) -> list[tuple[int, ...]]:
    return [notice.pitches for notice in notices if isinstance(notice, CallHeard)]


def planned_s(room: Room, turn: int) -> list[float]:
    """Onsets of the notes that were sent for a turn."""
    return [c.onset_s for _, c in room.commands if isinstance(c, PlayNote) and c.turn == turn]


def remembered(room: Room) -> list[tuple[Part, int]]:
    return [(note.part, note.pitch) for note in room.improviser.heard]


# --- cut ------------------------------------------------------------------------------------------


def test_cut_is_silent_at_once() -> None:
    room, notices = answering(LEGATO, how="cut")
    assert len(room.performer._voices) > 1
    room.press(48)
    assert not room.performer._voices
    assert [one.yielded for one in ends(notices)] == [True]


# --- finish_note ----------------------------------------------------------------------------------


def test_finish_note_begins_nothing_more_and_lets_ring_what_sounds() -> None:
    room, notices = answering(LEGATO, how="finish_note")
    before, sounding = len(room.onsets), len(room.performer._voices)
    assert sounding > 1
    room.press(48)
    assert len(room.performer._voices) == sounding
    assert [one.yielded for one in ends(notices)] == [True]
    room.run_for(0.85)
    assert len(room.onsets) == before
    room.run_for(0.1)
    assert room.performer.silent


def test_finish_note_brings_the_pedal_up_with_the_last_note() -> None:
    room, _ = answering(PEDALLED, how="finish_note")
    assert room.pedal[-1][1] == 127
    returned_s = room.now_s
    room.press(48)
    room.run_for(1.0)
    off_s, value = room.pedal[-1]
    assert value == 0
    assert returned_s <= off_s <= returned_s + 0.2
    assert room.performer.silent


def test_what_rings_after_finish_note_is_remembered_as_it_will_have_sounded() -> None:
    room, _ = answering(LEGATO, how="finish_note")
    heard = len(room.onsets)
    room.press(48)
    own = [note for note in room.improviser.heard if note.part is Part.IMPROV]
    assert len(own) == heard
    assert own[-1].duration_s == pytest.approx(0.9, abs=0.05)
    assert remembered(room)[-1] == (Part.PLAYER, 48)


# --- overlap --------------------------------------------------------------------------------------


def test_overlap_plays_on_to_the_planned_end() -> None:
    room, notices = answering(how="overlap")
    first_s = room.onsets[0][0]
    for pitch in (48, 50, 52):
        room.call(pitch)
    room.run_for(8.0)
    assert not any(isinstance(command, CancelTurn | FinishTurn) for _, command in room.commands)
    first = next(one for one in ends(notices) if one.turn == 1)
    assert not first.yielded
    assert planned_s(room, turn=1)[-1] - first_s == pytest.approx(4.0, abs=0.3)
    assert room.performer.silent


def test_what_the_player_plays_meanwhile_is_heard_in_its_place_among_improvs_notes() -> None:
    room, _ = answering(how="overlap")
    room.call(48, gap_s=0.7)
    room.run_for(0.5)
    room.wish(Change("mode", "listen"))
    parts = [part for part, _ in remembered(room)]
    place = remembered(room).index((Part.PLAYER, 48))
    assert parts[:4] == [Part.PLAYER] * 4
    assert Part.IMPROV in parts[4:place]
    assert Part.IMPROV in parts[place + 1 :]
    onsets_s = [note.onset_s for note in room.improviser.heard]
    assert onsets_s == sorted(onsets_s)


def test_what_is_played_into_an_answer_is_the_next_call() -> None:
    room, notices = answering(how="overlap")
    room.call(48, 50, 52)
    room.run_for(20.0)
    assert calls(notices)[1] == (48, 50, 52)
    assert len(ends(notices)) == 2


def test_an_answer_that_plays_on_becomes_an_accompaniment() -> None:
    room, _ = answering(None, length_s=12.0, how="overlap")
    room.run_for(2.0)
    before = [c for _, c in room.commands if isinstance(c, PlayNote)]
    for pitch in (72, 76, 74, 77, 76, 79, 77, 76) * 3:
        room.call(pitch, gap_s=0.25)
    after = [c for _, c in room.commands if isinstance(c, PlayNote) and c.turn == 1][len(before) + 4 :]
    assert len(after) > 5
    assert sum(c.pitch >= 72 - 4 for c in after) <= len(after) / 5


# --- finish_phrase --------------------------------------------------------------------------------


def test_finish_phrase_closes_soon_and_not_at_once() -> None:
    room, notices = answering(length_s=15.0, how="finish_phrase")
    returned_s = room.now_s
    room.press(48)
    room.run_for(0.1)
    room.release(48)
    room.run_for(6.0)
    last_s = planned_s(room, turn=1)[-1]
    assert returned_s < last_s <= returned_s + 1.1
    assert ends(notices)[0].turn == 1


# --- what is no return ----------------------------------------------------------------------------


def test_a_brushed_key_is_no_return() -> None:
    room, notices = answering(how="cut", min_velocity=20)
    room.press(48, velocity=19)
    assert room.partner.phase is Phase.ANSWERING
    room.press(50, velocity=20)
    assert [one.yielded for one in ends(notices)] == [True]


def test_a_brushed_key_is_heard_and_makes_no_accompaniment_of_the_answer() -> None:
    room, _ = answering(how="overlap", min_velocity=20)
    room.press(48, velocity=19)
    assert room.turn.loudness == 1.0
    assert (Part.PLAYER, 48) in remembered(room)
    room.press(50, velocity=20)
    assert room.turn.loudness < 1.0


def test_keys_outside_the_zone_are_no_return() -> None:
    room, notices = answering(how="cut", lowest_key=60, highest_key=84)
    room.press(36, 43, 48)
    room.press(85)
    assert room.partner.phase is Phase.ANSWERING
    room.press(60)
    assert [one.yielded for one in ends(notices)] == [True]


# --- changed while playing ------------------------------------------------------------------------


def test_how_improv_yields_can_be_changed_in_the_middle_of_an_answer() -> None:
    room, notices = answering(how="overlap")
    room.press(48)
    assert room.partner.phase is Phase.ANSWERING
    room.wish(Change("yielding.how", "cut"))
    room.press(50)
    assert [one.yielded for one in ends(notices)] == [True]


@pytest.mark.parametrize("how", ["cut", "finish_note", "finish_phrase", "overlap"])
def test_however_improv_yields_nothing_is_left_sounding(how: str) -> None:
    for model in (LEGATO, PEDALLED, None):
        room, notices = answering(model, how=how)
        room.call(48, 52, 55, gap_s=0.1)
        room.run_for(30.0)
        assert room.performer.silent
        assert room.partner.phase is Phase.LISTENING
        assert len(ends(notices)) == len(calls(notices))


def test_leaving_the_mode_in_the_middle_of_an_answer_lets_what_sounds_ring_to_its_end() -> None:
    room, notices = answering(PEDALLED, how="cut")
    before = len(room.onsets)
    room.wish(Change("mode", "listen"))
    assert room.partner.mode == "listen"
    room.run_for(RING_S + 1.0)
    assert len(room.onsets) == before
    assert room.performer.silent
    assert len(ends(notices)) == 1
    room.call(60, 62)
    room.run_for(5.0)
    assert len(room.onsets) == before
