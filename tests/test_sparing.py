"""How many sentences are said of all that could be."""

from __future__ import annotations

from improv_daemon.sparing import AGAIN_AFTER_S, AT_ONCE, EACH_S, Sparing


def test_a_few_are_said_at_once_and_then_one_now_and_then() -> None:
    sparing = Sparing()
    said = [number for number in range(1000) if sparing.takes(f"Sentence {number}.", 0.01 * number)]
    assert said[:AT_ONCE] == [0, 1, 2]
    assert len(said) == AT_ONCE + int(9.99 / EACH_S)


def test_the_same_is_not_said_again_for_a_while_and_costs_nothing() -> None:
    sparing = Sparing()
    assert [sparing.takes("Again.", at_s) for at_s in (0.0, 1.0, AGAIN_AFTER_S - 0.1, AGAIN_AFTER_S)] == [
        True,
        False,
        False,
        True,
    ]
    assert [sparing.takes(text, AGAIN_AFTER_S) for text in ("One.", "Two.", "Three.")] == [True, True, False]


def test_it_does_not_grow_with_what_is_said() -> None:
    sparing = Sparing()
    assert all(sparing.takes(f"Sentence {number}.", EACH_S * number) for number in range(1000))
    assert len(sparing._said_s) <= 16
