"""The mind's end of the live view: starts the process that draws it, and never waits for it while playing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from improv_daemon.screen.snapshot import Asked, Bye, Hide, Show, Snapshot, from_screen, to_line

ENDS_WITHIN_S: Final = 0.5
HIDES_WITHIN_S: Final = 0.3
_RECEIVED: Final = 1 << 16


class Screen(Protocol):
    """What draws a sitting."""

    @property
    def is_up(self) -> bool:
        """Whether it draws."""

    def attach(self, on_asked: Callable[[Asked], None], on_lost: Callable[[str], None]) -> None:
        """Begin: it may be told, and asks.

        Args:
            on_asked: Called with what the musician asks for.
            on_lost: Called once, with a reason or an empty text, when it has ended by itself.
        """

    def tell(self, snapshot: Snapshot) -> bool:
        """Draw this; False when it has yet to take what it was told before."""

    def suspend(self) -> None:
        """Give the terminal back for a while."""

    def resume(self) -> None:
        """Take it again."""

    def end(self) -> None:
        """Give it back."""


def can_show(environment: Mapping[str, str] | None = None) -> bool:
    """Whether standard input and output are a terminal that can move its cursor, and we are in front."""
    term = (os.environ if environment is None else environment).get("TERM", "")
    if os.name != "posix" or term in ("", "dumb", "unknown"):
        return False
    try:
        return os.isatty(0) and os.isatty(1) and os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


class ScreenLink:
    """The screen's process; see `Screen`. It begins to load at once, and draws from the first snapshot on."""

    def __init__(self) -> None:
        import termios

        from improv_daemon.screen.terminal import CLOSING

        self._closing = CLOSING
        self._termios = termios
        self._modes: list[Any] = termios.tcgetattr(0)
        ours, theirs = socket.socketpair()
        with theirs:
            self._connection = ours
            ours.setblocking(False)
            self._process = subprocess.Popen(
                [
                    # -P: a random.py in the folder where improv is started must not come before Python's.
                    *(sys.executable, "-P", "-m", "improv_daemon.screen", "--fd", str(theirs.fileno())),
                ],
                pass_fds=(theirs.fileno(),),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._unsent = b""
        self._lines = b""
        self._hidden = False
        self._is_open = True
        self._was_told = False
        self._reason = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_asked: Callable[[Asked], None] = lambda asked: None
        self._on_lost: Callable[[str], None] = lambda reason: None

    @property
    def is_up(self) -> bool:
        """Whether it draws."""
        return self._is_open and self._loop is not None

    def attach(self, on_asked: Callable[[Asked], None], on_lost: Callable[[str], None]) -> None:
        """See `Screen`."""
        self._on_asked, self._on_lost = on_asked, on_lost
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._connection, self._read)

    def tell(self, snapshot: Snapshot) -> bool:
        """See `Screen`."""
        if not self._is_open:
            return True
        self._send_on()
        if self._unsent:
            return False
        self._was_told = True
        self._unsent = to_line(snapshot)
        self._send_on()
        return True

    def suspend(self) -> None:
        """Wait until the terminal is given back, but not for long: the musician has pressed Ctrl-Z."""
        if not self._is_open or not self._was_told:
            return
        self._hidden = False
        self._unsent += to_line(Hide())
        until_s = time.monotonic() + HIDES_WITHIN_S
        while self._is_open and not self._hidden and (left_s := until_s - time.monotonic()) > 0:
            self._send_on()
            waits = [self._connection] if self._unsent else []
            if select.select([self._connection], waits, [], left_s)[0]:
                self._read()
        if not self._hidden:
            self._restore()

    def resume(self) -> None:
        """See `Screen`."""
        if self._is_open and self._was_told:
            self._unsent += to_line(Show())
            self._send_on()

    def end(self) -> None:
        """Give the terminal back; at the latest after half a second."""
        if not self._is_open:
            return
        self._unsent += to_line(Bye())
        self._send_on()
        self._close()
        if not self._was_told:
            self._process.kill()
        try:
            status = self._process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        if status != 0 and self._was_told:
            self._restore()

    def _close(self) -> None:
        self._is_open = False
        if self._loop is not None:
            self._loop.remove_reader(self._connection)
        self._connection.close()

    def _read(self) -> None:
        try:
            chunk = self._connection.recv(_RECEIVED)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        *lines, self._lines = (self._lines + chunk).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError, KeyError):
                self._take(from_screen(line))
        if not chunk and self._is_open:
            self._lose()

    def _take(self, asked: Asked) -> None:
        match asked.what:
            case "hidden":
                self._hidden = True
            case "failed":
                self._reason = asked.name
            case _:
                self._on_asked(asked)

    def _lose(self) -> None:
        """It has ended by itself: the terminal is ours to give back."""
        self._close()
        try:
            self._process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._restore()
        self._on_lost(self._reason)

    def _send_on(self) -> None:
        try:
            while self._unsent:
                self._unsent = self._unsent[self._connection.send(self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:  # the reader sees the end of file, too
            self._unsent = b""

    def _restore(self) -> None:
        """Do what the screen did not; harmless where it did."""
        with contextlib.suppress(OSError, self._termios.error):
            self._termios.tcsetattr(0, self._termios.TCSANOW, self._modes)
            if select.select([], [1], [], ENDS_WITHIN_S)[1]:
                os.write(1, self._closing)
