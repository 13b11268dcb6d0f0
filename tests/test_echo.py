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


def test_other_messages_are_never_echoes(echo: EchoFilter) -> None:
    echo.sent((0xE1, 0, 64), 1.0)
    assert not echo.heard((0xE1, 0, 64), 1.0)


def test_memory_is_bounded(echo: EchoFilter) -> None:
    for _ in range(5000):
        echo.sent(ON, 1.0)
    assert sum(echo.heard(ON, 1.0) for _ in range(5000)) == 1024
