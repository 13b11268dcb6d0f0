"""Gestures at the instrument: which cue they are, and what of them is heard."""

from __future__ import annotations

import pytest

from improv_daemon.controls import CUES, MUSIC, TOGETHER_S, Gestures, Taken
from improv_daemon.settings import Controls
from improv_daemon.wire import Played

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
    assert set(CUES) == {name for name in Controls.__slots__ if name != "osc_port"}


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
