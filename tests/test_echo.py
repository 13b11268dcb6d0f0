"""improv never hears itself, and hears everything else."""

from __future__ import annotations

import pytest

from improv_core.echo import EchoFilter

ON, OFF = (0x91, 60, 90), (0x81, 60, 64)


@pytest.fixture
def echo() -> EchoFilter:
    return EchoFilter(0.06)


def test_note_sent_within_the_window_is_an_echo(echo: EchoFilter) -> None:
    echo.sent(ON, 1.0)
    assert echo.heard(ON, 1.06)
    assert echo.dropped == 1


def test_note_sent_before_the_window_is_played(echo: EchoFilter) -> None:
    echo.sent(ON, 1.0)
    assert not echo.heard(ON, 1.061)


@pytest.mark.parametrize("other", [(0x90, 60, 90), (0x91, 61, 90), (0x91, 60, 91)])
def test_another_channel_pitch_or_velocity_is_played(echo: EchoFilter, other: tuple[int, ...]) -> None:
    echo.sent(ON, 1.0)
    assert not echo.heard(other, 1.0)


def test_one_sent_note_has_one_echo(echo: EchoFilter) -> None:
    echo.sent(ON, 1.0)
    assert [echo.heard(ON, 1.01), echo.heard(ON, 1.02)] == [True, False]


def test_note_off_of_an_echo_is_an_echo_however_late_it_is_and_whatever_its_velocity(
    echo: EchoFilter,
) -> None:
    echo.sent(ON, 1.0)
    echo.heard(ON, 1.01)
    echo.sent(OFF, 2.0)
    assert echo.heard((0x91, 60, 0), 2.5)


def test_note_off_of_a_played_note_is_heard_though_improv_sent_one(echo: EchoFilter) -> None:
    echo.heard(ON, 1.0)
    echo.sent(OFF, 1.0)
    assert not echo.heard(OFF, 1.01)


def test_players_own_release_is_heard_while_improv_still_holds_the_same_key(echo: EchoFilter) -> None:
    echo.sent(ON, 1.0)
    heard = [
        echo.heard(ON, 1.01),
        echo.heard((0x91, 60, 40), 1.2),
        echo.heard(OFF, 1.5),
    ]
    echo.sent(OFF, 2.0)
    assert [*heard, echo.heard(OFF, 2.01)] == [True, False, False, True]


def test_pedal_sent_a_moment_ago_is_an_echo(echo: EchoFilter) -> None:
    echo.sent((0xB1, 64, 127), 1.0)
    assert [echo.heard((0xB1, 64, 127), 1.01), echo.heard((0xB1, 64, 0), 1.01)] == [True, False]


@pytest.mark.parametrize("message", [(0xE1, 0, 70), (0xE1, 0, 64), (0xD1, 5), (0xA1, 60, 5), (0xC1, 7)])
def test_every_channel_message_may_be_an_echo(echo: EchoFilter, message: tuple[int, ...]) -> None:
    echo.sent(message, 1.0)
    assert [echo.heard(message, 1.0), echo.heard(message, 1.0)] == [True, False]


def test_clock_is_never_an_echo(echo: EchoFilter) -> None:
    echo.sent((0xF8,), 1.0)
    assert not echo.heard((0xF8,), 1.0)


def test_a_note_comes_back_once_for_each_output_at_each_input(echo: EchoFilter) -> None:
    echo.sent(ON, 1.0)
    echo.sent(ON, 1.0)
    heard = [echo.heard(ON, 1.01, source) for source in ("a", "b", "a", "b", "a", "b")]
    assert heard == [True, True, True, True, False, False]


def test_what_the_player_plays_is_no_echo_where_they_play_it(echo: EchoFilter) -> None:
    echo.sent(ON, 1.0, played_at="keystation")
    assert not echo.heard(ON, 1.01, "keystation")
    assert echo.heard(ON, 1.01, "daw")


@pytest.mark.parametrize(
    ("down", "up"),
    [((0xB1, 64, 127), (0xB1, 64, 0)), ((0xE1, 0, 70), (0xE1, 0, 64)), ((0xD1, 9), (0xD1, 0))],
)
def test_the_player_lets_go_of_what_they_hold_whatever_was_sent(
    echo: EchoFilter, down: tuple[int, ...], up: tuple[int, ...]
) -> None:
    echo.heard(down, 1.0, "keystation")
    echo.sent(up, 2.0)
    assert not echo.heard(up, 2.01, "keystation")
    assert echo.heard(up, 2.02, "daw")


def test_a_note_off_belongs_to_the_note_of_its_own_input(echo: EchoFilter) -> None:
    echo.sent(ON, 1.0)
    echo.heard(ON, 1.01, "daw")
    assert not echo.heard(OFF, 1.1, "keystation")
    assert echo.heard(OFF, 1.1, "daw")


def test_an_input_that_has_gone_owes_no_note_off_any_more(echo: EchoFilter) -> None:
    echo.sent(ON, 1.0)
    echo.heard(ON, 1.01, "daw")
    echo.forget("daw")
    assert not echo.heard(OFF, 2.0, "daw")


def test_memory_is_bounded(echo: EchoFilter) -> None:
    for _ in range(5000):
        echo.sent(ON, 1.0)
    assert sum(echo.heard(ON, 1.0) for _ in range(5000)) == 1024


def test_all_notes_off_of_the_player_is_theirs_while_they_hold_a_key(echo: EchoFilter) -> None:
    all_off = (0xB1, 123, 0)
    assert not echo.heard(ON, 0.5, "keyboard")
    echo.sent(all_off, 1.0)
    assert [echo.heard(all_off, 1.0, source) for source in ("keyboard", "improv in")] == [False, True]
    assert echo.heard(all_off, 1.01, "keyboard")


def test_reset_of_controllers_is_the_players_while_they_hold_a_pedal(echo: EchoFilter) -> None:
    reset = (0xB1, 121, 0)
    assert not echo.heard((0xB1, 64, 127), 0.5, "keyboard")
    echo.sent(reset, 1.0)
    assert [echo.heard(reset, 1.0, source) for source in ("keyboard", "improv in")] == [False, True]
