"""Lines as bytes for a terminal."""

from __future__ import annotations

import pytest
from rich.color import ColorSystem
from rich.style import Style
from rich.text import Text

from improv_daemon.screen import colours
from improv_daemon.screen.painting import Painter

XTERM = {"TERM": "xterm-256color"}
SIZE = (20, 3)


def lines(*texts: str) -> list[Text]:
    return [Text(text) for text in texts]


def test_the_first_picture_is_whole_and_then_only_what_changes_is_sent() -> None:
    painter = Painter(XTERM)
    first = painter.paint(lines("one", "two", ""), SIZE)
    assert first == "\x1b[0m\x1b[2J\x1b[1;1H\x1b[0m\x1b[Kone\x1b[2;1H\x1b[0m\x1b[Ktwo"
    assert painter.paint(lines("one", "two", ""), SIZE) == ""
    assert painter.paint(lines("one", "", "3"), SIZE) == "\x1b[2;1H\x1b[0m\x1b[K\x1b[3;1H\x1b[0m\x1b[K3"


def test_after_a_resize_and_after_something_else_was_there_all_is_painted_anew() -> None:
    painter = Painter(XTERM)
    first = painter.paint(lines("one"), (20, 1))
    assert painter.paint(lines("one"), (21, 1)) == first
    painter.forget()
    assert painter.paint(lines("one"), (21, 1)) == first


def test_colours_are_those_that_the_terminal_has() -> None:
    # Each another one: a style remembers its codes for the first terminal that it meets.
    for colour, environment, code in (
        ("#d7af01", {"TERM": "xterm-256color"}, "38;5;178"),
        ("#d7af02", {"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "38;2;215;175;2"),
        ("#d7af03", {"TERM": "xterm"}, "33"),
    ):
        painted = Painter(environment).paint([Text("x", Style(color=colour))], (1, 1))
        assert f"\x1b[{code}mx" in painted


@pytest.mark.parametrize("system", [ColorSystem.STANDARD, ColorSystem.EIGHT_BIT, ColorSystem.TRUECOLOR])
def test_the_two_are_told_apart_by_whatever_colours_there_are(system: ColorSystem) -> None:
    for yours, improvs in ((colours.YOU, colours.IMPROV), (colours.YOU_HELD, colours.IMPROV_HELD)):
        assert yours.color is not None
        assert improvs.color is not None
        assert yours.color.downgrade(system) != improvs.color.downgrade(system)


def test_without_colours_there_are_none() -> None:
    for environment in ({**XTERM, "NO_COLOR": "1"}, {"TERM": "vt100", "NO_COLOR": "1"}):
        painter = Painter(environment)
        assert not painter.colour
        assert painter.paint([Text("x", colours.YOU)], (1, 1)).endswith("\x1b[Kx")
    assert Painter(XTERM).colour
