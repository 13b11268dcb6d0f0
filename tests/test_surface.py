"""What the player does at the instrument that is no music."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from playing import Room, partner_of
from scripted_improviser import ScriptedImproviser

from improv_core.errors import ConfigError
from improv_daemon.controls import CUES
from improv_daemon.partner import CallHeard, Learned, ModeChanged, Notice, Said
from improv_daemon.partner.partner import REFUSED_AGAIN_S
from improv_daemon.partner.surface import Surface
from improv_daemon.settings import Controls, Settings, changed
from improv_daemon.settings.schema import REGISTRY
from improv_daemon.wire import Change, Learn, Played


def room(notices: list[Notice], **controls: str) -> Room:
    settings = Settings(controls=Controls(**controls))
    return Room(partner_of(improviser=ScriptedImproviser(0.3), notices=notices, settings=settings))


def controls(studio: Room) -> Controls:
    return studio.partner.settings.controls


def test_a_knob_changes_a_setting_and_the_music_goes_on() -> None:
    notices: list[Notice] = []
    studio = room(notices, knobs="cc 1 memory.recall, cc 2 mode")
    studio.press(60)
    studio.play(0xB0, 1, 127)
    studio.play(0xB0, 2, 127)
    assert (studio.partner.settings.memory.recall, studio.partner.mode) == (1.0, "listen")
    assert notices == [ModeChanged("listen")]


def test_a_value_that_does_not_fit_the_others_is_said() -> None:
    notices: list[Notice] = []
    studio = room(notices, knobs="cc 1 sampling.highest_pitch 0..127")
    studio.play(0xB0, 1, 20)
    assert notices == [
        Said("While playing: sampling.lowest_pitch = 21 must not be above sampling.highest_pitch = 20.")
    ]
    assert studio.partner.settings.sampling.highest_pitch == 108


def test_a_knob_that_is_turned_on_where_it_sets_nothing_is_refused_once_and_again_later() -> None:
    notices: list[Notice] = []
    studio = room(notices, knobs="cc 1 sampling.highest_pitch 0..127")
    for position in (20, 18, 16):
        studio.play(0xB0, 1, position)
    assert len(notices) == 1
    studio.run_for(REFUSED_AGAIN_S)
    studio.play(0xB0, 1, 14)
    assert len(notices) == 2


def test_after_a_preset_a_knob_sets_what_it_stands_for_as_soon_as_it_is_moved() -> None:
    studio = room([], knobs="cc 1 mode")
    studio.play(0xB0, 1, 5)
    studio.wish(Change("preset", "fours"))
    assert studio.partner.mode == "trade"
    studio.play(0xB0, 1, 7)
    assert studio.partner.mode == "answer"


def test_a_pedal_that_went_down_as_music_comes_up_though_it_is_a_gesture_by_then() -> None:
    studio = Room(partner_of())
    studio.play(0xB0, 64, 127)
    studio.press(60)
    studio.wish(Change("controls.mute", "cc 64"))
    studio.play(0xB0, 64, 0)
    studio.press(62)
    assert [note.pedal for note in studio.improviser.heard] == [1, 0]


def test_a_switch_that_is_let_go_while_another_is_learned_works_with_its_next_press() -> None:
    studio = room([], next_mode="cc 80")
    studio.play(0xB0, 80, 127)
    assert studio.partner.mode == "trade"
    studio.wish(Learn("memory.recall"))
    studio.play(0xB0, 80, 126)
    studio.wish(Learn(""))
    studio.play(0xB0, 80, 0)
    studio.wish(Learn("next_mode"))
    studio.play(0xB0, 81, 127)
    studio.play(0xB0, 81, 0)
    studio.play(0xB0, 81, 127)
    assert studio.partner.mode == "duet"


def test_a_knob_is_learned_by_moving_it_and_works_from_the_next_move_on() -> None:
    notices: list[Notice] = []
    studio = room(notices)
    studio.wish(Learn("memory.recall"))
    for position in (60, 61, 64):
        studio.play(0xB2, 5, position)
    knobs = "cc 5 ch 3 memory.recall"
    assert notices == [
        Said("Move the knob, fader or pedal that is to be for memory.recall."),
        Learned("memory.recall", "controller 5 on channel 3", (("controls.knobs", knobs),)),
    ]
    assert (controls(studio).knobs, studio.partner.settings.memory.recall) == (knobs, 0.1)
    studio.play(0xB2, 5, 127)
    assert studio.partner.settings.memory.recall == 1.0


def test_while_one_is_learned_no_controller_does_what_it_did() -> None:
    studio = room([], hand_over="cc 67", knobs="cc 5 mode")
    studio.wish(Learn("memory.recall"))
    studio.play(0xB0, 5, 63)
    studio.play(0xB0, 5, 127)
    assert studio.partner.mode == "answer"
    assert controls(studio).knobs == "cc 5 ch 1 memory.recall"
    assert controls(studio).hand_over == "cc 67"


def test_the_pedal_is_played_while_one_is_learned() -> None:
    notices: list[Notice] = []
    studio = room(notices)
    studio.wish(Learn("memory.recall"))
    studio.play(0xB0, 64, 127)
    studio.play(0xB0, 64, 0)
    studio.call(60, 64, 67)
    studio.run_for(6.0)
    assert [one.pitches for one in notices if isinstance(one, CallHeard)] == [(60, 64, 67)]
    assert controls(studio).knobs == ""


def test_a_pedal_is_learned_for_a_cue_and_leaves_what_it_was_for() -> None:
    notices: list[Notice] = []
    studio = room(notices, tap="cc 67", knobs="cc 67 ch 4 mode, cc 5 memory.follow")
    studio.wish(Learn("next_mode"))
    studio.play(0xB0, 67, 127)
    studio.play(0xB0, 67, 0)
    assert (controls(studio).tap, controls(studio).next_mode, controls(studio).knobs) == (
        "",
        "cc 67",
        "cc 5 memory.follow",
    )
    assert studio.partner.mode == "answer"
    studio.play(0xB0, 67, 127)
    assert studio.partner.mode == "trade"


def test_another_wish_to_learn_takes_the_place_of_the_first_and_none_ends_it() -> None:
    notices: list[Notice] = []
    studio = room(notices)
    for key in ("mode", "memory.recall", ""):
        studio.wish(Learn(key))
    studio.play(0xB0, 5, 127)
    assert notices == [
        Said("Move the knob, fader or pedal that is to be for mode."),
        Said("Move the knob, fader or pedal that is to be for memory.recall."),
        Said("No controller is learned."),
    ]
    assert controls(studio).knobs == ""


def test_what_cannot_be_learned_is_said_and_nothing_is_waited_for() -> None:
    notices: list[Notice] = []
    studio = room(notices)
    studio.wish(Learn("ports.channel"))
    studio.play(0xB0, 5, 127)
    assert notices == [Said("No controller can be learned: ports.channel cannot change while improv plays.")]


CONTROLLERS = st.tuples(st.integers(0xB0, 0xB2), st.sampled_from((5, 6, 64, 67)), st.integers(0, 127))
ANYTHING = st.lists(st.integers(0, 255), max_size=4).map(tuple)
NAMES = st.sampled_from(("", "preset", "nothing", *CUES, *REGISTRY))


@given(st.lists(CONTROLLERS | ANYTHING | NAMES, max_size=40))
def test_whatever_is_moved_and_learned_a_controller_is_for_one_thing(
    steps: list[tuple[int, ...] | str],
) -> None:
    settings = Settings(controls=Controls(presets_by_program=True, knobs="cc 5 mode", tap="cc 67"))
    surface = Surface(settings)
    for step in steps:
        if isinstance(step, str):
            surface.learn(step)
            continue
        for change in surface.take(Played(step, 0.0, "keys")).changes:
            try:
                settings = changed(settings, change.key, change.value)
            except ConfigError:
                continue
            surface.settings = settings
    gestures = [text for cue in CUES if (text := getattr(settings.controls, cue))]
    assert len(set(gestures)) == len(gestures)
    knobs = settings.controls.knobs.split(", ")
    assert not [knob for knob in knobs if any(knob.startswith(f"{gesture} ") for gesture in gestures)]
