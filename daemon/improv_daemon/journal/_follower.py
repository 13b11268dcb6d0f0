"""Reading a journal that is still being written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from improv_core.errors import StorageError
from improv_daemon.journal._format import Entry, Header
from improv_daemon.journal._lines import LineReader
from improv_daemon.journal._lock import is_locked
from improv_daemon.journal._reader import header_of

_MOST_AT_ONCE = 1 << 22


class JournalFollower:
    """Reads what is there, then what comes.

    What the mind had is here some 20 ms later, but for clock pulses and wake-ups, which come in lines of up
    to two seconds. Nothing is written and nothing waited for: ask again now and then.

    Args:
        path: Of a journal, which need not be locked any more.

    Raises:
        StorageError: It is missing or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader = LineReader(path)
        self._read: list[Entry] = []
        self._header: Header | None = None
        self._has_ended = False
        try:
            self._file = path.open("rb", buffering=0)
        except FileNotFoundError:
            raise StorageError(f"There is no file {path}.") from None
        except OSError as failure:
            raise StorageError(f"{path} cannot be read ({failure.strerror or failure}).") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Read no more."""
        self._file.close()

    def header(self) -> Header:
        """Its first line, or what is known of it where it is damaged.

        Raises:
            StorageError: It is no journal of ours, newer than this improv, or cannot be read.
        """
        if self._header is None:
            self._read += self._new()
            told = os.fstat(self._file.fileno())
            self._header = header_of(self._reader, self._read, self.path, told.st_size, told.st_mtime)
        return self._header

    def more(self) -> list[Entry]:
        """What has come since the last time, in order.

        Raises:
            StorageError: It cannot be read, or is newer than this improv.
        """
        entries, self._read = self._read, []
        return entries + self._new()

    def is_over(self) -> bool:
        """Whether nothing comes any more: all was given out by `more`, and the writer is done, or dead."""
        if self._has_ended:
            return not self._read
        # The lock is asked for first: what was written before it went is then read here.
        locked = is_locked(self._file.fileno())
        self._read += self._new()
        is_done = self._reader.closed if locked is None else not locked
        if is_done and self._is_at_the_end():
            self._read += self._reader.end()
            self._has_ended = True
        return self._has_ended and not self._read

    def _is_at_the_end(self) -> bool:
        return self._file.tell() >= os.fstat(self._file.fileno()).st_size

    def _new(self) -> list[Entry]:
        if self._has_ended:
            return []
        try:
            return self._reader.feed(self._file.read(_MOST_AT_ONCE) or b"")
        except OSError as failure:
            raise StorageError(f"{self.path} cannot be read ({failure.strerror or failure}).") from None
