"""Whose turn it was when."""

from __future__ import annotations

from improv_core.notes import Note, Performance
from improv_daemon.recorder import Turn, turns_between


def line(*spans_s: tuple[float, float]) -> Performance:
    """Notes from and until such moments."""
    return Performance.of(Note(60, 64, begin_s, end_s - begin_s) for begin_s, end_s in spans_s)


def test_nobody_played() -> None:
    assert turns_between(Performance(), Performance()) == ()


def test_call_and_answer_are_turns_numbered_for_each() -> None:
    player = line((0.0, 0.5), (0.5, 1.5), (4.0, 5.0))
    improv = line((2.0, 2.5), (2.5, 3.5), (6.0, 7.0))
    assert turns_between(player, improv) == (
        Turn(0.0, 1.5, "player", 1),
        Turn(2.0, 3.5, "improv", 1),
        Turn(4.0, 5.0, "player", 2),
        Turn(6.0, 7.0, "improv", 2),
    )


def test_a_rest_is_no_end_of_a_turn_while_nobody_else_plays_and_a_long_silence_is() -> None:
    rest = turns_between(line((0.0, 1.0), (3.9, 4.5)), Performance())
    assert rest == (Turn(0.0, 4.5, "player", 1),)
    silence = turns_between(line((0.0, 1.0), (4.0, 4.5)), Performance())
    assert silence == (Turn(0.0, 1.0, "player", 1), Turn(4.0, 4.5, "player", 2))


def test_a_duet_is_one_turn_of_each_whatever_rests_there_are() -> None:
    player = line(*((0.5 * i, 0.5 * i + 0.1) for i in range(40)))
    improv = line(*((0.25 + 0.75 * i, 0.3 + 0.75 * i) for i in range(25)))
    assert [turn.name for turn in turns_between(player, improv)] == ["player 1", "improv 1"]


def test_a_held_note_lasts_beyond_those_struck_after_it() -> None:
    held = turns_between(line((0.0, 6.0), (1.0, 1.5), (7.0, 8.0)), Performance())
    assert held == (Turn(0.0, 8.0, "player", 1),)
