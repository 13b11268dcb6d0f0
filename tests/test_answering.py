"""Mode ``answer``: the invitation after a long silence, and what outlasts a change of the mode."""

from __future__ import annotations

from playing import Room, partner_of
from scripted_improviser import ScriptedImproviser

from improv_daemon.settings import Memory, Settings
from improv_daemon.wire import Change

AFTER_S = 10.0
INVITING = Settings(memory=Memory(initiative=True, initiative_after_s=AFTER_S))


def a_room_after_an_answer() -> Room:
    room = Room(partner_of(improviser=ScriptedImproviser(0.2, endless=True), settings=INVITING))
    room.call(60, 62, 64)
    room.run_for(6.0)
    room.forget()
    return room


def test_improv_invites_once_after_a_long_silence() -> None:
    room = a_room_after_an_answer()
    room.run_for(5 * AFTER_S)
    assert room.onsets
    assert room.onsets[-1][0] - room.onsets[0][0] < AFTER_S


def test_a_player_who_cuts_an_invitation_short_is_invited_again_one_day() -> None:
    room = a_room_after_an_answer()
    while not room.onsets:
        room.run_for(0.1)
    room.call(72)
    room.run_for(8.0)
    room.forget()
    room.run_for(2 * AFTER_S)
    assert room.onsets


def test_whoever_comes_back_to_answers_after_long_has_time_to_begin() -> None:
    room = a_room_after_an_answer()
    room.wish(Change("mode", "listen"))
    room.run_for(5 * AFTER_S)
    room.wish(Change("mode", "answer"))
    room.run_for(0.9 * AFTER_S)
    assert not room.onsets
    room.run_for(0.2 * AFTER_S)
    assert room.onsets


def test_phrases_to_come_back_to_are_kept_when_the_mode_is_another() -> None:
    room = Room(partner_of())
    room.call(60, 64, 67, 72, 76, 79, gap_s=0.3)
    room.run_for(20.0)
    room.wish(Change("mode", "trade"))
    room.call(60, 64, 67, 72, 76, 79, gap_s=0.3)
    room.run_for(20.0)
    room.wish(Change("mode", "answer"))
    assert len(room.partner._all.phrases) == 2
