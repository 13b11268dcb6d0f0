"""Keeping what was played, after the fact: `improv play` remembers the last minutes."""

from __future__ import annotations

import datetime
from pathlib import Path

from improv_core.errors import StorageError
from improv_daemon.display import Display
from improv_daemon.journal import RecentJournal
from improv_daemon.keeper import KeepOptions
from improv_daemon.keeping import Keeping
from improv_daemon.sessions import new_session_folder
from improv_daemon.settings import Settings

_MINUTE_S = 60.0


class Remembering:
    """Writes what is remembered into sessions, whose files a process makes while the musician plays on.

    There is one such process at a time; what is kept meanwhile gets its files when all is over.

    Args:
        settings: Where to, and how.
    """

    def __init__(self, settings: Settings) -> None:
        self._root = Path(settings.record.folder)
        self._options = KeepOptions.of(settings)
        self._kept: list[Keeping] = []
        self.span_s = settings.record.last_minutes * _MINUTE_S
        """So much is remembered; 0: nothing."""

    def keep(self, recent: RecentJournal) -> str:
        """Keep what there is. It may wait for a disk, so it is done in a thread.

        Args:
            recent: Remembers.

        Returns:
            A sentence for the musician.

        Raises:
            StorageError: It cannot be written.
        """
        folder = new_session_folder(self._root, datetime.datetime.now().astimezone())
        keeping = Keeping(folder, self._options, low=True)
        try:
            length_s = recent.keep(folder.journal)
        except StorageError:
            keeping.forget()
            raise
        is_free = not (self._kept and self._kept[-1].is_busy)
        self._kept.append(keeping)
        if is_free:
            keeping.begin()
        return f"Kept the last {in_words(length_s)} in {folder.path}."

    def end(self, display: Display) -> None:
        """Wait for the files of all that was kept, and say what there is, or how to make it later."""
        has_time = True
        for keeping in self._kept:
            if not has_time:
                keeping.leave(display)
                continue
            try:
                has_time = keeping.end(display)
            except StorageError as failure:
                display.note(str(failure))


def in_words(length_s: float) -> str:
    """``4 minutes``."""
    if length_s < 1.5 * _MINUTE_S:
        seconds = max(1, round(length_s))
        return "second" if seconds == 1 else f"{seconds} seconds"
    return f"{round(length_s / _MINUTE_S)} minutes"
