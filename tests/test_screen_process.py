"""The screen's process at a terminal, and the mind's end of it."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from typing import Self

import pytest
from snapshots import SITTING, sitting

from improv_daemon.screen.loop import LAST_WORDS, Loop
from improv_daemon.screen.snapshot import Asked, Bye, Hide, Show, ToScreen, from_screen, to_line
from improv_daemon.screen.terminal import CLOSING, OPENING, Terminal

PATIENCE_S = 10.0
MAY_NOT_IMPORT = (
    *("asyncio", "numpy", "onnxruntime", "mido", "rtmidi", "typer", "torch"),
    *("improv_core", "improv_daemon.settings", "improv_daemon.partner"),
)


class Window:
    """The screen's process as the leader of a terminal of its own, and the mind's end of its socket."""

    def __init__(self, **environment: str) -> None:
        self.mind, theirs = socket.socketpair()
        self.mind.settimeout(PATIENCE_S)
        self._lines = b""
        self.seen = b""
        command = [sys.executable, "-P", "-m", "improv_daemon.screen", "--fd", str(theirs.fileno())]
        os.set_inheritable(theirs.fileno(), True)
        self.pid, self.fd = pty.fork()
        if not self.pid:
            with contextlib.suppress(OSError):
                os.execve(sys.executable, command, {**os.environ, "TERM": "xterm-256color", **environment})
            os._exit(127)
        theirs.close()
        self.modes = termios.tcgetattr(self.fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.mind.close()
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def tell(self, *messages: ToScreen) -> None:
        self.mind.sendall(b"".join(map(to_line, messages)))

    def asked(self) -> Asked:
        while b"\n" not in self._lines:
            chunk = self.mind.recv(4096)
            if not chunk:
                raise EOFError("the screen has hung up")
            self._lines += chunk
        line, _, self._lines = self._lines.partition(b"\n")
        return from_screen(line)

    def type(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def see(self, wanted: str | bytes) -> bytes:
        """Wait until this is on the screen; what was sent up to there."""
        goal = wanted.encode() if isinstance(wanted, str) else wanted
        until_s = time.monotonic() + PATIENCE_S
        while goal not in self.seen:
            if not select.select([self.fd], [], [], max(0.0, until_s - time.monotonic()))[0]:
                raise TimeoutError(f"not seen: {wanted!r}, but {self.seen[-2000:]!r}")
            self.seen += os.read(self.fd, 1 << 16)
        before, _, self.seen = self.seen.partition(goal)
        return before + goal

    def status(self) -> int:
        """Its exit status, once it has ended."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def window() -> Iterator[Window]:
    with Window() as window:
        yield window


def test_it_takes_the_terminal_with_the_first_snapshot_and_gives_it_back_at_the_end(window: Window) -> None:
    window.tell(SITTING)
    assert window.see(OPENING) == OPENING
    window.see("improv answers when you stop")
    assert termios.tcgetattr(window.fd) != window.modes
    window.tell(Bye())
    window.mind.shutdown(socket.SHUT_WR)
    assert window.see(CLOSING).endswith(CLOSING)
    assert termios.tcgetattr(window.fd) == window.modes
    assert window.status() == 0


def test_without_a_snapshot_it_touches_nothing(window: Window) -> None:
    window.mind.shutdown(socket.SHUT_WR)
    assert window.status() == 0
    assert termios.tcgetattr(window.fd) == window.modes


def test_when_the_mind_is_killed_it_says_so_on_the_terminal_as_it_was(window: Window) -> None:
    window.tell(SITTING)
    window.see("hand over")
    window.mind.close()
    window.see(CLOSING + LAST_WORDS.replace(b"\r\n", b""))
    assert window.status() == 0
    assert termios.tcgetattr(window.fd) == window.modes


def test_keys_are_asked_for_in_their_order(window: Window) -> None:
    window.tell(SITTING)
    window.see("hand over")
    window.type(b"m\x1b[B\x1b[C\x1b[B\x1b[Dp")
    assert [window.asked() for _ in range(4)] == [
        Asked("cue", "mute"),
        Asked("turn", "answer.density_ratio", 1),
        Asked("turn", "answer.style", -1),
        Asked("cue", "panic"),
    ]


