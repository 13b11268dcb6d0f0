"""What mind and screen say to each other."""

from __future__ import annotations

import pytest
from snapshots import SITTING, said, sitting

from improv_daemon.screen.snapshot import (
    Asked,
    Bye,
    Hide,
    Show,
    Snapshot,
    ToScreen,
    from_screen,
    to_line,
    to_screen,
)


@pytest.mark.parametrize(
    "message",
    [
        SITTING,
        sitting(tempo=None, sound=None, notes=(), said=(said("The Keystation is gone."),), learning="mode"),
        *(Hide(), Show(), Bye()),
    ],
)
def test_what_the_mind_says_comes_out_as_it_went_in(message: ToScreen) -> None:
    line = to_line(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert to_screen(line) == message


def test_snapshots_are_known_by_how_their_lines_begin() -> None:
    assert to_line(SITTING).startswith(b'{"kind":"Snapshot"')
    assert isinstance(to_screen(to_line(SITTING)), Snapshot)


@pytest.mark.parametrize(
    "asked", [Asked("cue", "panic"), Asked("turn", "memory.follow", -1), Asked("learn"), Asked("quit")]
)
def test_what_the_screen_asks_comes_out_as_it_went_in(asked: Asked) -> None:
    assert from_screen(to_line(asked)) == asked


def test_other_lines_are_refused() -> None:
    with pytest.raises(ValueError, match="no message for the screen"):
        to_screen(b'{"kind":"Quit"}')
    with pytest.raises(ValueError, match="no message of the screen"):
        from_screen(to_line(Hide()))
