"""How things stand, told by controllers."""

from __future__ import annotations

from playing import Room, partner_of
from scripted_improviser import ScriptedImproviser

from improv_daemon.settings import Controls, Settings
from improv_daemon.wire import Change, SendControl


def room(**controls: int) -> Room:
    settings = Settings(controls=Controls(**controls))
    return Room(partner_of(improviser=ScriptedImproviser(0.3), settings=settings))


def told(studio: Room, controller: int) -> list[int]:
    commands = [command for _, command in studio.commands if isinstance(command, SendControl)]
    return [command.value for command in commands if command.controller == controller]


def test_whose_turn_it_is_is_told_when_it_changes() -> None:
    studio = room(state_turn=20)
    assert studio.partner.begin(0.0) == [SendControl(20, 0)]
    assert studio.partner.begin(0.0) == []
    studio.call(60, 64, 67)
    studio.run_for(10.0)
    assert told(studio, 20) == [127, 0]


def test_improv_that_gives_way_is_between_the_two() -> None:
    studio = room(state_turn=20)
    studio.call(60, 64, 67)
    studio.run_for(1.5)
    studio.press(60)
    studio.run_for(0.1)
    assert told(studio, 20) == [0, 127, 64, 0]


def test_the_mode_is_told_by_its_number() -> None:
    studio = room(state_mode=21)
    assert studio.partner.begin(0.0) == [SendControl(21, 0)]
    for mode in ("listen", "listen", "trade"):
        studio.wish(Change("mode", mode))
    assert told(studio, 21) == [5, 1]


def test_what_is_asked_for_while_playing_is_told_at_once_and_no_more_when_it_is_not() -> None:
    studio = room()
    assert studio.partner.begin(0.0) == []
    studio.wish(Change("mode", "duet"))
    studio.wish(Change("controls.state_mode", 21))
    studio.wish(Change("controls.state_mode", 22))
    studio.wish(Change("controls.state_mode", 0))
    studio.wish(Change("mode", "answer"))
    assert (told(studio, 21), told(studio, 22)) == ([2], [2])