def test_escape_alone_closes_the_page_of_keys(window: Window) -> None:
    window.tell(SITTING)
    window.see("hand over")
    window.type(b"?")
    window.see("silence everything at once")
    window.type(b"\x1b")
    window.see("hand over")


def test_ctrl_c_and_ctrl_z_are_left_to_the_mind(window: Window) -> None:
    window.tell(SITTING)
    window.see("hand over")
    window.type(b"\x03\x1a\x1c")  # these would end or stop whoever does not ignore them
    window.type(b"q")
    assert window.asked() == Asked("quit")


def test_hidden_it_gives_the_terminal_back_until_it_is_shown_again(window: Window) -> None:
    window.tell(SITTING)
    window.see("hand over")
    window.tell(Hide())
    assert window.asked() == Asked("hidden")
    window.see(CLOSING)
    assert termios.tcgetattr(window.fd) == window.modes
    window.tell(sitting(mode="duet"), Show())
    assert window.see(OPENING) == OPENING
    window.see("duet")


def test_it_is_drawn_anew_when_the_window_is_resized(window: Window) -> None:
    window.tell(SITTING)
    window.see("hand over")
    termios.tcsetwinsize(window.fd, (40, 120))
    window.see(" tap")
    termios.tcsetwinsize(window.fd, (5, 30))
    window.see("\x1b[2J")
    window.see("IMPROV")


def test_without_colours_there_are_none() -> None:
    with Window(NO_COLOR="1") as window:
        window.tell(SITTING)
        window.see("[IMPROV]")
        assert b"\x1b[38" not in window.see("hand over")


def test_a_window_that_takes_nothing_holds_nobody_up(window: Window) -> None:
    window.tell(SITTING)
    window.see("hand over")
    for number in range(400):
        window.tell(sitting(states=(f"state {number}",), tempo=None))
    window.type(b"p")
    assert window.asked() == Asked("cue", "panic")
    window.see("state 399")


def test_a_mind_that_talks_nonsense_is_told_and_the_terminal_given_back(window: Window) -> None:
    window.tell(SITTING)
    window.see("hand over")
    window.mind.sendall(b'{"kind":"Nonsense"}\n')
    assert window.asked() == Asked("failed", "ValueError: no message for the screen")
    window.see(CLOSING)
    assert window.status() == 1
    assert termios.tcgetattr(window.fd) == window.modes


def test_it_ends_when_its_window_is_closed() -> None:
    with Window() as window:
        window.tell(SITTING)
        window.see("hand over")
        closed, window.fd = window.fd, os.dup(window.mind.fileno())
        os.close(closed)
        assert window.status() == 0


def test_in_the_background_it_draws_nothing_and_does_not_spin(monkeypatch: pytest.MonkeyPatch) -> None:
    mind, theirs = socket.socketpair()
    window, line = pty.openpty()
    waits: list[float] = []

    def at_once(
        ears: list[socket.socket], *others: object
    ) -> tuple[list[object], list[object], list[object]]:
        waits.append(float(str(others[-1])))
        if len(waits) == 3:
            mind.close()
        return really(ears, [], [], 0.0)

    really = select.select
    before = {number: signal.getsignal(number) for number in (signal.SIGWINCH, signal.SIGTERM)}
    monkeypatch.setattr("improv_daemon.screen.loop.select.select", at_once)
    mind.sendall(to_line(SITTING))
    try:
        Loop(theirs, Terminal(line)).run()  # of a terminal that is not this process's
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        theirs.close()
    assert waits == [1.0, 1.0, 1.0]
    assert really([window], [], [], 0.0) == ([], [], [])
    os.close(window)
    os.close(line)


def test_it_imports_nothing_heavy_beside_rich() -> None:
    code = (
        "import sys, improv_daemon.screen.__main__, improv_daemon.screen.loop\n"
        f"print([name for name in {MAY_NOT_IMPORT!r} if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
