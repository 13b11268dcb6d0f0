"""The terminal: taken over for the live view, and given back as it was."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import time
from typing import Final, Self

OPENING: Final = b"\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
"""The alternate screen, no cursor, no line wrap."""

CLOSING: Final = b"\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"

_PATIENCE_S: Final = 0.2
_LOCAL, _INPUT, _CONTROL = 3, 0, 6
_USUAL: Final = (80, 24)

Modes = list[int | list[bytes | int]]


class Terminal:
    """A terminal that is never waited for: what it does not take at once is sent on later, or not at all.

    Args:
        fd: The terminal; its own file description, since it is set not to block.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._before: Modes = termios.tcgetattr(fd)
        self._ours: Modes | None = None
        self._unsent = b""

    @classmethod
    def open(cls) -> Self:
        """The terminal of standard input.

        Raises:
            OSError: There is none, or it cannot be opened.
        """
        return cls(os.open(os.ttyname(0), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))

    def fileno(self) -> int:
        """For `select`."""
        return self._fd

    @property
    def is_shown(self) -> bool:
        """Whether the live view has the terminal."""
        return self._ours is not None

    @property
    def is_ours_to_use(self) -> bool:
        """Whether we are in the foreground."""
        with contextlib.suppress(OSError):
            return os.tcgetpgrp(self._fd) == os.getpgrp()
        return False

    @property
    def has_unsent(self) -> bool:
        """Whether the terminal has yet to take something."""
        return bool(self._unsent)

    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        with contextlib.suppress(OSError):
            columns, rows = os.get_terminal_size(self._fd)
            return columns or _USUAL[0], rows or _USUAL[1]
        return _USUAL

    def show(self) -> None:
        """Take the terminal over: keys come one by one and unseen; Ctrl-C and Ctrl-Z stay signals.

        Raises:
            OSError: The terminal has gone.
        """
        if self._ours is not None:
            return
        try:
            self._before = termios.tcgetattr(self._fd)
            ours = termios.tcgetattr(self._fd)
            ours[_LOCAL] &= ~(termios.ICANON | termios.ECHO)
            ours[_INPUT] &= ~termios.IXON  # Ctrl-S would stop the picture
            ours[_CONTROL][termios.VMIN], ours[_CONTROL][termios.VTIME] = 1, 0
            termios.tcsetattr(self._fd, termios.TCSANOW, ours)
            self._ours = termios.tcgetattr(self._fd)
        except termios.error as error:
            raise OSError(*error.args) from None
        self._unsent = OPENING
        self.send_on()

    def hide(self, last_words: bytes = b"") -> None:
        """Give the terminal back, and leave these there; never raises."""
        if self._ours is None:
            return
        ours, self._ours, self._unsent = self._ours, None, CLOSING + last_words
        with contextlib.suppress(OSError, termios.error):
            # A shell that has the terminal again has set its own modes already.
            if termios.tcgetattr(self._fd) == ours:
                termios.tcsetattr(self._fd, termios.TCSANOW, self._before)
        until_s = time.monotonic() + _PATIENCE_S
        with contextlib.suppress(OSError):
            self.send_on()
            while self._unsent and (left_s := until_s - time.monotonic()) > 0:
                select.select([], [self._fd], [], left_s)
                self.send_on()

    def send(self, data: bytes) -> None:
        """Send this once all before it is sent.

        Raises:
            OSError: The terminal has gone.
        """
        self._unsent += data
        self.send_on()

    def send_on(self) -> None:
        """Send of what is left as much as the terminal takes.

        Raises:
            OSError: The terminal has gone.
        """
        with contextlib.suppress(BlockingIOError):
            while self._unsent:
                self._unsent = self._unsent[os.write(self._fd, self._unsent) :]

    def read(self) -> bytes | None:
        """What was typed; None when the terminal has gone."""
        try:
            return os.read(self._fd, 1024) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None
