"""The screen's loop: snapshots and keys in, pictures and wishes out; it waits for nobody."""

from __future__ import annotations

import contextlib
import locale
import select
import signal
import socket
import time
from typing import Final

from improv_daemon.screen.desk import Desk
from improv_daemon.screen.drawing import Look, draw
from improv_daemon.screen.keys import Keyboard
from improv_daemon.screen.painting import Painter
from improv_daemon.screen.snapshot import Asked, Bye, Hide, Show, Snapshot, to_line, to_screen
from improv_daemon.screen.terminal import Terminal

EACH_S: Final = 0.1
"""Pictures come no closer than this."""

LAST_WORDS: Final = b"improv was killed; nothing of it sounds on.\r\n"
"""A shell says so, too, but perhaps to the screen that is about to go."""

_SNAPSHOT: Final = b'{"kind":"Snapshot"'
_IDLE_S: Final = 1.0
_STILL_S: Final = 5.0  # a picture takes some milliseconds, and of a still one only what is said grows old
_ESCAPE_S: Final = 0.05
_MOVING_S: Final = 3.0  # after the last note the roll may still have a page to go


class Loop:
    """Draws until the mind hangs up or the terminal has gone.

    Args:
        mind: The other end has snapshots to tell.
        terminal: To draw at.
    """

    def __init__(self, mind: socket.socket, terminal: Terminal) -> None:
        self._mind, self._terminal = mind, terminal
        self._painter, self._keyboard, self._desk = Painter(), Keyboard(), Desk()
        self._ascii_only = "utf" not in locale.getpreferredencoding(do_setlocale=False).lower()
        self._lines = b""
        self._snapshot: Snapshot | None = None
        self._hidden = False
        self._said_bye = False
        self._ended = False
        self._is_new = False
        self._drawn_s = 0.0

    def run(self) -> None:
        """Draw and listen.

        Raises:
            OSError: The terminal has gone.
        """
        self._mind.setblocking(False)
        woken, waker = socket.socketpair()
        with woken, waker:
            for end in (woken, waker):
                end.setblocking(False)
            signal.signal(signal.SIGWINCH, lambda number, frame: None)
            signal.signal(signal.SIGTERM, self._end)
            signal.set_wakeup_fd(waker.fileno())
            try:
                while not self._ended:
                    self._turn(woken)
            finally:
                signal.set_wakeup_fd(-1)

    def _end(self, number: int, frame: object) -> None:
        self._ended = True

    def _turn(self, woken: socket.socket) -> None:
        ears: list[Terminal | socket.socket] = [self._mind, woken]
        if self._terminal.is_shown:
            ears.append(self._terminal)
        unsent = [self._terminal] if self._terminal.has_unsent else []
        readable, writable, _ = select.select(ears, unsent, [], self._wait_s())
        if self._mind in readable:
            self._hear()
        if woken in readable:
            woken.recv(64)
            self._is_new = True
        if writable:
            self._terminal.send_on()
        keys = self._keyboard.flush() if not readable and self._keyboard.is_waiting else []
        if self._terminal in readable:
            typed = self._terminal.read()
            if typed is None:
                self._ended = True
                return
            keys = self._keyboard.feed(typed)
        for key in keys:
            self._press(key)
        if not self._ended:
            self._draw(time.monotonic())

    def _wait_s(self) -> float:
        if self._keyboard.is_waiting:
            return _ESCAPE_S
        if self._snapshot is None or self._hidden or not self._may_draw():
            return _IDLE_S
        since_s = time.monotonic() - self._drawn_s
        return max(0.0, (EACH_S if self._is_new or self._is_moving() else _STILL_S) - since_s)

    def _may_draw(self) -> bool:
        """False in the background, and while the terminal has yet to take the picture before."""
        return self._terminal.is_ours_to_use and not self._terminal.has_unsent

    def _is_moving(self) -> bool:
        """Whether the picture changes by itself: notes grow, the roll goes on, beats pass."""
        snapshot = self._snapshot
        if snapshot is None:
            return False
        if snapshot.tempo is not None and snapshot.tempo.steady:
            return True
        now_s = time.monotonic()
        ends_s = (now_s if end_s is None else end_s for _, _, _, end_s in snapshot.notes[-8:])
        return now_s - max(ends_s, default=0.0) < _MOVING_S

    def _hear(self) -> None:
        try:
            chunk = self._mind.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self._ended = True
            # Before anything else: a shell may be about to write its prompt.
            self._terminal.hide(b"" if self._said_bye else LAST_WORDS)
            return
        *lines, self._lines = (self._lines + chunk).split(b"\n")
        latest = next((line for line in reversed(lines) if line.startswith(_SNAPSHOT)), b"")
        for line in lines:
            if line is latest or not line.startswith(_SNAPSHOT):  # no other is worth the reading
                self._take(line)

    def _take(self, line: bytes) -> None:
        match to_screen(line):
            case Snapshot() as snapshot:
                self._snapshot = snapshot
            case Hide():
                self._hidden = True
                self._terminal.hide()
                self._ask(Asked("hidden"))
            case Show():
                self._hidden = False
            case Bye():
                self._said_bye = True
        self._is_new = True

    def _press(self, key: str) -> None:
        if self._snapshot is None:
            return
        self._desk = self._desk.pressed(key, self._snapshot)
        self._is_new, self._drawn_s = True, 0.0  # at once: a key that does nothing visible is pressed again
        for asked in self._desk.asks:
            self._ask(asked)

    def _ask(self, asked: Asked) -> None:
        with contextlib.suppress(OSError):  # a mind that does not read for so long is about to end
            self._mind.send(to_line(asked))

    def _draw(self, now_s: float) -> None:
        if self._snapshot is None or self._hidden or now_s - self._drawn_s < EACH_S:
            return
        if not self._may_draw():
            if not self._terminal.is_ours_to_use:  # the mind was stopped by another signal than Ctrl-Z's
                self._terminal.hide()
            return
        if not self._terminal.is_shown:
            self._terminal.show()
            self._painter.forget()
        size = self._terminal.size()
        look = Look(*size, colour=self._painter.colour, ascii_only=self._ascii_only)
        painted = self._painter.paint(draw(self._snapshot, self._desk, look, now_s), size)
        self._is_new, self._drawn_s = False, now_s
        if painted:
            self._terminal.send(painted.encode("ascii" if self._ascii_only else "utf-8", "replace"))
