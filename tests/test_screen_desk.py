"""What keys do at the terminal."""

from __future__ import annotations

import pytest
from snapshots import DIALS, SITTING, sitting

from improv_daemon.screen import keys
from improv_daemon.screen.desk import Desk
from improv_daemon.screen.keys import BINDINGS
from improv_daemon.screen.snapshot import Asked, Snapshot


def after(*keys: str, snapshot: Snapshot = SITTING) -> Desk:
    desk = Desk()
    for key in keys:
        desk = desk.pressed(key, snapshot)
    return desk


@pytest.mark.parametrize("binding", BINDINGS, ids=lambda binding: binding.key)
def test_keys_are_cues(binding: keys.Binding) -> None:
    assert after(binding.key).asks == (Asked("cue", binding.cue),)


def test_up_and_down_choose_a_dial_and_go_round() -> None:
    assert [after(*["down"] * n).chosen for n in range(5)] == [0, 1, 2, 3, 0]
    assert after("up").chosen == len(DIALS) - 1
    assert after("up").asks == ()


def test_left_and_right_turn_the_chosen_dial() -> None:
    assert after("right").asks == (Asked("turn", "sampling.temperature", 1),)
    assert after("down", "left").asks == (Asked("turn", "answer.density_ratio", -1),)


def test_a_dial_that_is_no_longer_there_is_not_turned() -> None:
    fewer = sitting(dials=DIALS[:2])
    assert after("up").pressed("right", fewer).asks == (Asked("turn", "answer.density_ratio", 1),)
    assert after("right", "l", "down", snapshot=sitting(dials=())) == Desk()


def test_learning_is_begun_for_the_chosen_dial_and_given_up_by_the_same_key_or_escape() -> None:
    assert after("down", "l").asks == (Asked("learn", "answer.density_ratio"),)
    learning = sitting(learning="memory.follow")
    assert after("l", snapshot=learning).asks == after("escape", snapshot=learning).asks == (Asked("learn"),)
    assert after("escape").asks == ()


def test_the_page_of_keys_opens_and_closes() -> None:
    assert [after(*keys).help for keys in (["?"], ["?", "?"], ["h"], ["?", "escape"])] == [
        *(True, False, True, False)
    ]


def test_keys_work_with_the_page_open() -> None:
    assert after("?", "p").asks == (Asked("cue", "panic"),)


def test_q_quits_and_other_keys_do_nothing() -> None:
    assert after("q").asks == (Asked("quit"),)
    assert after("q", "y").asks == after("ü").asks == ()
