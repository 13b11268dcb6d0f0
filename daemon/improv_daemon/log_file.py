"""``--log FILE``: everything that is said and played, each line with its time."""

from __future__ import annotations

import contextlib
import datetime
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from improv_daemon.display import Display
from improv_daemon.view import View

_Now = Callable[[], datetime.datetime]


class StampedLines(io.TextIOBase):
    """Text whose lines begin with the time at which each was begun.

    Args:
        out: Where to.
        on_trouble: Called once, with a sentence, when it can no longer be written.
        now: Says what time it is.
    """

    def __init__(
        self,
        out: IO[str],
        on_trouble: Callable[[str], None],
        now: _Now = lambda: datetime.datetime.now().astimezone(),
    ) -> None:
        self._out, self._on_trouble, self._now = out, on_trouble, now
        self._at_begin = True
        self._is_said = False

    def write(self, text: str) -> int:
        """Write text, a stamp before each line."""
        for line in text.splitlines(keepends=True):
            if self._at_begin and line.strip():
                self._put(f"{self._now():%Y-%m-%d %H:%M:%S.%f}"[:-3] + " ")
            self._put(line)
            self._at_begin = line.endswith("\n")
        return len(text)

    def flush(self) -> None:
        """Hand over what is written: a log is read after a crash, too."""
        with self._telling():
            self._out.flush()

    def fileno(self) -> int:
        """The file's."""
        return self._out.fileno()

    def _put(self, text: str) -> None:
        with self._telling():
            self._out.write(text)

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not self._is_said:
                self._is_said = True
                self._on_trouble(
                    f"The log cannot be written any more: {error.strerror}; improv goes on without."
                )
            raise


@contextlib.contextmanager
def logging_to(path: Path | None, on_trouble: Callable[[str], None]) -> Iterator[tuple[Display, ...]]:
    """A display that writes at the end of a file; none without a file, or where it cannot be opened.

    Args:
        path: The file.
        on_trouble: Called with a sentence when it cannot be written.
    """
    if path is None:
        yield ()
        return
    try:
        # Without blocking: a named pipe that nobody reads would keep improv from playing.
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0), 0o644)
    except OSError as error:
        on_trouble(f"The log {path} cannot be written: {error.strerror}; improv goes on without.")
        yield ()
        return
    with contextlib.ExitStack() as stack:
        file = open(fd, "w", encoding="utf-8", errors="replace")  # noqa: PTH123, SIM115 - a descriptor
        stack.callback(_close, file)
        yield (View(StampedLines(file, on_trouble), sparing=False),)  # type: ignore[arg-type]


def _close(file: IO[str]) -> None:
    with contextlib.suppress(OSError):
        file.close()
