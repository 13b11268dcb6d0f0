"""Which controllers set what, in one line of text."""

from __future__ import annotations

import pytest

from improv_core.errors import ConfigError
from improv_daemon.settings.knob_texts import (
    Binding,
    bindings_of,
    check_knobs,
    text_of,
    with_learned,
    without_controller,
)
from improv_daemon.settings.rules import Value

THREE = "cc 1 sampling.temperature, cc 74 ch 2 memory.follow 0..0.4, cc 21 mode"


def test_a_line_is_read_and_written_the_same() -> None:
    assert bindings_of(THREE) == (
        Binding(1, "sampling.temperature"),
        Binding(74, "memory.follow", 2, (0.0, 0.4)),
        Binding(21, "mode"),
    )
    assert text_of(bindings_of(THREE)) == THREE
    assert bindings_of("") == ()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("cc 1 sampling.temperature", [0.5, 1.004, 1.5]),
        ("cc 1 sampling.temperature 1..0.5", [1.0, 0.748, 0.5]),
        ("cc 1 voices.improv_pan -1..0", [-1.0, -0.4961, 0.0]),
        ("cc 1 answer.candidates 1..4", [1, 3, 4]),
        ("cc 1 answer.density_ratio", [0.0, 2.14, 4.0]),
        ("cc 1 mode", ["answer", "harmonise", "listen"]),
        ("cc 1 memory.initiative", [False, True, True]),
        ("cc 1 sampling.scale", ["off", "B major", "B minor"]),
    ],
)
def test_what_a_controller_sets_at_its_ends_and_in_the_middle(text: str, values: list[Value]) -> None:
    (binding,) = bindings_of(text)
    assert [binding.value(position) for position in (0, 64, 127)] == values


def test_without_a_channel_it_counts_on_any() -> None:
    anywhere, on_two = Binding(7, "mode"), Binding(7, "mode", 2)
    assert [anywhere.hears(7, 1), anywhere.hears(8, 1), on_two.hears(7, 1), on_two.hears(7, 2)] == [
        True,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cc 120 mode", "controllers go from 0 to 119."),
        ("cc 1 ch 17 mode", "channels go from 1 to 16."),
        ("cc 1 ch 0 mode", "channels go from 1 to 16."),
        ("cc 1 modes", "there is no setting modes; did you mean 'mode'?"),
        ("cc 1 qqqq", "there is no setting qqqq."),
        ("cc 1 seed", "seed cannot change while improv plays."),
        ("cc 1 controls.tap", "controls.tap is text, which no controller can set."),
        ("cc 1 memory.initiative 0..1", "memory.initiative takes no range, it must be true or false."),
        (
            "cc 1 sampling.top_p 0..1",
            "sampling.top_p must be a number from 0.05 to 1, at both ends.",
        ),
        (
            "cc 1 trade.bars 1..2.5",
            "trade.bars must be a whole number from 1 to 32, at both ends.",
        ),
        ("cc 1", 'write it as "cc 1 sampling.temperature", or with a range as in "0.5..1.5".'),
    ],
)
def test_what_cannot_be_is_one_sentence_that_names_it(text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_knobs(f"cc 2 mode, {text}", "mine.toml")
    assert str(refused.value) == f'mine.toml: controls.knobs, "{text}": {reason}'


def test_what_is_learned_takes_the_place_of_its_controller_and_of_its_setting() -> None:
    assert with_learned("", Binding(5, "mode", 1)) == "cc 5 ch 1 mode"
    assert with_learned(THREE, Binding(1, "memory.recall", 3)) == (
        "cc 74 ch 2 memory.follow 0..0.4, cc 21 mode, cc 1 ch 3 memory.recall"
    )
    assert with_learned(THREE, Binding(9, "mode", 3)) == (
        "cc 1 sampling.temperature, cc 74 ch 2 memory.follow 0..0.4, cc 9 ch 3 mode"
    )


def test_the_same_controller_on_another_channel_is_another() -> None:
    assert with_learned("cc 74 ch 2 memory.follow", Binding(74, "mode", 3)) == (
        "cc 74 ch 2 memory.follow, cc 74 ch 3 mode"
    )


def test_a_controller_may_be_taken_from_what_it_sets() -> None:
    assert without_controller(THREE, 74) == "cc 1 sampling.temperature, cc 21 mode"
