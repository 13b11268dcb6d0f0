"""A terminal that is taken over and given back."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from improv_daemon.screen.terminal import CLOSING, OPENING, Terminal


@dataclass
class Pair:
    """A terminal, and the end where its window is."""

    window: int
    line: int

    def terminal(self) -> Terminal:
        os.set_blocking(self.line, False)
        return Terminal(self.line)

    def seen(self) -> bytes:
        return os.read(self.window, 1 << 16)

    def modes(self) -> tuple[bool, bool, bool, bool]:
        """Whether lines are edited, keys are seen, Ctrl-C is a signal, Ctrl-S stops."""
        input_, _, _, local, *_ = termios.tcgetattr(self.line)
        return (
            *(bool(local & flag) for flag in (termios.ICANON, termios.ECHO, termios.ISIG)),
            bool(input_ & termios.IXON),
        )


@pytest.fixture
def pair() -> Iterator[Pair]:
    window, line = pty.openpty()
    yield Pair(window, line)
    for fd in (window, line):
        os.close(fd)


def test_shown_keys_come_one_by_one_and_hidden_all_is_as_before(pair: Pair) -> None:
    terminal, before = pair.terminal(), termios.tcgetattr(pair.line)
    assert pair.modes() == (True, True, True, True)
    terminal.show()
    assert pair.modes() == (False, False, True, False)
    assert pair.seen() == OPENING
    os.write(pair.window, b"m")
    assert terminal.read() == b"m"
    assert terminal.read() == b""
    terminal.hide(b"Good night.")
    assert termios.tcgetattr(pair.line) == before
    assert pair.seen() == CLOSING + b"Good night."
    terminal.hide()
    terminal.show()
    assert pair.modes() == (False, False, True, False)


def test_modes_that_somebody_else_has_set_meanwhile_are_left_alone(pair: Pair) -> None:
    terminal = pair.terminal()
    terminal.show()
    shells = termios.tcgetattr(pair.line)
    shells[3] &= ~termios.ISIG
    termios.tcsetattr(pair.line, termios.TCSANOW, shells)
    terminal.hide()
    assert termios.tcgetattr(pair.line) == shells


def test_a_window_that_takes_nothing_is_not_waited_for(pair: Pair) -> None:
    terminal = pair.terminal()
    terminal.show()
    picture = b"x" * (1 << 20)
    terminal.send(picture)
    assert terminal.has_unsent
    got = 0
    while terminal.has_unsent:
        got += len(pair.seen())
        terminal.send_on()
    while got < len(OPENING) + len(picture):
        got += len(pair.seen())
    assert got == len(OPENING) + len(picture)


def test_given_back_while_the_window_takes_nothing_the_modes_are_right_all_the_same(pair: Pair) -> None:
    terminal, before = pair.terminal(), termios.tcgetattr(pair.line)
    terminal.show()
    terminal.send(b"x" * (1 << 20))
    terminal.hide()
    assert termios.tcgetattr(pair.line) == before


def test_its_size_is_that_of_the_window_or_the_usual_one(pair: Pair) -> None:
    terminal = pair.terminal()
    assert terminal.size() == (80, 24)
    fcntl.ioctl(pair.line, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
    assert terminal.size() == (132, 50)


def test_a_window_that_was_closed_is_known_by_reading() -> None:
    window, line = pty.openpty()
    os.set_blocking(line, False)
    terminal = Terminal(line)
    terminal.show()
    os.close(window)
    assert terminal.read() is None
    with pytest.raises(OSError, match="Input/output error"):
        terminal.send(b"x")
    terminal.hide()
    assert not terminal.is_shown
    os.close(line)
