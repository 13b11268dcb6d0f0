"""Gestures at the instrument: which cue they are, and what of them is heard."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playing import Room, packaged_model, partner_of
from scripted_improviser import ScriptedImproviser
from window_models import PITCH_ALONE

from improv_core.improvising import Improvising
from improv_core.sampler import Sampling
from improv_core.window_improviser import WindowImproviser
from improv_daemon.controls import CUES, MUSIC, TOGETHER_S, Gestures, Taken
from improv_daemon.partner import AnswerEnded, CallHeard, ModeChanged, Notice, Said
from improv_daemon.partner.partner import MODES
from improv_daemon.settings import MODES as MODE_NAMES
from improv_daemon.settings import Controls, Settings
from improv_daemon.settings.control_rules import Gesture
from improv_daemon.settings.schema import REGISTRY
from improv_daemon.wire import Change, Cue, Played

EATEN = Taken(None, consumed=True)
HAND_OVER = Taken("hand_over", consumed=True)
NEXT_MODE = Taken("next_mode", consumed=True)
TAP = Taken("tap", consumed=True)


class Player:
    """Somebody at a keyboard; what is told of each message."""

    def __init__(self, **controls: str) -> None:
        self.gestures = Gestures(Controls(**controls))

    def play(self, *data: int, at_s: float = 0.0, source: str = "keys") -> Taken:
        return self.gestures.take(Played(data, at_s, source))

    def press(self, pitch: int, at_s: float = 0.0, channel: int = 0) -> Taken:
        return self.play(0x90 | channel, pitch, 70, at_s=at_s)

    def release(self, pitch: int, at_s: float = 0.0) -> Taken:
        return self.play(0x80, pitch, 0, at_s=at_s)

    def controller(self, number: int, *values: int, source: str = "keys") -> list[Taken]:
        return [self.play(0xB0, number, value, source=source) for value in values]


def test_the_cues_are_the_settings_of_controls() -> None:
    gestures = [key for key, parameter in REGISTRY.items() if isinstance(parameter.rule, Gesture)]
    assert [f"controls.{cue}" for cue in CUES] == gestures


def test_without_gestures_everything_is_music() -> None:
    player = Player()
    taken = [player.press(21), player.release(21), *player.controller(67, 0, 127, 0), player.play(0xF8)]
    assert taken == [MUSIC] * 6


def test_a_controller_counts_once_each_time_it_is_pressed_and_never_as_music() -> None:
    player = Player(hand_over="cc 67")
    assert player.controller(67, 0, 63, 64, 100, 127, 64, 63, 0) == [
        EATEN,
        EATEN,
        HAND_OVER,
        EATEN,
        EATEN,
        EATEN,
        EATEN,
        EATEN,
    ]
    assert player.controller(67, 127) == [HAND_OVER]
    assert player.controller(64, 127) == [MUSIC]


def test_the_same_controller_of_two_keyboards_is_two() -> None:
    player = Player(tap="cc 67")
    assert player.controller(67, 127, source="left") == [TAP]
    assert player.controller(67, 127, source="right") == [TAP]
    assert player.controller(67, 100, source="left") == [EATEN]


def test_a_key_is_heard_neither_as_it_goes_down_nor_as_it_comes_up() -> None:
    player = Player(hand_over="note 21")
    assert [player.press(21), player.release(21), player.press(22), player.release(22)] == [
        HAND_OVER,
        EATEN,
        MUSIC,
        MUSIC,
    ]
    assert [player.press(21), player.play(0x90, 21, 0)] == [HAND_OVER, EATEN]


def test_a_key_counts_on_every_channel() -> None:
    assert Player(next_mode="note 108").press(108, channel=9) == NEXT_MODE


def test_keys_together_are_told_by_the_last_one_and_only_that_is_not_heard() -> None:
    player = Player(next_mode="notes 21+108")
    assert [player.press(108, 1.0), player.press(60, 1.1), player.press(21, 1.0 + TOGETHER_S)] == [
        MUSIC,
        MUSIC,
        NEXT_MODE,
    ]
    assert [player.release(108), player.release(60), player.release(21)] == [MUSIC, MUSIC, EATEN]


def test_keys_struck_too_far_apart_are_not_together() -> None:
    player = Player(next_mode="notes 21+108")
    assert [player.press(108, 1.0), player.press(21, 1.0 + TOGETHER_S + 0.001)] == [MUSIC, MUSIC]


def test_a_key_that_was_let_go_is_not_together_with_the_next() -> None:
    player = Player(next_mode="notes 21+108")
    assert [player.press(108, 1.0), player.release(108, 1.1), player.press(21, 1.2)] == [MUSIC] * 3


def test_keys_may_be_three() -> None:
    player = Player(tap="notes 21+22+23")
    assert [player.press(22, 0.0), player.press(21, 0.2), player.press(23, 0.4)] == [MUSIC, MUSIC, TAP]


def test_a_key_of_the_chord_that_bounces_does_not_tell_it_twice() -> None:
    player = Player(next_mode="notes 21+108")
    player.press(108, 0.0)
    assert player.press(21, 0.1) == NEXT_MODE
    assert [player.release(21, 0.15), player.press(21, 0.2)] == [EATEN, MUSIC]
    assert player.press(108, 0.3) == NEXT_MODE


def test_the_smaller_gesture_leaves_the_larger_one_possible() -> None:
    player = Player(hand_over="note 21", next_mode="notes 21+108")
    assert [player.press(21, 0.0), player.press(108, 0.1)] == [HAND_OVER, NEXT_MODE]


def test_of_two_cues_with_one_gesture_the_first_is_meant() -> None:
    assert Player(tap="cc 67", hand_over="cc 67").controller(67, 127) == [HAND_OVER]


def test_gestures_may_become_others_between_a_press_and_its_release() -> None:
    player = Player(hand_over="note 21")
    assert [player.press(21), player.press(108)] == [HAND_OVER, MUSIC]
    player.gestures.controls = Controls(hand_over="note 108")
    assert [player.release(21), player.release(108)] == [EATEN, MUSIC]
    assert [player.press(21), player.press(108)] == [MUSIC, HAND_OVER]


def test_a_pedal_that_is_held_while_it_becomes_a_gesture_counts_when_it_is_pressed_again() -> None:
    player = Player()
    player.controller(67, 127)
    player.gestures.controls = Controls(tap="cc 67")
    assert player.controller(67, 120, 0, 127) == [EATEN, EATEN, TAP]


PITCHES = st.sampled_from((21, 22, 108))
GESTURES = st.sampled_from(("", "note 21", "notes 21+108", "notes 21+22+108"))


@given(
    st.lists(
        st.tuples(PITCHES, st.sampled_from((0, 70)), st.floats(0.0, 0.4)) | st.tuples(GESTURES, GESTURES),
        max_size=40,
    )
)
def test_a_key_that_was_heard_going_down_is_heard_coming_up_and_no_other_is(steps: list[Any]) -> None:
    player, at_s, down = Player(), 0.0, dict[int, bool]()
    for step in steps:
        if len(step) == 2:
            player.gestures.controls = Controls(*step)
            continue
        pitch, velocity, wait_s = step
        at_s += wait_s
        taken = player.play(0x90, pitch, velocity, at_s=at_s)
        if velocity:
            assert taken.consumed == (taken.cue is not None)
            down[pitch] = taken.consumed
        else:
            assert taken == Taken(None, consumed=down.pop(pitch, False))


def test_a_release_that_was_lost_leaves_nothing_behind() -> None:
    player = Player(hand_over="note 21")
    assert player.press(21) == HAND_OVER
    player.gestures.controls = Controls()
    assert [player.press(21), player.release(21)] == [MUSIC, MUSIC]


@pytest.mark.parametrize("number", [120, 123])
def test_when_all_notes_are_let_go_none_is_held_for_a_chord(number: int) -> None:
    player = Player(next_mode="notes 21+108")
    player.press(108, 0.0)
    assert player.controller(number, 0) == [MUSIC]
    assert player.press(21, 0.1) == MUSIC


@pytest.mark.parametrize("data", [(), (0xF8,), (0xC0, 21), (0xE0, 21, 100), (0xA0, 21, 100), (0xD0, 21)])
def test_other_messages_are_no_gestures(data: tuple[int, ...]) -> None:
    assert Player(hand_over="note 21", tap="cc 21").play(*data) == MUSIC


# --- while playing ------------------------------------------------------------------------------------


def room(notices: list[Notice], improviser: Improvising | None = None, **controls: str) -> Room:
    settings = Settings(controls=Controls(**controls))
    return Room(partner_of(notices=notices, improviser=improviser, settings=settings))


def test_a_hand_over_brings_the_answer_at_once_and_its_key_is_not_heard() -> None:
    notices: list[Notice] = []
    studio = room(notices, ScriptedImproviser(0.3), hand_over="note 108")
    studio.call(60, 64, 67, gap_s=0.1, duration_s=0.05)
    handed_s = studio.now_s
    studio.press(108)
    studio.run_for(0.1)
    studio.release(108)
    studio.run_for(6.0)
    assert studio.onsets[0][0] == handed_s
    heard = [notice.pitches for notice in notices if isinstance(notice, CallHeard)]
    assert heard == [(60, 64, 67)]
    assert [notice.yielded for notice in notices if isinstance(notice, AnswerEnded)] == [False]


def test_without_the_gesture_the_same_key_is_a_note_like_any_other() -> None:
    notices: list[Notice] = []
    studio = room(notices, ScriptedImproviser(0.3))
    studio.call(60, 64, 67, 108, gap_s=0.1, duration_s=0.05)
    studio.run_for(6.0)
    assert [notice.pitches for notice in notices if isinstance(notice, CallHeard)] == [(60, 64, 67, 108)]


def test_the_next_mode_is_the_next_that_is_possible_and_round_again() -> None:
    along, alone = list[Notice](), list[Notice]()
    studio = room(along, next_mode="cc 67")
    window = room(
        alone, WindowImproviser(packaged_model(), PITCH_ALONE, Sampling(), seed=1), next_mode="cc 67"
    )
    for _ in range(len(MODES)):
        for where in (studio, window):
            where.play(0xB0, 67, 127)
            where.play(0xB0, 67, 0)
    possible = [mode for mode in MODE_NAMES if mode in MODES]
    assert along[: len(possible)] == [ModeChanged(mode) for mode in (*possible[1:], possible[0])]
    assert ModeChanged("duet") not in alone
    assert ModeChanged("listen") in alone


def test_a_mode_that_the_model_cannot_play_is_refused_in_a_sentence() -> None:
    notices: list[Notice] = []
    studio = room(notices, WindowImproviser(packaged_model(), PITCH_ALONE, Sampling(), seed=1))
    studio.wish(Change("mode", "duet"))
    assert notices == [
        Said(
            "Mode duet needs a model that hears you while it plays, as the default one does, and this one "
            "cannot; choose another model or another mode."
        )
    ]
    assert studio.partner.mode == "answer"


def test_gestures_are_changed_while_playing() -> None:
    notices: list[Notice] = []
    studio = room(notices)
    studio.wish(Change("controls.next_mode", "note 21"))
    studio.press(21)
    assert len(notices) == 1
    assert isinstance(notices[0], ModeChanged)


def test_a_cue_that_nobody_knows_changes_nothing() -> None:
    notices: list[Notice] = []
    studio = room(notices)
    studio.wish(Cue("dance"))
    assert (notices, studio.partner.mode) == ([], "answer")
