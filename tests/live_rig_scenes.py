"""Scenes with switches, knobs, programs and clocks, each of which measures something of what improv does."""

from __future__ import annotations

import statistics
from typing import Any

from live_measures import length_s
from live_scenes import (
    Scene,
    an_answer,
    melody,
    played,
    players_turn_s,
    until,
    until_improv_plays,
    until_over,
)
from playing import Room

from improv_daemon.partner import KeepWanted
from improv_daemon.wire import Change, KeepTime, SendControl, SetVoice

_PATIENCE_S = 120.0

# --- switches, knobs, programs ----------------------------------------------------------------------


def after_four_taps(controller: int, scene: Scene) -> Scene:
    """A foot switch taps four beats of a quarter of a second before a scene."""

    def tapped(room: Room) -> float:
        for _ in range(4):
            room.play(0xB0, controller, 127)
            room.run_for(0.1)
            room.play(0xB0, controller, 0)
            room.run_for(0.15)
        return scene(room)

    return tapped


def press_switch(room: Room, controller: int) -> None:
    """A foot switch goes down and comes up."""
    room.play(0xB0, controller, 127)
    room.run_for(0.1)
    room.play(0xB0, controller, 0)


def pressing(controller: int, scene: Scene) -> Scene:
    """A foot switch is pressed, and let go, before a scene."""

    def with_it(room: Room) -> float:
        press_switch(room, controller)
        return scene(room)

    return with_it


def notes_after_a_switch(controller: int, seconds: float = 5.0) -> Scene:
    """How many notes improv plays after a foot switch that is pressed when its answer is over."""

    def scene(room: Room) -> float:
        an_answer(length_s)(room)
        press_switch(room, controller)
        pressed_s = room.now_s
        room.run_for(seconds)
        count = len(played(room, pressed_s))
        press_switch(room, controller)
        until_over(room)
        return float(count)

    return scene


def kept_after_a_switch(controller: int) -> Scene:
    """How often what was played is to be kept when a foot switch is pressed after an answer."""

    def scene(room: Room) -> float:
        an_answer(length_s)(room)
        begun = len(room.noticed)
        press_switch(room, controller)
        return float(sum(isinstance(notice, KeepWanted) for notice in room.noticed[begun:]))

    return scene


def notes_after_a_switch_in_an_answer(controller: int) -> Scene:
    """How many notes improv still begins when a foot switch is pressed in the middle of its answer."""

    def scene(room: Room) -> float:
        melody(room, 60, 64, 67, 72)
        until_improv_plays(room)
        room.run_for(1.0)
        press_switch(room, controller)
        pressed_s = room.now_s
        room.run_for(1.0)
        count = len([at_s for at_s, _ in room.onsets if pressed_s < at_s])
        until_over(room)
        return count

    return scene


def remembered_after_a_switch(controller: int) -> Scene:
    """How many notes more or fewer improv remembers after a foot switch than before it."""

    def scene(room: Room) -> float:
        an_answer(length_s)(room)
        improviser: Any = room.improviser
        before = len(list(improviser._window))
        press_switch(room, controller)
        return float(len(list(improviser._window)) - before)

    return scene


def wait_after_a_switch_s(controller: int) -> Scene:
    """From a foot switch, which is pressed after a phrase, to improv's first onset."""

    def scene(room: Room) -> float:
        melody(room, 60, 64, 67, 72)
        pressed_s = room.now_s
        room.play(0xB0, controller, 127)
        room.play(0xB0, controller, 0)
        first_s = until_improv_plays(room)
        until_over(room)
        return first_s - pressed_s

    return scene


def turning(controller: int, position: int, scene: Scene) -> Scene:
    """A knob is turned before a scene."""

    def with_it(room: Room) -> float:
        room.play(0xB0, controller, position)
        return scene(room)

    return with_it


def choosing_program(number: int, scene: Scene) -> Scene:
    """A program is chosen at the keyboard, as musicians count from 1, before a scene."""

    def with_it(room: Room) -> float:
        room.play(0xC0, number - 1)
        return scene(room)

    return with_it


# --- in time ----------------------------------------------------------------------------------------


def clicked_s(scene: Scene) -> Scene:
    """For how long clicks are asked for in a scene."""

    def with_it(room: Room) -> float:
        begin_s = room.now_s
        scene(room)
        told = [(at_s, c) for at_s, c in room.commands if isinstance(c, KeepTime)]
        ends = [at_s for at_s, _ in told[1:]] + [room.now_s] * bool(told)
        return sum(
            max(0.0, min(c.click_until_s, end_s) - max(c.click_from_s, at_s, begin_s))
            for (at_s, c), end_s in zip(told, ends, strict=True)
        )

    return with_it


def beside_the_grid_s(grid_s: float) -> Scene:
    """How far from a grid improv plays on average when they trade; it begins with the player's first note."""

    def scene(room: Room) -> float:
        begun_s = room.now_s
        players_turn_s(room)
        onsets = [note.onset_s - begun_s for note in played(room, begun_s)]
        return statistics.mean(abs((onset + grid_s / 2) % grid_s - grid_s / 2) for onset in onsets)

    return scene


def players_turn_by_a_clock_s(bpm: float) -> Scene:
    """How long the player has the floor when they trade and a MIDI clock runs; then both rest."""

    def scene(room: Room) -> float:
        policy: Any = room.partner._policy
        pulse_s = 60.0 / bpm / 24
        room.play(0xFA, source="clock")
        begin_s, pulses, before = room.now_s, 0, len(room.onsets)
        while len(room.onsets) == before:
            room.play(0xF8, source="clock")
            if pulses in (24, 48):
                room.press(60 + pulses // 24)
            elif pulses in (36, 60):
                room.release(60 + pulses // 24)
            pulses += 1
            assert pulses < _PATIENCE_S / pulse_s, "improv does not play"
            room.run_for(pulse_s)
        first_s = room.onsets[before][0]
        room.play(0xFC, source="clock")
        room.run_for(10.0)
        until(room, lambda: policy._stretch is None and room.performer.silent)
        return first_s - begin_s

    return scene


# --- what the stage is told -------------------------------------------------------------------------


def voice(part: str, what: str) -> Scene:
    """What the stage has been told of how a part sounds."""

    def scene(room: Room) -> float:
        an_answer(length_s)(room)
        told = [c for _, c in room.commands if isinstance(c, SetVoice) and c.part == part]
        return float(getattr(told[-1], what)) if told else 0.0

    return scene


def told_of_state(controller: int) -> Scene:
    """How often improv says how things stand, in an exchange and as the mode changes twice."""

    def scene(room: Room) -> float:
        begun = len(room.commands)
        an_answer(length_s)(room)
        for _ in range(2):
            room.wish(Change("mode", "listen" if room.partner.mode == "answer" else "answer"))
        return sum(
            isinstance(c, SendControl) and c.controller == controller for _, c in room.commands[begun:]
        )

    return scene
