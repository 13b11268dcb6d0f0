"""Keys of a terminal."""

from __future__ import annotations

import pytest

from improv_daemon.controls import CUES
from improv_daemon.screen import keys
from improv_daemon.screen.keys import BINDINGS, Keyboard


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (b"m", ["m"]),
        (b"PQ", ["p", "q"]),
        (b"\r \t", ["enter", "space", "tab"]),
        (b"\x1b[A\x1b[B\x1b[C\x1b[D", ["up", "down", "right", "left"]),
        (b"\x1bOA\x1b[1;5D", ["up", "left"]),
        (b"\x1b[5~\x1b[15~\x1b[Zn", ["n"]),
        (b"\x1b\x1b", ["escape", "escape"]),
        ("ü".encode(), ["ü"]),
        (b"\xff\xfea", ["a"]),
        (b"", []),
    ],
)
def test_bytes_are_keys(typed: bytes, found: list[str]) -> None:
    keyboard = Keyboard()
    assert keyboard.feed(typed) + keyboard.flush() == found


def test_an_arrow_may_come_in_pieces() -> None:
    keyboard = Keyboard()
    assert keyboard.feed(b"a\x1b") == ["a"]
    assert keyboard.is_waiting
    assert keyboard.feed(b"[") == []
    assert keyboard.feed(b"A") == ["up"]
    assert not keyboard.is_waiting
    assert keyboard.flush() == []


def test_escape_alone_is_known_when_nothing_follows() -> None:
    keyboard = Keyboard()
    assert keyboard.feed(b"\x1b") == []
    assert keyboard.flush() == [keys.ESCAPE]


def test_every_cue_has_a_key_and_every_key_another() -> None:
    assert {binding.cue for binding in BINDINGS} == set(CUES)
    used = [*(binding.key for binding in BINDINGS), keys.LEARN, keys.HELP, keys.QUIT]
    assert len(used) == len(set(used))
