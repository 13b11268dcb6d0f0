"""What is sent to an output that has gone and is back."""

from __future__ import annotations

import pytest

from improv_daemon.stage.owed import Owed


@pytest.mark.parametrize(
    ("held", "owed"),
    [
        ((0x91, 60, 90), (0x81, 60, 64)),
        ((0xB1, 64, 127), (0xB1, 64, 0)),
        ((0xB0, 67, 1), (0xB0, 67, 0)),
        ((0xE3, 0, 70), (0xE3, 0, 64)),
    ],
)
def test_what_is_held_is_owed(held: tuple[int, ...], owed: tuple[int, ...]) -> None:
    output = Owed()
    output.sent(held)
    output.confirm()
    output.confirm()
    assert output.take() == [owed]
    assert output.take() == []


@pytest.mark.parametrize(
    ("held", "release"),
    [
        ((0x91, 60, 90), (0x81, 60, 10)),
        ((0x91, 60, 90), (0x91, 60, 0)),
        ((0xB1, 64, 127), (0xB1, 64, 0)),
        ((0xE3, 0, 70), (0xE3, 0, 64)),
    ],
)
def test_release_is_owed_until_the_output_is_seen_twice_after_it(
    held: tuple[int, ...], release: tuple[int, ...]
) -> None:
    for looks, owed in ((0, [release]), (1, [release]), (2, [])):
        output = Owed()
        output.sent(held)
        output.sent(release)
        for _ in range(looks):
            output.confirm()
        assert output.take() == owed


def test_key_that_is_struck_again_is_owed_once() -> None:
    output = Owed()
    for message in ((0x90, 60, 90), (0x80, 60, 64), (0x90, 60, 80)):
        output.sent(message)
    assert output.take() == [(0x80, 60, 64)]


@pytest.mark.parametrize("message", [(0xF8,), (0xC0, 5), (0xB0, 7, 100), (0xB0, 7, 0)])
def test_what_holds_nothing_is_not_owed(message: tuple[int, ...]) -> None:
    output = Owed()
    output.sent(message)
    assert output.take() == []
