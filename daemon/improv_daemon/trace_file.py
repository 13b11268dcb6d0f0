"""A Chrome trace on disk: lines go in without waiting, and a thread writes them."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections import deque
from pathlib import Path
from typing import Final

from improv_core.errors import StorageError

MOST_BYTES: Final = 256_000_000
"""A trace ends here; programs that show one take much longer to open a larger one."""

MOST_WAITING: Final = 100_000
"""So many events wait for a slow disk; of more, the later ones are left out."""

_EVERY_S: Final = 0.2
_END_WITHIN_S: Final = 2.0


class TraceFile:
    """Trace events in the array form, which programs open even where its end is missing.

    Only whole lines are written, so that the file of a killed process can be opened. Nothing here raises once
    it is open; what went wrong stands in `failure`.

    Args:
        path: A file that does not exist yet.
        most_bytes: The file grows no larger.

    Raises:
        StorageError: The file exists already or cannot be written.
    """

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        self._path, self._most_bytes = path, most_bytes
        self._waiting: deque[str] = deque()
        self._size = 0
        self._ended = threading.Event()
        self.left_out = 0
        """Events for which there was no room while the disk was slow."""
        self.failure: str | None = None
        """Why nothing more is written, in a sentence for the musician."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        try:
            self._fd = os.open(path, flags, 0o644)
        except FileExistsError:
            raise StorageError(
                f"{path} exists already and is not overwritten; name another file for --trace."
            ) from None
        except OSError as failure:
            raise StorageError(
                f"The trace {path} cannot be written ({failure.strerror or failure}); name another file for "
                "--trace."
            ) from None
        self._thread = threading.Thread(target=self._write_on, name="trace", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """The open file's descriptor."""
        return self._fd

    def put(self, event: str) -> None:
        """Take an event, one JSON object on one line; never waits."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(event)
        else:
            self.left_out += 1

    def end(self) -> None:
        """Write what waits, and the end of the array; a disk that hangs is not waited for."""
        self._ended.set()
        self._thread.join(_END_WITHIN_S)

    def _write_on(self) -> None:
        is_last = False
        while not is_last and self.failure is None:
            is_last = self._ended.wait(_EVERY_S)
            self._write_waiting()
        if self.failure is None:
            self._write(b"\n]\n")
        with contextlib.suppress(OSError):  # some network file systems report a full disk only here
            os.close(self._fd)

    def _write_waiting(self) -> None:
        events = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if events:
            self._write(((",\n" if self._size else "[\n") + ",\n".join(events)).encode())

    def _write(self, data: bytes) -> None:
        if self._size + len(data) > self._most_bytes:
            self.failure = (
                f"The trace {self._path} has grown to {self._size // 1_000_000} MB and ends here; "
                "improv plays on."
            )
            return
        written = 0
        try:
            while written < len(data):
                written += os.write(self._fd, data[written:])
            self._size += written
        except OSError as failure:
            with contextlib.suppress(OSError):  # half an event would spoil the rest
                os.ftruncate(self._fd, self._size + max(0, data.rfind(b",\n", 0, written)))
            why = "its disk is full" if failure.errno in _FULL else failure.strerror or str(failure)
            self.failure = f"The trace {self._path} ends here ({why}); improv plays on."


_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
