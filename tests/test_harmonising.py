"""Mode ``harmonise``: notes with the player's, from key down to key up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playing import Room, partner_of
from scripted_improviser import ScriptedImproviser

from improv_daemon.partner.harmonising import LONGEST_S
from improv_daemon.settings import Harmonise, Settings
from improv_daemon.wire import Change, PlayNote

C_MAJOR = {0, 2, 4, 5, 7, 9, 11}


def a_room(*, model: object = None, **harmonise: str | int) -> Room:
    settings = replace(Settings(), mode="harmonise", harmonise=replace(Harmonise(), **harmonise))
    return Room(partner_of(model, settings=settings))


def sounding(room: Room) -> set[int]:
    """improv's notes that sound now."""
    return set(room.performer._voices)


def melody(room: Room, *pitches: int) -> list[set[int]]:
    """What sounds with each note of a melody."""
    found = []
    for pitch in pitches:
        room.press(pitch)
        room.run_for(0.15)
        found.append(sounding(room))
        room.release(pitch)
        room.run_for(0.1)
    return found


def test_a_note_of_the_melody_gets_one_under_it_at_once() -> None:
    room = a_room()
    room.press(72)
    room.run_for(0.0)
    assert len(sounding(room)) == 1
    assert max(sounding(room)) < 72
    assert room.onsets[0][0] == room.now_s


def test_it_ends_when_the_key_comes_up() -> None:
    room = a_room()
    room.press(72)
    room.run_for(1.5)
    assert sounding(room)
    room.release(72)
    assert not sounding(room)
    assert room.performer.silent


def test_it_ends_by_itself_if_the_key_never_comes_up() -> None:
    room = a_room()
    room.press(72)
    room.run_for(LONGEST_S + 1.0)
    assert room.performer.silent


@pytest.mark.parametrize("voices", [1, 2, 3, 4])
def test_there_are_as_many_as_are_set(voices: int) -> None:
    assert {len(notes) for notes in melody(a_room(voices=voices), 72, 74, 76, 77, 79)} == {voices}


def test_they_are_on_the_side_that_is_set() -> None:
    for pitch, notes in zip((72, 76, 79), melody(a_room(side="above"), 72, 76, 79), strict=True):
        assert min(notes) > pitch
    for pitch, notes in zip((72, 76, 79), melody(a_room(side="both", voices=2), 72, 76, 79), strict=True):
        assert min(notes) < pitch < max(notes)


def test_side_and_number_can_be_changed_while_playing() -> None:
    room = a_room()
    melody(room, 72)
    room.wish(Change("harmonise.side", "above"))
    room.wish(Change("harmonise.voices", 2))
    (notes,) = melody(room, 74)
    assert len(notes) == 2
    assert min(notes) > 74


def test_a_chord_that_is_held_is_followed_and_not_harmonised_itself() -> None:
    room = a_room()
    room.press(36, 43, 52)
    before = sounding(room)
    room.run_for(0.5)
    (notes,) = melody(room, 79)
    assert {note % 12 for note in notes - before} <= {0, 4, 7}


def test_in_a_strict_scale_no_note_lies_outside_it() -> None:
    room = a_room(voices=3)
    room.wish(Change("sampling.scale", "C major"))
    room.wish(Change("sampling.scale_strict", True))
    for notes in melody(room, 72, 74, 76, 77, 79, 81, 83, 84):
        assert {note % 12 for note in notes} <= C_MAJOR


def test_the_players_pedal_is_improvs_too_and_comes_up_when_the_mode_is_left() -> None:
    room = a_room()
    room.play(0xB0, 64, 127)
    room.run_for(0.0)
    assert room.pedal[-1][1] == 127
    melody(room, 72, 74)
    assert room.pedal[-1][1] == 127
    room.wish(Change("mode", "listen"))
    room.run_for(0.0)
    assert room.pedal[-1][1] == 0
    assert room.performer.silent


def test_a_pedal_that_goes_down_just_as_the_mode_is_left_comes_up_too() -> None:
    room = a_room()
    room.play(0xB0, 64, 127, early_s=-0.01)
    room.wish(Change("mode", "listen"))
    room.run_for(0.1)
    assert room.performer.silent


def test_a_pedal_that_stays_down_through_hundreds_of_notes_comes_up_all_the_same() -> None:
    room = a_room()
    room.play(0xB0, 64, 127)
    for i in range(300):
        room.press(72 + i % 12)
        room.run_for(0.01)
        room.release(72 + i % 12)
        room.run_for(2.1)
    room.play(0xB0, 64, 0)
    room.run_for(0.0)
    assert [value for _, value in room.pedal] == [127, 0]
    assert room.performer.silent


def test_a_pedal_that_is_down_when_the_mode_is_chosen_is_improvs_with_its_first_note() -> None:
    room = a_room()
    room.wish(Change("mode", "listen"))
    room.play(0xB0, 64, 127)
    room.wish(Change("mode", "harmonise"))
    melody(room, 72)
    assert room.pedal[-1][1] == 127
    room.play(0xB0, 64, 0)
    room.run_for(0.0)
    assert room.pedal[-1][1] == 0


def test_leaving_the_mode_ends_what_improv_added() -> None:
    room = a_room()
    room.press(72)
    room.run_for(0.2)
    room.wish(Change("mode", "answer"))
    assert room.performer.silent


def test_a_key_struck_again_without_coming_up_has_one_companion() -> None:
    room = a_room()
    for _ in range(5):
        room.press(72)
        room.run_for(0.1)
    assert len(sounding(room)) == 1
    room.release(72)
    assert room.performer.silent


def test_all_notes_off_ends_everything() -> None:
    room = a_room()
    room.press(72)
    room.run_for(0.1)
    room.play(0xB0, 123, 0)
    assert room.performer.silent


def test_the_same_playing_gives_the_same_notes() -> None:
    rooms = [a_room(voices=2) for _ in range(2)]
    for room in rooms:
        melody(room, 72, 74, 76, 77, 79, 76, 72)
    assert rooms[0].commands == rooms[1].commands


def test_without_a_model_that_hears_chords_the_chord_alone_says_what_fits() -> None:
    settings = replace(Settings(), mode="harmonise")
    room = Room(partner_of(improviser=ScriptedImproviser(), settings=settings))
    room.press(72)
    room.run_for(0.1)
    (note,) = [command for _, command in room.commands if isinstance(command, PlayNote)]
    assert note.pitch < 72
    room.release(72)
    assert room.performer.silent
