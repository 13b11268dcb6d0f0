"""Notices when the server behind a MIDI system dies, which rtmidi does not."""

from __future__ import annotations

import contextlib
import os
import select
import stat


class Lifeline:
    """The sockets that a library opened to its server while the context was entered.

    rtmidi goes on filling the buffer of a dead JACK server and then waits for ever, in C, at full speed.
    """

    def __init__(self) -> None:
        self._before: set[int] = set()
        self._poll = select.poll() if hasattr(select, "poll") else None  # Windows has none
        self._watched = False

    def __enter__(self) -> Lifeline:
        self._before = _sockets()
        return self

    def __exit__(self, *_: object) -> None:
        if self._poll is None:
            return
        for fd in _sockets() - self._before:
            self._poll.register(fd, 0)
            self._watched = True

    @property
    def cut(self) -> bool:
        """The server has hung up."""
        if self._poll is None or not self._watched:
            return False
        return any(event & select.POLLHUP for _, event in self._poll.poll(0))


def _sockets() -> set[int]:
    found: set[int] = set()
    with contextlib.suppress(OSError):  # no such folder on this system: nothing is watched
        for name in os.listdir("/dev/fd"):  # noqa: PTH208 - names of open files, not paths
            with contextlib.suppress(OSError, ValueError):
                if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                    found.add(int(name))
    return found
