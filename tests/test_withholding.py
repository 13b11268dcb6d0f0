"""What of the player's goes on to no output, since it tells improv something."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playing import Room, partner_of
from scripted_improviser import ScriptedImproviser

from improv_core.withholding import Withholding, place_of
from improv_daemon.settings import Controls, Settings
from improv_daemon.wire import Change, Withhold, decode, encode


def withholding(*places: int, keys: tuple[int, ...] = (), programs: bool = False) -> Withholding:
    one = Withholding()
    one.withhold(places, keys, programs=programs)
    return one


def test_without_a_word_everything_goes_on() -> None:
    assert not any(Withholding().withholds(data) for data in [(0xB0, 1, 9), (0x90, 60, 9), (0xC0, 3), ()])


def test_a_controller_is_withheld_on_its_channel_or_on_any() -> None:
    one = withholding(place_of(1), place_of(74, 2))
    assert [one.withholds(data) for data in [(0xB0, 1, 9), (0xBF, 1, 0), (0xB1, 74, 9), (0xB0, 74, 9)]] == [
        True,
        True,
        True,
        False,
    ]


def test_a_program_is_withheld_where_it_chooses_a_preset() -> None:
    assert withholding(programs=True).withholds((0xC4, 3))
    assert not withholding(place_of(3)).withholds((0xC4, 3))


def test_a_key_that_is_a_gesture_does_not_sound_but_is_always_let_go_of() -> None:
    one = withholding(keys=(21,))
    assert [one.withholds(data) for data in [(0x90, 21, 9), (0x90, 21, 0), (0x80, 21, 9), (0x90, 22, 9)]] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize("pedal", [64, 66, 67])
def test_a_pedal_always_comes_up(pedal: int) -> None:
    one = withholding(place_of(pedal))
    assert [one.withholds((0xB0, pedal, value)) for value in (127, 64, 63, 0)] == [True, True, False, False]


@given(st.lists(st.integers(0, 255), max_size=4).map(tuple), st.sets(st.integers(0, 127)))
def test_notes_are_let_go_of_whatever_is_withheld(data: tuple[int, ...], keys: set[int]) -> None:
    one = withholding(*map(place_of, range(128)), keys=tuple(keys), programs=True)
    lets_go = bool(data) and (data[0] & 0xF0 == 0x80 or (data[0] & 0xF0 == 0x90 and data[-1] == 0))
    assert not (lets_go and one.withholds(data))


# --- what the stage is told -------------------------------------------------------------------------


def room(**controls: str) -> Room:
    settings = Settings(controls=Controls(**controls))
    return Room(partner_of(improviser=ScriptedImproviser(0.3), settings=settings))


def test_the_stage_is_told_at_the_beginning_and_when_it_changes() -> None:
    studio = room(tap="cc 67", hand_over="note 108", next_mode="notes 21+22", knobs="cc 74 ch 2 mode")
    assert studio.partner.begin(0.0) == [Withhold((67, place_of(74, 2)), (108,), programs=False)]
    studio.wish(Change("sampling.temperature", 1.1))
    studio.wish(Change("controls.state_turn", 0))
    studio.wish(Change("controls.presets_by_program", True))
    studio.wish(Change("controls.tap", ""))
    told = [command for _, command in studio.commands if isinstance(command, Withhold)]
    assert told == [
        Withhold((67, place_of(74, 2)), (108,), programs=True),
        Withhold((place_of(74, 2),), (108,), programs=True),
    ]


def test_what_is_told_goes_through_the_wire() -> None:
    command = Withhold((67, place_of(74, 2)), (108,), programs=True)
    assert decode(encode(command)) == command


def test_without_gestures_and_knobs_there_is_nothing_to_tell() -> None:
    assert room().partner.begin(0.0) == []
