"""Phrases that come back, and invitations after a long silence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playing import Room, partner_of
from scripted_improviser import ScriptedImproviser

from improv_core.motifs import Phrase, motif_overlap
from improv_daemon.partner import AnswerEnded, Notice, Phase
from improv_daemon.settings import Memory, Settings
from improv_daemon.wire import Change, PlayNote

PHRASE = (60, 67, 63, 70, 72, 65, 68)
OTHER = (80, 81, 80, 79, 80)


def room_with(notices: list[Notice] | None = None, model: object = None, **memory: object) -> Room:
    settings = replace(Settings(), memory=replace(Memory(), **memory))
    return Room(partner_of(model, notices, settings=settings, length_min_s=3.0))


def answers(room: Room) -> dict[int, list[PlayNote]]:
    """The notes of each turn."""
    found: dict[int, list[PlayNote]] = {}
    for _, command in room.commands:
        if isinstance(command, PlayNote):
            found.setdefault(command.turn, []).append(command)
    return found


def likeness(notes: list[PlayNote], pitches: tuple[int, ...]) -> float:
    """How much of a melody in even steps is in an answer."""
    melody = Phrase.of((0.25 * i, pitch, 64, 0.2) for i, pitch in enumerate(pitches))
    played = Phrase.of((n.onset_s, n.pitch, n.velocity, n.release_s - n.onset_s) for n in notes)
    return motif_overlap(melody, played)


def minutes_later(recall: float) -> list[PlayNote]:
    """The answer to another phrase, two minutes after this one."""
    room = room_with(recall=recall)
    room.call(*PHRASE)
    room.run_for(120.0)
    room.call(*OTHER)
    room.run_for(12.0)
    return answers(room)[2]


def test_a_phrase_from_minutes_ago_comes_back_when_it_is_to() -> None:
    assert likeness(minutes_later(recall=1.0), PHRASE) >= 0.5
    assert likeness(minutes_later(recall=0.0), PHRASE) < 0.2


def test_nothing_comes_back_that_has_only_just_been_played() -> None:
    room = room_with(recall=1.0)
    room.call(*PHRASE)
    room.run_for(12.0)
    room.call(*OTHER)
    room.run_for(12.0)
    assert likeness(answers(room)[2], PHRASE) < 0.2


def test_how_often_can_be_changed_while_playing() -> None:
    room = room_with(recall=0.0)
    room.call(*PHRASE)
    room.run_for(120.0)
    room.wish(Change("memory.recall", 1.0))
    room.call(*OTHER)
    room.run_for(12.0)
    assert likeness(answers(room)[2], PHRASE) >= 0.5


# --- initiative -----------------------------------------------------------------------------------


def test_by_itself_improv_stays_silent_for_ever() -> None:
    room = room_with()
    room.call(60, 64)
    room.run_for(10.0)
    before = len(room.onsets)
    room.run_for(3600.0)
    assert len(room.onsets) == before
    assert room.partner.next_wakeup_s() is None


def test_with_initiative_it_invites_once_after_a_long_silence_and_softly() -> None:
    notices: list[Notice] = []
    room = room_with(notices, initiative=True, initiative_after_s=20.0)
    room.call(60, 64, 67)
    room.run_for(12.0)
    ended_s, before = room.now_s, len(room.onsets)
    room.run_for(600.0)
    invitation = [at_s for at_s, _ in room.onsets[before:]]
    assert invitation
    assert ended_s + 5.0 < invitation[0] < ended_s + 21.0
    assert invitation[-1] - invitation[0] < 6.0
    loud = [data[2] for _, data in room.sent if data[0] & 0xF0 == 0x90]
    assert max(loud[before:]) < max(loud[:before])
    assert len([n for n in notices if isinstance(n, AnswerEnded)]) == 2
    assert room.partner.next_wakeup_s() is None


def test_it_does_not_invite_before_anything_was_played() -> None:
    room = room_with(initiative=True, initiative_after_s=5.0)
    room.run_for(3600.0)
    assert room.onsets == []


def test_the_player_may_answer_an_invitation_by_cutting_it_short() -> None:
    room = room_with(initiative=True, initiative_after_s=5.0)
    room.call(60, 64, 67)
    room.run_for(9.0)
    while room.partner.phase is not Phase.ANSWERING or not room.onsets[-1][0] > room.now_s - 0.2:
        room.run_for(0.1)
    room.press(60)
    assert room.performer.silent


@pytest.mark.parametrize("after_s", [5.0, 60.0])
def test_how_long_the_silence_is_is_a_setting(after_s: float) -> None:
    settings = replace(Settings(), memory=replace(Memory(), initiative=True, initiative_after_s=after_s))
    room = Room(partner_of(improviser=ScriptedImproviser(0.5, endless=True), settings=settings))
    room.call(60)
    room.run_for(4.0)
    ended_s = max(at_s for at_s, data in room.sent if data[0] & 0xF0 == 0x80)
    assert ended_s < room.now_s
    assert room.partner.next_wakeup_s() == pytest.approx(ended_s + after_s, abs=0.01)
