"""Controllers that set something, and how one is learned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improv_core.errors import ConfigError
from improv_daemon.knobs import NOT_LEARNED, TRAVEL, Knobs, Learning, Moved, Turned, learnable, learned, moved
from improv_daemon.settings import Controls
from improv_daemon.wire import Change, Played

NOTHING = Turned(consumed=True)


def cc(controller: int, position: int, *, channel: int = 1, source: str = "keys") -> Played:
    return Played((0xB0 | (channel - 1), controller, position), 0.0, source)


def values(knobs: Knobs, controller: int, *positions: int, source: str = "keys") -> list[object]:
    """What moving a controller sets, position by position; None where it sets nothing."""
    turned = [knobs.take(cc(controller, position, source=source)) for position in positions]
    assert all(one.consumed for one in turned)
    return [one.changes[0].value if one.changes else None for one in turned]


# --- what is set ------------------------------------------------------------------------------------


def test_a_controller_sets_what_its_position_says_and_is_no_music() -> None:
    knobs = Knobs("cc 1 sampling.temperature, cc 21 ch 3 mode")
    assert knobs.take(cc(1, 127)) == Turned((Change("sampling.temperature", 1.5),), consumed=True)
    assert knobs.take(cc(21, 0, channel=3)) == Turned((Change("mode", "answer"),), consumed=True)
    assert knobs.take(cc(21, 0)) == Turned()
    assert knobs.take(cc(2, 127)) == Turned()


@pytest.mark.parametrize("data", [(), (0xF8,), (0xC0, 1), (0xE0, 1, 100), (0x90, 1, 100), (0xB0, 120, 0)])
def test_nothing_else_sets_anything(data: tuple[int, ...]) -> None:
    assert Knobs("cc 1 mode").take(Played(data, 0.0, "keys")) == Turned()


def test_one_controller_may_set_several_things_and_several_the_same() -> None:
    knobs = Knobs("cc 1 memory.follow, cc 1 memory.recall 1..0, cc 2 memory.follow")
    assert knobs.take(cc(1, 127)).changes == (Change("memory.follow", 0.5), Change("memory.recall", 0.0))
    assert values(knobs, 2, 0) == [0.0]


def test_only_another_value_is_a_change() -> None:
    knobs = Knobs("cc 1 mode")
    assert values(knobs, 1, 0, 5, 10, 25, 40, 127) == ["answer", None, None, "trade", None, "listen"]


def test_a_knob_that_does_not_stand_still_changes_nothing() -> None:
    knobs = Knobs("cc 1 memory.recall")
    assert values(knobs, 1, 60, 61, 60, 61, 60, 61) == [0.4724, 0.4803, None, None, None, None]
    assert values(knobs, 1, 62, 60, 59) == [0.4882, 0.4724, 0.4646]


def test_its_ends_are_always_reached() -> None:
    knobs = Knobs("cc 1 memory.recall")
    assert values(knobs, 1, 125, 126, 125, 126, 127, 126, 127) == [
        0.9843,
        0.9921,
        None,
        None,
        1.0,
        None,
        None,
    ]
    assert values(knobs, 1, 2, 1, 0, 1, 0) == [0.01575, 0.007874, 0.0, None, None]


def test_the_same_controller_of_two_devices_is_two() -> None:
    knobs = Knobs("cc 1 memory.recall")
    assert values(knobs, 1, 0, source="left") == [0.0]
    assert values(knobs, 1, 127, source="right") == [1.0]
    assert values(knobs, 1, 1, source="left") == [0.007874]


def test_knobs_may_become_others() -> None:
    knobs = Knobs("cc 1 memory.recall")
    assert values(knobs, 1, 127) == [1.0]
    knobs.text = "cc 1 memory.follow"
    assert (knobs.text, values(knobs, 1, 126)) == ("cc 1 memory.follow", [0.4961])
    knobs.text = ""
    assert knobs.take(cc(1, 0)) == Turned()


def test_what_something_else_has_set_is_set_anew_with_the_next_move() -> None:
    knobs = Knobs("cc 1 mode, cc 2 memory.recall")
    assert values(knobs, 1, 0, 5) == ["answer", None]
    assert values(knobs, 2, 0) == [0.0]
    knobs.keep({"mode": "trade", "memory.recall": 0.0}.__getitem__)
    assert values(knobs, 1, 10, 15) == ["answer", None]


@given(st.lists(st.integers(0, 127), min_size=1, max_size=60))
def test_what_is_set_is_never_further_than_a_step_from_where_the_knob_stands(positions: list[int]) -> None:
    knobs, value = Knobs("cc 1 voices.improv_program 0..127"), -1
    for position in positions:
        for change in knobs.take(cc(1, position)).changes:
            assert change.value != value
            value = int(change.value)
        assert abs(value - position) <= 1
        assert value == position or position not in (0, 127)


# --- learning ---------------------------------------------------------------------------------------


def learning(key: str = "mode", *before: Played) -> Learning:
    one = Learning()
    for event in before:
        assert one.take(event) is None
    one.begin(key)
    return one


def taken(one: Learning, *events: Played) -> list[bool]:
    return [one.take(event) is not None for event in events]


def test_the_controller_that_is_moved_is_learned_once() -> None:
    one = learning()
    assert taken(one, cc(5, 60), cc(5, 61), cc(5, 62), cc(5, 60 + TRAVEL), cc(5, 90)) == [
        False,
        False,
        False,
        True,
        False,
    ]
    assert one.key == ""


def test_a_button_that_knows_its_ends_alone_is_learned_at_once() -> None:
    assert learning().take(cc(5, 127, channel=2)) == Moved("keys", 2, 5, 127)


def test_a_button_that_was_pressed_before_is_learned_when_it_moves() -> None:
    one = learning("mode", cc(5, 127))
    assert taken(one, cc(5, 127), cc(5, 0)) == [False, True]


def test_a_controller_that_trembles_by_itself_is_not_learned() -> None:
    one = learning("mode", cc(11, 88))
    assert not any(taken(one, *(cc(11, 88 + step) for step in (1, 0, -1, 0, 2, 1))))
    assert one.take(cc(5, 127)) == Moved("keys", 1, 5, 127)


@pytest.mark.parametrize("controller", [*NOT_LEARNED, 120, 123])
def test_pedal_and_what_comes_along_with_others_are_not_learned(controller: int) -> None:
    assert taken(learning(), cc(controller, 0), cc(controller, 127)) == [False, False]


def test_nothing_is_learned_when_none_is_asked_for_or_no_more() -> None:
    assert taken(Learning(), cc(5, 127)) == [False]
    one = learning()
    one.begin("")
    assert taken(one, cc(5, 127)) == [False]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("mode", "mode"),
        ("sampling.scale", "sampling.scale"),
        ("tap", "controls.tap"),
        ("controls.panic", "controls.panic"),
    ],
)
def test_a_setting_or_a_cue_can_be_learned(name: str, key: str) -> None:
    assert learnable(name) == key


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("seed", "seed cannot change while improv plays."),
        ("preset", "preset is text, which no controller can set."),
        ("tapp", "there is no setting tapp; did you mean 'controls.tap'?"),
    ],
)
def test_what_cannot_be_learned_is_one_sentence(name: str, reason: str) -> None:
    with pytest.raises(ConfigError) as refused:
        learnable(name)
    assert str(refused.value) == f"No controller can be learned: {reason}"


HAND = Moved("keys", 3, 5, 127)


def test_what_is_learned_is_a_line_of_the_settings() -> None:
    assert learned(Controls(), "mode", HAND) == (("controls.knobs", "cc 5 ch 3 mode"),)
    assert learned(Controls(), "controls.tap", HAND) == (("controls.tap", "cc 5"),)


def test_a_controller_is_for_one_thing() -> None:
    taken_already = Controls(hand_over="cc 5", tap="cc 50", knobs="cc 5 mode, cc 6 memory.follow")
    assert dict(learned(taken_already, "memory.recall", HAND)) == {
        "controls.hand_over": "",
        "controls.knobs": "cc 6 memory.follow, cc 5 ch 3 memory.recall",
    }
    assert dict(learned(taken_already, "controls.panic", HAND)) == {
        "controls.hand_over": "",
        "controls.panic": "cc 5",
        "controls.knobs": "cc 6 memory.follow",
    }


def test_what_is_learned_again_changes_nothing_else() -> None:
    again = learned(Controls(hand_over="cc 5"), "controls.hand_over", HAND)
    assert again == (("controls.hand_over", "cc 5"),)


def test_only_controllers_are_moved() -> None:
    assert moved(Played((0x90, 60, 100), 0.0, "keys")) is None
    assert moved(Played((0xB0, 123, 0), 0.0, "keys")) is None
    assert moved(cc(5, 127, channel=3)) == HAND
