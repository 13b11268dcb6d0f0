"""Bringing a journal to the disk itself, beside its writing."""

from __future__ import annotations

import threading
from collections.abc import Callable

from improv_daemon.journal._backlog import start_thread
from improv_daemon.journal._file import JournalFile


class Syncing:
    """Syncs a file on a thread of its own, soon after something was written, but not all the time.

    Args:
        file: Which.
        every_s: No more often.
        tell: Called in that thread with what went wrong, None where the file is gone.
    """

    def __init__(self, file: JournalFile, every_s: float, tell: Callable[[OSError | None], None]) -> None:
        self._file, self._every_s, self._tell = file, every_s, tell
        self._wanted, self._ending = threading.Event(), threading.Event()
        self._thread = start_thread(self._work, "journal-sync")

    def want(self) -> None:
        """Something was written."""
        self._wanted.set()

    def end(self) -> None:
        """Wait for the one that runs, then sync once more: however long that takes."""
        self._ending.set()
        self._wanted.set()
        self._thread.join()
        self._sync()

    def _work(self) -> None:
        while self._wanted.wait() and not self._ending.is_set():
            self._wanted.clear()
            self._sync()
            self._ending.wait(self._every_s)

    def _sync(self) -> None:
        try:
            self._file.sync()
        except OSError as failure:
            self._tell(failure)
        if self._file.is_gone():
            self._tell(None)
